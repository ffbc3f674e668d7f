/** A queue as it is kept on disk, and what makes a file's content one. */

import { ERROR_CODES } from '../../errors';
import type { EntryStart, EntryState, QueueEntry, QueueRecord } from '../queue/entry';
import { keptMessage, revivedMessage } from './kept-message';

const STATES: readonly EntryState[] = ['waiting', 'running', 'done', 'failed', 'skipped'];
const STARTS: readonly EntryStart[] = ['beginning', 'finalstage'];

/** As JSON carries it: of the messages only what a file may hold. */
export function keptQueue({ isPaused, entries }: QueueRecord): QueueRecord {
  return { isPaused, entries: entries.map((entry) => ({ ...entry, message: keptMessage(entry.message).message })) };
}

export function revivedQueue({ isPaused, entries }: QueueRecord): QueueRecord {
  return { isPaused, entries: entries.map((entry) => ({ ...entry, message: revivedMessage(entry.message) })) };
}

export function isQueueRecord(value: unknown): value is QueueRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { isPaused, entries } = value as Partial<QueueRecord>;
  return typeof isPaused === 'boolean' && Array.isArray(entries) && entries.every(isEntry);
}

function isEntry(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, nodeId, message, round, deviceid, state, attempts, earlierAttempts, start, jobId, error, text } =
    value as QueueEntry;
  return (
    typeof id === 'string' &&
    [nodeId, deviceid, jobId, text].every((one) => one === undefined || typeof one === 'string') &&
    typeof message === 'object' &&
    (message as object | null) !== null &&
    [round, attempts, earlierAttempts].every((one) => Number.isInteger(one) && one >= 0) &&
    STATES.includes(state) &&
    STARTS.includes(start) &&
    (error === undefined || ERROR_CODES.includes(error))
  );
}
