import { EventEmitter } from 'node:events';
import { explain, FlashError } from '../../errors';
import type { Job } from '../job/job';
import type { JobRegistry } from '../job/job-registry';
import type { Message, PendingMessage } from '../job/pending-message';
import type { TaskRuns } from '../run/task-runs';
import {
  isEnded,
  isMessageOf,
  messageOf,
  type EntryStart,
  type QueueEntry,
  type QueueRecord,
} from '../job/queue-entry';
import { EntryList } from './entry-list';
import { LostWatch } from './lost-watch';
import { queueSnapshot, type QueueSnapshot } from './queue-snapshot';
import { mayTryAgain, whereToBegin } from './retry';

/** Where a queue node's messages leave: the instance of it that is deployed now. */
export interface QueueOutlet {
  /** How many devices may be in work at a time. */
  readonly atOnce: number;
  /** How often a flash is started at most before it counts as failed. */
  readonly attempts: number;
  /** Puts the message out. @returns whether anything is wired there */
  start(message: Message, where: EntryStart): boolean;
}

/**
 * The flashes that wait for their turn at one host. It puts a message out when its turn has come, and follows the job
 * that arises from it; how the message reaches the stages is the flow's business.
 *
 * The next one starts when the one before has left `provision` (every access point has the same address) and fewer than
 * `atOnce` are in work; that only one device at a time goes through FinalStage is seen to by `FinalStageLock`.
 *
 * Events: `changed` (isDurable) at every change of `snapshot()`; `isDurable` where a restart must know of it. `given-up`
 * (FlashError, deviceid or undefined) where a flash has failed because its message was lost.
 */
export class FlashQueue extends EventEmitter<{
  changed: [isDurable: boolean];
  'given-up': [error: FlashError, deviceid: string | undefined];
}> {
  private readonly list = new EntryList();
  private readonly outlets = new Map<string, QueueOutlet>();
  /** Wi-Fi passwords of messages by their entries' ids: in memory alone. */
  private readonly passwords = new Map<string, string>();
  private readonly lostWatch = new LostWatch(
    () => this.list.in('running'),
    (entry) => this.isHeld(entry),
    (entry, minutes) => {
      this.giveUp(entry, new FlashError('queue-lost', { minutes }), this.jobOf(entry));
      this.pump();
    },
  );
  private isPaused = false;

  constructor(
    private readonly jobs: JobRegistry,
    private readonly runs: TaskRuns,
  ) {
    super();
    this.setMaxListeners(0);
    jobs.on('changed', this.onJobChanged);
    runs.on('in-job', this.onInJob);
    runs.on('failed', this.onFailed);
  }

  /** A queue node's instance comes. */
  attach(nodeId: string, outlet: QueueOutlet): void {
    this.outlets.set(nodeId, outlet);
    this.pump();
  }

  /** The instance goes; with `removed` the node itself, and what waited for it. */
  detach(nodeId: string, removed: boolean): void {
    this.outlets.delete(nodeId);
    if (!removed) return;
    for (const entry of this.list.in('waiting')) if (entry.nodeId === nodeId) entry.state = 'skipped';
    this.changed(true);
  }

  /**
   * Adds a flash. A device that waits or is in work already is not added again: its entry is returned.
   *
   * @param message put out as it is when its turn comes, with `deviceid` once that is known
   * @param options `nodeId` of the queue node by which it is to leave; `password` of the home Wi-Fi, kept nowhere
   */
  add(message: Message, options: { nodeId?: string; password?: string | undefined } = {}): QueueEntry {
    const deviceid = typeof message['deviceid'] === 'string' ? message['deviceid'] : undefined;
    const known = this.list.openOf(deviceid);
    if (known) return known;
    const entry = this.list.add(message, deviceid, options.nodeId);
    if (options.password !== undefined) this.passwords.set(entry.id, options.password);
    for (const old of this.list.surplus()) this.remove(old);
    this.pump();
    return entry;
  }

  /** Starts no further flash; those in work continue. */
  pause(): void {
    this.isPaused = true;
    this.changed(true);
  }

  resume(): void {
    this.isPaused = false;
    this.pump();
  }

  /**
   * Leaves an entry out, by its id or its device; without either the one that has been in work longest. One in work is
   * cancelled as its nodes cancel it: a FinalStage transfer on the wire ends first.
   */
  skip(which?: string): void {
    const entry = which === undefined ? this.list.in('running')[0] : this.list.find(which);
    if (!entry || isEnded(entry)) return;
    const job = this.jobOf(entry);
    if (job?.running) return job.running.abort(new FlashError('cancelled'));
    entry.state = 'skipped';
    if (job?.isOpen && !job.continuesUnattended) job.fail('cancelled');
    this.pump();
  }

  /** Puts every failed entry at the end of the queue again: a person has seen what was wrong. */
  retryFailed(): void {
    for (const entry of this.list.in('failed')) {
      entry.earlierAttempts = entry.attempts;
      this.list.toEnd(entry);
    }
    this.pump();
  }

  /** Removes what is not in work: an entry by its id or device, or all that have ended. */
  forget(which?: string): void {
    const meant = which === undefined ? this.list.all().filter(isEnded) : [this.list.find(which)];
    for (const entry of meant) if (entry && entry.state !== 'running') this.remove(entry);
    this.changed(true);
  }

  snapshot(): QueueSnapshot {
    return queueSnapshot(this.list, this.isPaused, (entry) => this.jobOf(entry)?.percent ?? 0);
  }

  /** The part that must outlive the process; see `restore`. */
  record(): QueueRecord {
    return { isPaused: this.isPaused, entries: this.list.all() };
  }

  /** Takes in what an earlier run of the process left, once the jobs and messages of that run are there. */
  restore({ isPaused, entries }: QueueRecord): void {
    this.isPaused = isPaused;
    for (const entry of entries) {
      this.list.restore(entry);
      if (entry.state !== 'running' || this.isHeld(entry)) continue;
      const job = this.jobOf(entry);
      if (job && !job.isOpen) this.settle(entry, job);
      else if (!job?.continuesUnattended) entry.state = 'waiting';
    }
    this.lostWatch.look();
  }

  /** Stops listening, for the close of the host. */
  close(): void {
    this.jobs.off('changed', this.onJobChanged);
    this.runs.off('in-job', this.onInJob);
    this.runs.off('failed', this.onFailed);
    this.outlets.clear();
    this.lostWatch.stop();
  }

  /** Starts the entries that may start. */
  private pump(): void {
    for (const entry of this.list.in('waiting')) {
      const outlet = this.outletOf(entry);
      if (!outlet) continue;
      if (!this.mayBegin(outlet)) break;
      // A node behind an outlet may have changed the queue meanwhile.
      if (entry.state === 'waiting') this.begin(entry, outlet);
    }
    this.lostWatch.look();
    this.changed(true);
  }

  private mayBegin({ atOnce }: QueueOutlet): boolean {
    const running = this.list.in('running');
    return !this.isPaused && running.length < atOnce && running.every((entry) => this.hasLeftAccessPoint(entry));
  }

  /** Whether its message is with a stage in which several devices can be at a time. */
  private hasLeftAccessPoint(entry: QueueEntry): boolean {
    const job = this.jobOf(entry);
    return job !== undefined && (job.lastStage !== 'provision' || job.hasLeft('provision'));
  }

  private begin(entry: QueueEntry, outlet: QueueOutlet): void {
    entry.state = 'running';
    entry.attempts += 1;
    entry.jobId = undefined;
    entry.error = undefined;
    entry.text = undefined;
    entry.values = undefined;
    const { start } = entry;
    if (outlet.start(messageOf(entry, this.passwords.get(entry.id)), start)) return;
    this.giveUp(entry, new FlashError('queue-not-wired', { output: start === 'beginning' ? 1 : 2 }), undefined);
  }

  private readonly onInJob = ({ message }: PendingMessage, job: Job): void => {
    const entry = this.list.in('running').find((one) => isMessageOf(message, one));
    if (!entry) return;
    entry.jobId = job.id;
    entry.deviceid = job.deviceid ?? entry.deviceid;
    this.pump();
  };

  private readonly onJobChanged = (job: Job, isDurable: boolean): void => {
    const entry = this.list.in('running').find(({ jobId }) => jobId === job.id);
    if (!entry) return;
    entry.deviceid = job.deviceid ?? entry.deviceid;
    if (!isDurable) return this.changed(false);
    if (!job.isOpen) this.settle(entry, job);
    this.pump();
  };

  /** A message that failed without ending a job: its first stage could not start. */
  private readonly onFailed = (message: Message, error: FlashError): void => {
    const entry = this.list.in('running').find((one) => isMessageOf(message, one));
    const job = entry && this.jobOf(entry);
    if (!entry || job?.running) return;
    this.fail(entry, error, job);
    this.pump();
  };

  private settle(entry: QueueEntry, job: Job): void {
    if (job.stage === 'done') {
      entry.state = 'done';
      return;
    }
    const code = job.error ?? 'unexplained';
    const verdict = job.evidence.verdict();
    this.fail(entry, new FlashError(code, verdict.code === code ? verdict.values : {}), job);
  }

  /** Fails an entry whose message did not get through, for good, and reports that: no message does. */
  private giveUp(entry: QueueEntry, error: FlashError, job: Job | undefined): void {
    this.fail(entry, error, job);
    this.emit('given-up', error, entry.deviceid);
  }

  private fail(entry: QueueEntry, { code, values }: FlashError, job: Job | undefined): void {
    entry.error = code;
    entry.text = explain(code, values);
    entry.values = values;
    entry.start = whereToBegin(job);
    const isLeft = entry.attempts - entry.earlierAttempts < (this.outletOf(entry)?.attempts ?? 1);
    if (code === 'cancelled') entry.state = 'skipped';
    else if (isLeft && mayTryAgain(code, job)) this.list.toEnd(entry);
    else entry.state = 'failed';
  }

  /** Whether a node has its message, or its device is in work. */
  private isHeld(entry: QueueEntry): boolean {
    if (this.jobOf(entry)?.running) return true;
    return this.runs.pending.all().some(({ message, outcome }) => !outcome && isMessageOf(message, entry));
  }

  private jobOf({ jobId }: QueueEntry): Job | undefined {
    return jobId === undefined ? undefined : this.jobs.byId(jobId);
  }

  private outletOf({ nodeId }: QueueEntry): QueueOutlet | undefined {
    return nodeId === undefined ? this.outlets.values().next().value : this.outlets.get(nodeId);
  }

  private remove(entry: QueueEntry): void {
    this.list.remove(entry);
    this.passwords.delete(entry.id);
  }

  private changed(isDurable: boolean): void {
    this.emit('changed', isDurable);
  }
}
