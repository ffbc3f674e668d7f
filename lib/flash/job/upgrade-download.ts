import { EventEmitter } from 'node:events';
import type { ImageRole } from '../../image';
import type { OtaClass } from '../../protocol/ota-request';

/** It as it is kept on disk. */
export interface UpgradeDownloadRecord {
  readonly role?: ImageRole | undefined;
  readonly size: number;
  readonly sent: number;
  readonly requests: number;
  readonly otaClass?: OtaClass | undefined;
  readonly isTaken: boolean;
  readonly isOffered: boolean;
}

/**
 * What the device has fetched in one upgrade: the image server writes here, the stage reads.
 * Emits `changed` whenever there is news, and `checkpoint` when it is of the kind that a restart must know. A request for
 * more of the same image is merely counted: its bytes are the news.
 */
export class UpgradeDownload extends EventEmitter<{ changed: []; checkpoint: [] }> {
  role: ImageRole | undefined;
  size = 0;
  /** The furthest byte handed to the network. */
  sent = 0;
  requests = 0;
  otaClass: OtaClass | undefined;
  lastByte: Date | undefined;
  /** The device has it: it acknowledged the upgrade, or it was met in FinalStage. It is never sent again. */
  isTaken = false;
  /** The device has the command to fetch it. */
  isOffered = false;
  /** A request of it bore the device's own signature: one that does not is another peer's. */
  isSigned = false;
  /** Kept over a restart, in which the device may have fetched the rest unseen, or acknowledged without being heard. */
  private wasKept = false;

  requested(role: ImageRole, size: number, otaClass: OtaClass): void {
    this.requests += 1;
    if (role === this.role && size === this.size && otaClass === this.otaClass) return;
    this.role = role;
    this.size = size;
    this.otaClass = otaClass;
    this.emit('checkpoint');
    this.emit('changed');
  }

  sentUpTo(position: number, now = new Date()): void {
    this.lastByte = now;
    const wasComplete = this.isComplete;
    this.sent = Math.max(this.sent, position);
    if (this.isComplete && !wasComplete) this.emit('checkpoint');
    this.emit('changed');
  }

  offered(): void {
    this.isOffered = true;
    this.emit('checkpoint');
  }

  taken(): void {
    this.isTaken = true;
    this.emit('checkpoint');
    this.emit('changed');
  }

  get isComplete(): boolean {
    return this.size > 0 && this.sent >= this.size;
  }

  /** Whether a device that shows itself in FinalStage can be this one. */
  get mayBeWritten(): boolean {
    return this.isComplete || (this.wasKept && this.isOffered);
  }

  record(): UpgradeDownloadRecord {
    const { role, size, sent, requests, otaClass, isTaken, isOffered } = this;
    return { role, size, sent, requests, otaClass, isTaken, isOffered };
  }

  static restore(record: UpgradeDownloadRecord): UpgradeDownload {
    return Object.assign(new UpgradeDownload(), record, { wasKept: true });
  }

  /** Whether bytes went out within the last `withinMs`. */
  isFlowing(withinMs: number, now = new Date()): boolean {
    return this.lastByte !== undefined && now.getTime() - this.lastByte.getTime() < withinMs;
  }
}
