import { randomUUID } from 'node:crypto';
import type { Message } from '../job/pending-message';
import { isEnded, type EntryState, type QueueEntry } from '../job/queue-entry';

/** Of ended entries the newest stay to be seen. */
const ENDED_KEPT = 200;

/** The entries of a queue in their order. */
export class EntryList {
  /** The round of work under way, or the last one. */
  round = 0;
  private readonly entries: QueueEntry[] = [];

  all(): readonly QueueEntry[] {
    return this.entries;
  }

  in(state: EntryState): QueueEntry[] {
    return this.entries.filter((entry) => entry.state === state);
  }

  /** By its id; or the newest one of a device. */
  find(which: string): QueueEntry | undefined {
    return this.entries.find(({ id }) => id === which) ?? this.entries.findLast(({ deviceid }) => deviceid === which);
  }

  /** A device's entry that waits or is in work. */
  openOf(deviceid: string | undefined): QueueEntry | undefined {
    return deviceid === undefined ? undefined : this.entries.find((one) => !isEnded(one) && one.deviceid === deviceid);
  }

  add(message: Message, deviceid: string | undefined, nodeId: string | undefined): QueueEntry {
    if (this.entries.every(isEnded)) this.round += 1;
    const entry: QueueEntry = {
      id: randomUUID(),
      nodeId,
      message,
      round: this.round,
      deviceid,
      state: 'waiting',
      attempts: 0,
      earlierAttempts: 0,
      start: 'beginning',
    };
    this.entries.push(entry);
    return entry;
  }

  /** Takes in an entry of an earlier run of the process. */
  restore(entry: QueueEntry): void {
    this.round = Math.max(this.round, entry.round);
    this.entries.push(entry);
  }

  /** To the end of the queue: others are not to wait for it. */
  toEnd(entry: QueueEntry): void {
    entry.state = 'waiting';
    this.remove(entry);
    this.entries.push(entry);
  }

  remove(entry: QueueEntry): void {
    this.entries.splice(this.entries.indexOf(entry), 1);
  }

  /** Ended entries that are more than need be seen. */
  surplus(): QueueEntry[] {
    const ended = this.entries.filter(isEnded);
    return ended.slice(0, Math.max(0, ended.length - ENDED_KEPT));
  }
}
