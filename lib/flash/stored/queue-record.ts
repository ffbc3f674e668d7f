/** A queue as it is kept on disk. */

import type { QueueEntry, QueueRecord } from '../job/queue-entry';
import { storedMessage, revivedMessage } from './stored-message';

/** As JSON carries it. */
export function storedQueue({ isPaused, entries }: QueueRecord): QueueRecord {
  return { isPaused, entries: entries.map(storedEntry) };
}

/** As JSON carries it: of the message only what a file may hold. */
export function storedEntry(entry: QueueEntry): QueueEntry {
  return { ...entry, message: storedMessage(entry.message).message };
}

export function revivedQueue({ isPaused, entries }: QueueRecord): QueueRecord {
  return { isPaused, entries: entries.map((entry) => ({ ...entry, message: revivedMessage(entry.message) })) };
}
