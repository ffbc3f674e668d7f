import type { ErrorCode, ErrorValues } from '../../errors';
import type { EntryList } from './entry-list';
import { isEnded, type EntryState, type QueueEntry } from '../job/queue-entry';

/** An entry as messages carry it: plain data, no secrets. */
export interface EntrySnapshot {
  id: string;
  deviceid: string | null;
  state: EntryState;
  attempts: number;
  /** 0-100 of its flash. */
  percent: number;
  jobId?: string;
  error?: ErrorCode;
  /** Both sentences of its failure. */
  text?: string;
  /** Fills the sentences of its error, for a translation of `text`. */
  values?: ErrorValues;
}

export interface QueueSnapshot {
  /** `idle` where everything has ended. */
  state: 'idle' | 'running' | 'paused';
  waiting: number;
  running: number;
  done: number;
  failed: number;
  skipped: number;
  /** Of all that belongs to the present round, 0-100. */
  percent: number;
  entries: EntrySnapshot[];
}

/** @param percentOfJob how far the flash of an entry in work is, 0-100 */
export function queueSnapshot(
  list: EntryList,
  isPaused: boolean,
  percentOfJob: (entry: QueueEntry) => number,
): QueueSnapshot {
  const percentOf = (entry: QueueEntry): number => {
    if (entry.state === 'done') return 100;
    return entry.state === 'waiting' ? 0 : percentOfJob(entry);
  };
  const [waiting, running] = [list.in('waiting').length, list.in('running').length];
  return {
    state: isPaused ? 'paused' : waiting + running > 0 ? 'running' : 'idle',
    waiting,
    running,
    done: list.in('done').length,
    failed: list.in('failed').length,
    skipped: list.in('skipped').length,
    percent: percentOfRound(list, percentOf),
    entries: list.all().map((entry) => snapshotOf(entry, percentOf(entry))),
  };
}

function snapshotOf(entry: QueueEntry, percent: number): EntrySnapshot {
  const { id, deviceid, state, attempts, jobId, error, text, values } = entry;
  return {
    id,
    deviceid: deviceid ?? null,
    state,
    attempts,
    percent,
    ...(jobId === undefined ? {} : { jobId }),
    ...(error === undefined ? {} : { error }),
    ...(text === undefined ? {} : { text }),
    ...(values === undefined ? {} : { values }),
  };
}

function percentOfRound(list: EntryList, percentOf: (entry: QueueEntry) => number): number {
  const meant = list.all().filter(({ round, state }) => round === list.round && state !== 'skipped');
  const sum = meant.reduce((total, entry) => total + (isEnded(entry) ? 100 : percentOf(entry)), 0);
  return meant.length === 0 ? 0 : Math.floor(sum / meant.length);
}
