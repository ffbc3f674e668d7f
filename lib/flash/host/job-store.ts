import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { RateLimit } from '../../server/rate-limit';
import { lineOfWording, type HostLog } from '../host-log';
import type { LoadedImage } from '../../firmware/firmware';
import type { Job } from '../job/job';
import type { JobRegistry } from '../job/job-registry';
import { Differences } from '../../storage/differences';
import { JobFile } from '../stored/job-file';
import { imagesOf, jobOf, recordOf, type JobRecord } from '../stored/job-record';
import type { FlashQueue } from '../queue/flash-queue';
import { storedEntry, revivedQueue } from '../stored/queue-record';
import type { PendingMessageRecord } from '../stored/pending-messages';
import type { QueueEntry } from '../job/queue-entry';
import type { TaskRuns } from '../run/task-runs';
import { waitFor } from '../../timing/wait';
import type { Waits } from '../stage/waits';

/** How many ended jobs are kept. */
const ENDED_KEPT = 10;
/** How many jobs are written at a time for their progress alone: while a record is made, no device is answered. */
const FLOWING_AT_ONCE = 20;

/**
 * Keeps a host's jobs and messages on disk, so that they continue after a restart of the process
 * (docs/dev/design.md#3.7). A job is written at each of its checkpoints, so that what was done to a device is never done twice;
 * where bytes merely flow, once in a while.
 */
export class JobStore {
  private readonly file: JobFile;
  /** Jobs whose newest checkpoint is not on disk, and those of which it is not there how far they are. */
  private readonly unwritten = new Set<Job>();
  private readonly flowing = new Set<Job>();
  /** Those of the latter whose time has come. */
  private readonly due = new Set<Job>();
  private readonly pending = new Differences<PendingMessageRecord>();
  private readonly entries = new Differences<QueueEntry>();
  /** Digests of the images that a job's record names. */
  private readonly imagesOfJobs = new Map<string, readonly string[]>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  /** How many changes there were, and how many of them are on disk. */
  private changes = 0;
  private written = 0;
  /** How many of them are waited for. */
  private awaited = 0;
  private hurry = new AbortController();
  private readonly pace: RateLimit;
  private readonly progress = new EventEmitter<{ written: [] }>().setMaxListeners(0);
  private isClosed = false;
  private hasFailed = false;

  constructor(
    folder: string,
    hostId: string,
    private readonly of: { jobs: JobRegistry; runs: TaskRuns; queue: FlashQueue },
    private readonly log: HostLog,
    private readonly waits: Pick<Waits, 'flowMs' | 'writesMs' | 'retryMs' | 'settleMs'>,
  ) {
    this.file = new JobFile(join(folder, 'jobs'), hostId);
    this.pace = new RateLimit({ perSecond: 1000 / waits.writesMs, longestWaitMs: Infinity });
  }

  /** Takes in what an earlier run of the process kept, and keeps from now on. */
  start(): void {
    this.recall();
    this.of.jobs.on('changed', this.onJobChanged);
    this.of.queue.on('changed', this.onQueueChanged);
    this.of.runs.pending.onChange = () => this.changed();
  }

  /** Writes the present state and nothing later: what a close cancels is to continue. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    // Their progress changes four times a second: the disk is to have the last of it.
    for (const job of this.of.jobs.all()) if (job.isOpen) this.flowing.add(job);
    if (this.timer || this.flowing.size > 0) this.flowed();
    this.isClosed = true;
    this.hurry.abort();
    clearTimeout(this.timer);
    this.of.jobs.off('changed', this.onJobChanged);
    this.of.queue.off('changed', this.onQueueChanged);
    this.of.runs.pending.onChange = () => undefined;
    await this.writing;
  }

  /** Resolves when what there is now is written, or when the disk has had its time: no device waits for it longer. */
  async settled(): Promise<void> {
    const { changes } = this;
    if (this.hasFailed || this.isClosed) return;
    this.awaited = changes;
    this.hurry.abort();
    const signal = AbortSignal.timeout(this.waits.settleMs);
    // Not until there is nothing more to write: while other devices are in work, there always is.
    const isWritten = (): true | undefined => this.written >= changes || undefined;
    await waitFor(this.progress, ['written'], isWritten, { signal }).catch(() => undefined);
  }

  /** The host is closed: nothing of it continues. */
  async forget(): Promise<void> {
    await this.close();
    await this.file.remove().catch(() => undefined);
  }

  private recall(): void {
    const kept = this.file.read((text) => this.log('warn', ...lineOfWording('log-jobs-unread', { message: text })));
    if (!kept) return;
    const awaited = new Set(kept.tickets.map(({ jobId }) => jobId));
    for (const record of kept.jobs) {
      const job = jobOf(record, (...image) => this.file.images.image(...image));
      // An open job that no node holds and no device can come back to would stand in the way of the device's next one.
      if (!job.isOpen || job.continuesUnattended || awaited.has(job.id)) this.of.jobs.restore(job);
    }
    for (const { nodeId, left } of kept.tickets.filter((message) => message.left.length > 0)) {
      this.log('warn', ...lineOfWording('log-message-cut', { node: nodeId, list: left.join(', ') }));
    }
    this.of.runs.restore(kept.tickets, (sha256) => this.file.images.bytes(sha256));
    if (kept.queue) this.of.queue.restore(revivedQueue(kept.queue));
  }

  private readonly onJobChanged = (job: Job, isDurable: boolean): void => {
    if (isDurable) {
      this.unwritten.add(job);
      return this.changed();
    }
    this.flowing.add(job);
    this.timer ??= setTimeout(() => this.flowed(), this.waits.flowMs).unref();
  };

  private readonly onQueueChanged = (isDurable: boolean): void => {
    if (isDurable) this.changed();
  };

  private flowed(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const job of this.flowing) this.due.add(job);
    this.flowing.clear();
    this.changed();
  }

  private changed(): void {
    this.changes += 1;
    if (!this.isClosed) this.writing ??= this.writeAll();
  }

  private async writeAll(): Promise<void> {
    // All that changes in one go is written in one go.
    await Promise.resolve();
    try {
      while (this.written < this.changes) {
        await this.inPace();
        const { changes } = this;
        await this.writeNow();
        this.written = changes;
        this.progress.emit('written');
        if (this.due.size > 0) this.changes += 1;
      }
      this.hasFailed = false;
    } catch (error) {
      if (!this.hasFailed) {
        this.log(
          'warn',
          ...lineOfWording('log-jobs-unwritten', { file: this.file.path, message: (error as Error).message }),
        );
      }
      this.hasFailed = true;
      if (!this.isClosed) this.timer ??= setTimeout(() => this.flowed(), this.waits.retryMs).unref();
    } finally {
      this.writing = undefined;
    }
  }

  /** Strangers can cause any number of changes; changes that are waited for are written immediately. */
  private async inPace(): Promise<void> {
    this.hurry = new AbortController();
    const waitMs = this.pace.take() ?? 0;
    if (waitMs === 0 || this.isClosed || this.awaited > this.written) return;
    await pause(waitMs, undefined, { signal: this.hurry.signal, ref: false }).catch(() => undefined);
  }

  /** Writes all changes up to this moment; later ones are written the next time. */
  private async writeNow(): Promise<void> {
    const { jobs, images } = this.changedJobs();
    const tickets = this.pending.since(this.of.runs.pending.all());
    const { isPaused, entries } = this.of.queue.record();
    const changedEntries = [...this.entries.since(entries)].map(
      ([id, entry]) => [id, entry && storedEntry(entry)] as const,
    );
    const queue = { isPaused, order: entries.map(({ id }) => id) };
    const carried = this.of.runs.pending.images();
    const needed = new Set([...this.imagesOfJobs.values()].flat().concat(carried.map(({ sha256 }) => sha256)));
    await this.file.write({ jobs, tickets, entries: new Map(changedEntries), queue }, [...images, ...carried], needed);
  }

  /** The records of the jobs that have changed, undefined for those that are kept no longer; and their images. */
  private changedJobs(): { jobs: Map<string, JobRecord | undefined>; images: LoadedImage[] } {
    for (const job of [...this.due].slice(0, FLOWING_AT_ONCE)) {
      this.due.delete(job);
      this.unwritten.add(job);
    }
    const ended = new Set(this.of.jobs.ended().slice(-ENDED_KEPT));
    const kept = this.of.jobs.all().filter((job) => job.isOpen || ended.has(job));
    const jobs = new Map<string, JobRecord | undefined>();
    const images: LoadedImage[] = [];
    for (const job of kept) {
      if (!this.unwritten.has(job) && this.file.hasJob(job.id)) continue;
      const own = imagesOf(job);
      images.push(...own);
      this.imagesOfJobs.set(
        job.id,
        own.map(({ sha256 }) => sha256),
      );
      jobs.set(job.id, recordOf(job));
      this.flowing.delete(job);
      this.due.delete(job);
    }
    this.unwritten.clear();
    const keptIds = new Set(kept.map(({ id }) => id));
    for (const id of this.file.jobIds()) {
      if (keptIds.has(id)) continue;
      jobs.set(id, undefined);
      this.imagesOfJobs.delete(id);
    }
    return { jobs, images };
  }
}
