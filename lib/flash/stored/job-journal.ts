/** The lines of a journal of jobs, and what they say together. */

import { isObject } from '../../protocol/json';
import type { QueueEntry } from '../job/queue-entry';
import type { JobRecord } from './job-record';
import { RecordTexts } from './record-texts';
import type { PendingMessageRecord } from './pending-messages';

type Changed<T> = ReadonlyMap<string, T | undefined>;

/** The changes since the last time, by ids; undefined removes an entry. */
export interface JobChanges {
  readonly jobs: Changed<JobRecord>;
  /** Pending messages, under their former name. */
  readonly tickets: Changed<PendingMessageRecord>;
  readonly entries: Changed<QueueEntry>;
  /** The queue's own state, and the ids of its entries in their order. */
  readonly queue: { readonly isPaused: boolean; readonly order: readonly string[] };
}

const KINDS = ['jobs', 'tickets', 'entries'] as const;
type Kind = (typeof KINDS)[number];

/** The lines on the disk, as text. */
export class JobLines {
  private readonly records: Readonly<Record<Kind, RecordTexts>> = {
    jobs: new RecordTexts(),
    tickets: new RecordTexts(),
    entries: new RecordTexts(),
  };
  private queue = '';

  jobIds(): readonly string[] {
    return this.records.jobs.ids();
  }

  hasJob(id: string): boolean {
    return this.records.jobs.has(id);
  }

  /** @returns a line that says what has changed; undefined where nothing has */
  update(changes: JobChanges): string | undefined {
    const parts: string[] = [];
    const allGone: string[] = [];
    for (const kind of KINDS) {
      const { put, gone } = this.records[kind].update(changes[kind]);
      if (put.length > 0) parts.push(`"${kind}":[${put.join(',')}]`);
      allGone.push(...gone);
    }
    const queue = JSON.stringify(changes.queue);
    if (queue !== this.queue) parts.push(`"queue":${queue}`);
    this.queue = queue;
    if (allGone.length > 0) parts.push(`"gone":${JSON.stringify(allGone)}`);
    return parts.length === 0 ? undefined : `{${parts.join(',')}}`;
  }

  /** All there is, one line a record. */
  whole(): string[] {
    const lines = KINDS.flatMap((kind) => this.records[kind].all().map((text) => `{"${kind}":[${text}]}`));
    return [...lines, `{"queue":${this.queue}}`];
  }
}

/** The content of all lines together, in the shape of `JobFileContent`; nothing of it has been checked. */
export function contentOf(lines: readonly unknown[]): Record<string, unknown> {
  const records: Record<Kind, Map<unknown, unknown>> = { jobs: new Map(), tickets: new Map(), entries: new Map() };
  let queue: unknown = {};
  for (const line of lines) {
    if (!isObject(line)) continue;
    for (const kind of KINDS) for (const record of listIn(line, kind)) records[kind].set(idOf(record), record);
    for (const id of listIn(line, 'gone')) for (const kind of KINDS) records[kind].delete(id);
    queue = line['queue'] ?? queue;
  }
  const { isPaused = false, order = [] } = isObject(queue) ? queue : {};
  const places = new Map(Array.isArray(order) ? order.map((id: unknown, place) => [id, place]) : []);
  const placeOf = (id: unknown): number => places.get(id) ?? Infinity;
  const entries = [...records.entries].sort(([one], [other]) => Math.sign(placeOf(one) - placeOf(other)) || 0);
  return {
    jobs: [...records.jobs.values()],
    tickets: [...records.tickets.values()],
    queue: { isPaused, entries: entries.map(([, entry]) => entry) },
  };
}

function listIn(line: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const list = line[name];
  return Array.isArray(list) ? list : [];
}

function idOf(record: unknown): unknown {
  return isObject(record) ? record['id'] : undefined;
}
