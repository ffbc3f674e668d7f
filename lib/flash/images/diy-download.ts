import { EventEmitter } from 'node:events';
import type { LoadedImage } from '../../firmware/firmware';
import type { Job } from '../job/job';

/** An image takes 127 requests. */
const POSITIONS_KEPT = 2000;

/** The download of one device in DIY mode: the image server writes here, the stage reads. Emits `changed` at any news. */
export class DiyDownload extends EventEmitter<{ changed: [] }> {
  private static readonly open = new Map<string, DiyDownload>();

  requests = 0;
  /** Of the requests, in the device's sequence of random numbers; the newest. */
  readonly positions: (number | undefined)[] = [];
  /** The result that the device reported of its download; 0 is success. */
  result: number | undefined;
  /** When the device last asked for something, or got a part of it; undefined where it has not since its command. */
  private lastSignAt: number | undefined;
  /** The parts that have gone out, in order, apart from each other. */
  private parts: (readonly [from: number, to: number])[] = [];

  private constructor(
    readonly job: Job,
    readonly image: LoadedImage,
    /** The only address that is served. */
    readonly peer: string,
  ) {
    super();
  }

  /** Serves the image until `close`. A restart of this program serves it under the same name. */
  static begin(job: Job, image: LoadedImage, peer: string): DiyDownload {
    const download = new DiyDownload(job, image, peer);
    DiyDownload.open.set(download.name, download);
    return download;
  }

  static named(name: string): DiyDownload | undefined {
    return DiyDownload.open.get(name);
  }

  static from(peer: string): DiyDownload | undefined {
    return [...DiyDownload.open.values()].find((download) => download.peer === peer);
  }

  /** Short and plain, as the device's buffers need it (docs/dev/diy-mode.md#2.4). */
  get name(): string {
    return `d${this.job.id.slice(0, 8)}.bin`;
  }

  get size(): number {
    return this.image.bytes.length;
  }

  /** How many bytes have gone out at least once. */
  get sent(): number {
    return this.parts.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  get isComplete(): boolean {
    return this.sent >= this.size;
  }

  /** Whether the device has come for its image since its command. */
  get hasBegun(): boolean {
    return this.lastSignAt !== undefined;
  }

  isFlowing(withinMs: number, now = Date.now()): boolean {
    return this.lastSignAt !== undefined && now - this.lastSignAt < withinMs;
  }

  /** Whether the device came for its image, but neither has all of it nor went on for so long. */
  hasStalled(forMs: number, now = Date.now()): boolean {
    return this.hasBegun && !this.isComplete && !this.isFlowing(forMs, now);
  }

  requested(randPosition: number | undefined, now = Date.now()): void {
    this.lastSignAt = now;
    this.requests++;
    this.positions.push(randPosition);
    if (this.positions.length > POSITIONS_KEPT) this.positions.shift();
    this.emit('changed');
  }

  sentPart(from: number, to: number, now = Date.now()): void {
    this.lastSignAt = now;
    this.parts = merged([...this.parts, [from, to]]);
    this.emit('changed');
  }

  reported(error: number): void {
    this.result = error;
    this.emit('changed');
  }

  /** Downloads before a new command no longer count. */
  again(): void {
    this.parts = [];
    this.result = undefined;
    this.lastSignAt = undefined;
  }

  close(): void {
    if (DiyDownload.open.get(this.name) === this) DiyDownload.open.delete(this.name);
  }
}

function merged(parts: (readonly [number, number])[]): (readonly [number, number])[] {
  const result: [number, number][] = [];
  for (const [from, to] of parts.sort(([one], [other]) => one - other)) {
    const last = result.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}
