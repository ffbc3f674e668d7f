import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { RateLimit } from '../../server/rate-limit';
import type { HostLog } from './host-log';
import type { Job } from '../job/job';
import type { JobBook } from '../job/job-book';
import { JobFile } from '../kept/job-file';
import { imagesOf, jobOf, recordOf } from '../kept/job-record';
import type { FlashQueue } from '../queue/flash-queue';
import { keptQueue, revivedQueue } from '../kept/queue-record';
import type { StageRuns } from '../run/stage-runs';
import { waitFor } from '../waiting/wait';
import type { Waits } from '../waiting/waits';

/** How many ended jobs are kept. */
const ENDED_KEPT = 10;

/**
 * Keeps a host's jobs and messages on disk, so that a restart of the process goes on with them
 * (docs/dev/design.md#3.7). Written at every turn of a flash, so that what was done to a device is never done twice.
 */
export class JobMemory {
  private readonly file: JobFile;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  /** How many turns there were, and how many of them are on disk. */
  private turns = 0;
  private written = 0;
  /** How many of them somebody waits for. */
  private awaited = 0;
  private hurry = new AbortController();
  private readonly pace: RateLimit;
  private readonly progress = new EventEmitter<{ written: [] }>().setMaxListeners(0);
  private isClosed = false;
  private hasFailed = false;

  constructor(
    folder: string,
    hostId: string,
    private readonly of: { jobs: JobBook; runs: StageRuns; queue: FlashQueue },
    private readonly log: HostLog,
    private readonly waits: Pick<Waits, 'flowMs' | 'turnsMs' | 'retryMs' | 'settleMs'>,
  ) {
    this.file = new JobFile(join(folder, 'jobs'), hostId);
    this.pace = new RateLimit({ perSecond: 1000 / waits.turnsMs, longestWaitMs: Infinity });
  }

  /** Takes in what an earlier run of the process kept, and keeps from now on. */
  start(): void {
    this.recall();
    this.of.jobs.on('changed', this.onJobChanged);
    this.of.queue.on('changed', this.onQueueChanged);
    this.of.runs.tickets.onChange = () => this.changed();
  }

  /** Writes what there is and keeps nothing that comes after: what a close cancels is to go on. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    if (this.timer) this.changed();
    this.isClosed = true;
    this.hurry.abort();
    clearTimeout(this.timer);
    this.of.jobs.off('changed', this.onJobChanged);
    this.of.queue.off('changed', this.onQueueChanged);
    this.of.runs.tickets.onChange = () => undefined;
    await this.writing;
  }

  /** Resolves when what there is now is written, or when the disk has had its time: no device waits for it longer. */
  async settled(): Promise<void> {
    const { turns } = this;
    if (this.hasFailed || this.isClosed) return;
    this.awaited = turns;
    this.hurry.abort();
    const signal = AbortSignal.timeout(this.waits.settleMs);
    // Not until there is nothing more to write: while other devices are in work, there always is.
    const isWritten = (): true | undefined => this.written >= turns || undefined;
    await waitFor(this.progress, ['written'], isWritten, { signal }).catch(() => undefined);
  }

  /** The host is no more: nothing of it goes on. */
  async forget(): Promise<void> {
    await this.close();
    await this.file.remove().catch(() => undefined);
  }

  private recall(): void {
    const kept = this.file.read((text) => this.log('warn', `The jobs of an earlier run: ${text}`));
    if (!kept) return;
    const awaited = new Set(kept.tickets.map(({ jobId }) => jobId));
    for (const record of kept.jobs) {
      const job = jobOf(record, (...image) => this.file.image(...image));
      // An open job that no node holds and no device can come back to would stand in the way of the device's next one.
      if (!job.isOpen || job.continuesUnattended || awaited.has(job.id)) this.of.jobs.restore(job);
    }
    for (const { nodeId, left } of kept.tickets.filter((ticket) => ticket.left.length > 0)) {
      this.log('warn', `A message of node ${nodeId} comes back without what was too big to keep: ${left.join(', ')}`);
    }
    this.of.runs.restore(kept.tickets, (sha256) => this.file.bytes(sha256));
    if (kept.queue) this.of.queue.restore(revivedQueue(kept.queue));
  }

  private readonly onJobChanged = (_job: Job, isTurn: boolean): void => {
    if (isTurn) this.changed();
    else this.flowed();
  };

  private readonly onQueueChanged = (isTurn: boolean): void => {
    if (isTurn) this.changed();
  };

  private flowed(): void {
    this.timer ??= setTimeout(() => this.changed(), this.waits.flowMs).unref();
  }

  private changed(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.turns += 1;
    if (!this.isClosed) this.writing ??= this.writeAll();
  }

  private async writeAll(): Promise<void> {
    // All that changes in one go is written in one go.
    await Promise.resolve();
    try {
      while (this.written < this.turns) {
        await this.inPace();
        const { turns } = this;
        await this.writeNow();
        this.written = turns;
        this.progress.emit('written');
      }
      this.hasFailed = false;
    } catch (error) {
      if (!this.hasFailed) {
        this.log('warn', `The jobs cannot be kept in ${this.file.path}: ${(error as Error).message}`);
      }
      this.hasFailed = true;
      if (!this.isClosed) this.timer ??= setTimeout(() => this.changed(), this.waits.retryMs).unref();
    } finally {
      this.writing = undefined;
    }
  }

  /** Strangers can bring about any number of turns; what somebody waits for is written at once. */
  private async inPace(): Promise<void> {
    this.hurry = new AbortController();
    const waitMs = this.pace.take() ?? 0;
    if (waitMs === 0 || this.isClosed || this.awaited > this.written) return;
    await pause(waitMs, undefined, { signal: this.hurry.signal, ref: false }).catch(() => undefined);
  }

  private async writeNow(): Promise<void> {
    const all = this.of.jobs.all();
    const ended = this.of.jobs.ended().slice(-ENDED_KEPT);
    const jobs = all.filter((job) => job.isOpen || ended.includes(job));
    const { tickets } = this.of.runs;
    const queue = keptQueue(this.of.queue.record());
    const images = [...jobs.flatMap((job) => imagesOf(job)), ...tickets.images()];
    await this.file.write({ jobs: jobs.map(recordOf), tickets: tickets.all(), queue }, images);
  }
}
