import type { ErrorCode } from '../../errors';
import type { RouteName, StageName } from '../stages';
import type { JobSnapshot } from './job';

/** The facts of a flash for others: its model and firmware, and nothing of the person, the device or the network. */
export interface FlashReport {
  readonly model: string;
  /** Its stock firmware. */
  readonly firmware: string;
  readonly method: RouteName | 'unknown';
  readonly outcome: 'flashed' | 'running' | ErrorCode;
  /** How long each stage took that has ended, in s. */
  readonly seconds: Partial<Record<StageName, number>>;
}

/** A device may state anything; a model and a version are short and plain. */
const PLAIN = /^[\w .-]{1,32}$/;

export function reportOf({ model, romVersion, intermediate, stage, error, stages }: JobSnapshot): FlashReport {
  const seconds: Partial<Record<StageName, number>> = {};
  for (const [name, { startedAt, endedAt }] of Object.entries(stages)) {
    if (endedAt === null) continue;
    seconds[name as StageName] = Math.max(0, Math.round((Date.parse(endedAt) - Date.parse(startedAt)) / 1000));
  }
  return {
    model: plain(model),
    firmware: plain(romVersion),
    method: intermediate ?? 'unknown',
    outcome: stage === 'done' ? 'flashed' : (error ?? 'running'),
    seconds,
  };
}

/** The same in one line, for a report that a person sends. */
export function reportLine(snapshot: JobSnapshot): string {
  return JSON.stringify(reportOf(snapshot));
}

function plain(text: string | null): string {
  return text !== null && PLAIN.test(text) ? text : 'unknown';
}
