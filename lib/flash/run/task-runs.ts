import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { asFlashError, FlashError } from '../../errors';
import type { Job } from '../job/job';
import type { Message, PendingMessage, StageOutcome, TaskOutcome } from '../job/pending-message';
import { isStage, type StageName } from '../stages';
import { outcomeOf, PendingMessages, type PendingMessageRecord } from '../stored/pending-messages';
import { Failures } from './failures';
import { Outlets, type Outlet } from './outlets';
import type { Report } from './report';
import { Run } from './run';
import type { StageRequest, TaskRequest } from './task';
import { LoopTurns } from '../../timing/loop-turns';

/** As many as jobs are kept that have ended, and some that have not. */
const NODES_KEPT = 200;

interface TaskRunsEvents {
  /** The stage of a message begins. */
  'in-job': [pending: PendingMessage, job: Job];
  /** The stage of a message ended badly, or could not begin. */
  failed: [message: Message, error: FlashError, job?: Job];
  /** A stage reports where it is. */
  reported: [job: Job];
  /** It ended before it reached any device: by a cancel, or before it had anything to wait for. */
  'left-no-trace': [job: Job];
  /** Nothing runs any more. */
  idle: [];
}

/**
 * Runs what nodes are to do: queues and joins messages, cancels, and delivers to whichever instance of the node is
 * deployed when there is news. A stage of a flash outlives a redeploy, and its news wait until the new instance attaches.
 * A task without a job ends with the instance, and the new one begins it again where its message is kept.
 */
export class TaskRuns extends EventEmitter<TaskRunsEvents> {
  /** What must outlive the process. */
  readonly pending = new PendingMessages();
  /** What a person may try again. */
  readonly failures = new Failures();
  /** The node that had each of the newest jobs last, by the id of the job. */
  private readonly lastNodes = new Map<string, string>();
  private readonly beginnings = new LoopTurns();
  private readonly running = new Set<Run>();
  private readonly queue: Run[] = [];
  private readonly outlets = new Outlets();

  constructor() {
    super();
    // Each node of a queue and each link to Home Assistant listens.
    this.setMaxListeners(0);
  }

  /** Takes a message; its outcome comes through the node's outlet. */
  begin(request: StageRequest | TaskRequest): PendingMessage {
    const { nodeId, stage, message, pendingId: id = randomUUID() } = request;
    const pending = { id, nodeId, stage, message };
    this.pending.began(pending, request);
    const joined = this.findRunOf(request);
    if (joined) {
      joined.pending.push(pending);
      if (joined.job) this.inJob(pending, joined.job);
      joined.repeatReport();
      return pending;
    }
    const run: Run = new Run(request, pending, {
      entered: (job) => this.entered(run, job),
      reported: (job) => this.emit('reported', job),
      progress: (report) => this.deliverProgress(run, report),
    });
    if (this.isBusy(request.line)) {
      this.queue.push(run);
      this.tellQueue(nodeId);
    } else {
      void this.execute(run);
    }
    return pending;
  }

  /** A message that could not begin a stage at all; its node has told the user already. */
  refused(message: Message, error: FlashError): void {
    this.emit('failed', message, error);
  }

  /** Ends what a node waits for, for one device or for all, in one stage or in any, with `cancelled`. */
  cancel(nodeId: string, deviceid?: string, stage?: StageName): void {
    const error = new FlashError('cancelled');
    const isMeant = (run: Run): boolean => run.isFor(deviceid) && (stage === undefined || run.request.stage === stage);
    for (const run of this.queue.filter(isMeant)) this.takeOut(run, nodeId, error);
    for (const run of [...this.running].filter(isMeant)) {
      // Others may have joined this run; it continues for them.
      if (run.pending.some((one) => one.nodeId !== nodeId)) this.drop(run, nodeId, error);
      else if (run.pending.length > 0) run.controller.abort(error);
    }
  }

  /** The node that had a job last, in this process. */
  nodeOf(jobId: string): string | undefined {
    return this.lastNodes.get(jobId);
  }

  /** Whether a message of the node is at work in a stage, or waits for it; in any where none is named. */
  isIn(nodeId: string, stage?: StageName): boolean {
    const isMeant = (run: Run): boolean => (stage === undefined || run.request.stage === stage) && run.isOf(nodeId);
    return [...this.running, ...this.queue].some(isMeant);
  }

  /** Whether something is at work for the node: it has its turn. */
  isAtWork(nodeId: string): boolean {
    return [...this.running].some((run) => run.isOf(nodeId));
  }

  /** Ends what waits for its stage, of one device or of all, with `cancelled`. @returns how many that were */
  cancelQueued(deviceid?: string): number {
    const meant = this.queue.filter(
      ({ request }) => request.findJob && (deviceid === undefined || request.deviceid === deviceid),
    );
    for (const run of meant) {
      for (const { nodeId } of [...run.pending]) this.takeOut(run, nodeId, new FlashError('cancelled'));
    }
    return meant.length;
  }

  /** Ends everything without news, for the close of the host. */
  cancelAll(): void {
    this.outlets.close();
    this.pending.close();
    this.queue.length = 0;
    for (const run of this.running) {
      // What it was for stays pending: the host may come back, or the node have moved to another.
      run.pending.length = 0;
      run.controller.abort(new FlashError('cancelled'));
    }
  }

  /** Resolves when nothing runs: each has left the network that it joined. One that does not leave is not waited for. */
  async whenIdle(limitMs: number): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    while (this.running.size > 0 && !signal.aborted) await once(this, 'idle', { signal }).catch(() => undefined);
  }

  /** Connects a node's present instance; hands it what came while no instance was there. */
  attach(nodeId: string, outlet: Outlet): void {
    this.outlets.attach(nodeId, outlet);
    for (const run of this.running) if (run.request.nodeId === nodeId) run.repeatReport();
    this.tellQueue(nodeId);
  }

  /** The instance goes; with `removed` the node itself, and what it waited for ends. */
  detach(nodeId: string, removed: boolean): void {
    this.outlets.detach(nodeId);
    for (const run of [...this.queue, ...this.running]) if (!run.request.findJob) this.leaveToNext(run, nodeId);
    if (!removed) return;
    this.endStages(nodeId);
    this.pending.forgetNode(nodeId);
  }

  /** Ends the stages of a node that is disabled; its tasks begin again once it is back. */
  endStages(nodeId: string): void {
    this.cancel(nodeId);
    // The end of anything later is not reported, not even to a node that comes back under this id.
    for (const { id } of this.pending.stagesOf(nodeId)) this.pending.forget(id);
    for (const run of this.running) run.dropOf(nodeId);
    this.outlets.forget(nodeId);
  }

  /**
   * The node has moved to another host: its tasks begin again there; its stages end, since their jobs are of this host.
   * @param error with which they end
   */
  moveTo(next: TaskRuns, nodeId: string, error: FlashError): void {
    this.outlets.moveTo(next.outlets, nodeId);
    const stages = this.pending.stagesOf(nodeId).filter(({ outcome }) => !outcome);
    const ended = stages.map((record) => this.pending.messageOf(record));
    this.detach(nodeId, false);
    for (const left of this.pending.claim(nodeId)) if (!isStage(left.record.stage)) next.pending.adopt(left);
    this.detach(nodeId, true);
    for (const pending of ended) next.deliverOutcome(pending, error);
    next.outlets.tell(nodeId, (outlet) => outlet.left());
  }

  /** Takes in what an earlier run of the process left: results that may not have arrived, and what continues. */
  restore(records: readonly PendingMessageRecord[], findImage?: (sha256: string) => Buffer | undefined): void {
    this.pending.restore(records, findImage);
    for (const record of records) {
      if (record.outcome) this.deliverOutcome(this.pending.messageOf(record), outcomeOf(record.outcome));
    }
  }

  private async execute(run: Run): Promise<void> {
    this.running.add(run);
    try {
      // The caller gets its pending message first, so that even an immediate failure has an addressee.
      await this.beginnings.next();
      const found = await run.work();
      // Over before it is reported: a message that comes of the news begins a run of its own instead of joining.
      this.running.delete(run);
      this.end(run, run.succeed(found));
    } catch (thrown) {
      this.running.delete(run);
      this.fail(run, asFlashError(thrown));
    } finally {
      run.release();
      if (run.job && run.leftNoTrace) this.emit('left-no-trace', run.job);
      this.startNext(run.request.line);
      if (this.running.size === 0) this.emit('idle');
    }
  }

  private entered(run: Run, job: Job): void {
    this.failures.forget(job.id);
    for (const pending of run.pending) this.inJob(pending, job);
  }

  private fail(run: Run, error: FlashError): void {
    const job = run.fail();
    if (job && run.pending[0]) this.failures.add(job, run.pending[0]);
    job?.fail(error.code);
    this.end(run, error);
  }

  private deliverProgress({ pending, job }: Run, report: Report): void {
    const now = { ...report, percent: job?.percent ?? report.percent };
    const snapshot = job && (() => job.snapshot());
    // Progress is of the moment: without an instance there is nobody to tell, and the next one hears the newest.
    for (const one of pending) this.outlets.tell(one.nodeId, (outlet) => outlet.progress(now, snapshot, one));
  }

  private end({ pending, job }: Run, outcome: StageOutcome | TaskOutcome | FlashError): void {
    for (const one of pending) this.deliverOutcome(one, outcome, job);
  }

  private deliverOutcome(pending: PendingMessage, outcome: StageOutcome | TaskOutcome | FlashError, job?: Job): void {
    this.pending.ended(pending, outcome);
    if (outcome instanceof FlashError && isStage(pending.stage)) this.emit('failed', pending.message, outcome, job);
    this.outlets.deliver(pending.nodeId, (outlet) => {
      this.pending.delivered(pending.id);
      if (outcome instanceof FlashError) outlet.failure(outcome, pending);
      else outlet.result(outcome, pending);
    });
  }

  /** The run that messages for the same device join in. */
  private findRunOf(request: StageRequest | TaskRequest): Run | undefined {
    if (!request.findJob || request.deviceid === undefined) return undefined;
    const { stage, deviceid } = request;
    const isSame = (run: Run): boolean => run.request.stage === stage && run.isFor(deviceid);
    return [...this.running].find(isSame) ?? this.queue.find(isSame);
  }

  private inJob(pending: PendingMessage, job: Job): void {
    this.pending.inJob(pending, job);
    this.lastNodes.delete(job.id);
    this.lastNodes.set(job.id, pending.nodeId);
    if (this.lastNodes.size > NODES_KEPT) this.lastNodes.delete(this.lastNodes.keys().next().value as string);
    this.emit('in-job', pending, job);
  }

  private isBusy(line: string | undefined): boolean {
    return line !== undefined && [...this.running].some(({ request }) => request.line === line);
  }

  private startNext(line: string | undefined): void {
    const next = this.queue.find(({ request }) => request.line === line);
    if (!next || this.isBusy(line)) return;
    this.unqueue(next);
    void this.execute(next);
  }

  private takeOut(run: Run, nodeId: string, error: FlashError): void {
    this.drop(run, nodeId, error);
    if (run.pending.length === 0) this.unqueue(run);
  }

  private drop(run: Run, nodeId: string, error: FlashError): void {
    for (const pending of run.dropOf(nodeId)) this.deliverOutcome(pending, error);
  }

  /** Ends a node's task without an outcome: its next instance begins it again. */
  private leaveToNext(run: Run, nodeId: string): void {
    const left = run.dropOf(nodeId);
    if (left.length === 0) return;
    for (const { id } of left) this.pending.release(id);
    this.unqueue(run);
    run.controller.abort(new FlashError('cancelled'));
  }

  private unqueue(run: Run): void {
    if (!this.queue.includes(run)) return;
    this.queue.splice(this.queue.indexOf(run), 1);
    this.tellQueue(run.request.nodeId);
  }

  private tellQueue(nodeId: string): void {
    this.outlets.tell(nodeId, (outlet) => {
      outlet.queued(this.queue.filter((run) => run.request.nodeId === nodeId).length);
    });
  }
}
