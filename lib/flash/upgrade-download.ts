import { EventEmitter } from 'node:events';
import type { OtaClass } from '../protocol/ota-request';

/**
 * What the device has fetched in one upgrade: the image server writes here, the stage reads.
 * Emits `changed` whenever there is news.
 */
export class UpgradeDownload extends EventEmitter {
  role: 'user1' | 'user2' | undefined;
  size = 0;
  /** The furthest byte handed to the network. */
  sent = 0;
  requests = 0;
  otaClass: OtaClass | undefined;
  lastByte: Date | undefined;

  requested(role: 'user1' | 'user2', size: number, otaClass: OtaClass): void {
    this.role = role;
    this.size = size;
    this.otaClass = otaClass;
    this.requests += 1;
    this.emit('changed');
  }

  sentUpTo(position: number, now = new Date()): void {
    this.lastByte = now;
    this.sent = Math.max(this.sent, position);
    this.emit('changed');
  }

  get isComplete(): boolean {
    return this.size > 0 && this.sent >= this.size;
  }

  /** Whether bytes went out within the last `withinMs`. */
  isFlowing(withinMs: number, now = new Date()): boolean {
    return this.lastByte !== undefined && now.getTime() - this.lastByte.getTime() < withinMs;
  }
}
