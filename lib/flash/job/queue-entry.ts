import type { ErrorCode, ErrorValues } from '../../errors';
import type { Message } from './pending-message';
import type { StageName } from '../routes';

export type EntryState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

/** Where a flash starts: with the first node of the flow, or in a stage from which no device goes back. */
export type EntryStart = 'beginning' | StageName;

/** One flash that a person or an automation has asked for, from its message to its end. */
export interface QueueEntry {
  readonly id: string;
  /** The queue node whose output it leaves by; undefined = any that is there. */
  readonly nodeId?: string | undefined;
  readonly message: Message;
  /** Rounds of work are counted together: a new one starts when everything before has ended. */
  readonly round: number;
  deviceid?: string | undefined;
  state: EntryState;
  /** How often it was started. */
  attempts: number;
  /** How many of these were before a person asked for it again. */
  earlierAttempts: number;
  start: EntryStart;
  jobId?: string | undefined;
  error?: ErrorCode | undefined;
  /** Both sentences of its failure. */
  text?: string | undefined;
  /** Fills the sentences of its error, for a translation of `text`. */
  values?: ErrorValues | undefined;
}

/** All of a queue that must outlive the process. */
export interface QueueRecord {
  readonly isPaused: boolean;
  readonly entries: readonly QueueEntry[];
}

/** The property by which a message is known as an entry's, over all nodes of the flow. */
const ENTRY_KEY = 'queueEntry';

/** An entry's message of its present attempt. */
export function messageOf(entry: QueueEntry, password: string | undefined): Message {
  const { deviceid, message } = entry;
  return {
    ...message,
    [ENTRY_KEY]: keyOf(entry),
    ...(deviceid === undefined ? {} : { deviceid }),
    ...(password === undefined ? {} : { password }),
  };
}

/** Whether a message is of the entry's present attempt; an earlier one's may still be on its way. */
export function isMessageOf(message: Message, entry: QueueEntry): boolean {
  return message[ENTRY_KEY] === keyOf(entry);
}

function keyOf({ id, attempts }: QueueEntry): string {
  return `${id}/${attempts}`;
}

export function isEnded({ state }: QueueEntry): boolean {
  return state === 'done' || state === 'failed' || state === 'skipped';
}
