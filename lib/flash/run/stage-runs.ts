import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { asFlashError, FlashError } from '../../errors';
import { progressText, type ProgressTextName, type ProgressValues } from '../../progress-texts';
import type { Job, JobSnapshot } from '../job/job';
import type { Message, StageOutcome, PendingMessage } from '../job/pending-message';
import { Failures } from './failures';
import { ReportThrottle } from './report-throttle';
import type { Report } from './report';
import { waitEndOf } from './wait-end';
import type { StageName } from '../stages';
import { outcomeOf, PendingMessages, type PendingMessageRecord } from '../stored/pending-messages';
import { isFailure } from '../verdict/verdict';

/** As many as jobs are kept that have ended, and some that have not. */
const NODES_KEPT = 200;

/** Where a node's news go: the instance of the node that is deployed now. */
export interface Outlet {
  /** @param snapshot of the job as it is now: long, and asked for at most four times a second for each device */
  progress(report: Report, snapshot: () => JobSnapshot, ticket: PendingMessage): void;
  result(outcome: StageOutcome, ticket: PendingMessage): void;
  failure(error: FlashError, ticket: PendingMessage): void;
  /** How many messages of this node wait behind the running one. */
  queued(count: number): void;
}

/** What a stage is given: its job, a signal that ends it, and a place to report to. */
export interface StageContext {
  readonly job: Job;
  readonly signal: AbortSignal;
  /**
   * Announces where the stage is; what the evidence says against it goes with it as a warning.
   * @param fraction how much of the stage is behind us, 0 to 1; less than before is ignored
   */
  report(name: ProgressTextName, values?: ProgressValues, more?: { fraction?: number }): void;
}

export interface StageRequest {
  readonly nodeId: string;
  readonly stage: StageName;
  readonly message: Message;
  /** The device that is meant, where that is known. */
  readonly deviceid: string | undefined;
  /** Whether one device at a time is in this stage (those at a fixed address: provision, finalstage), whatever the node. */
  readonly oneAtATime: boolean;
  /** Set where the message was taken by an earlier run of the process. */
  readonly ticketId?: string | undefined;
  /**
   * What must hold before a job begins: a message that fails here leaves no job behind. Called when its turn has come.
   */
  check?(signal: AbortSignal): Promise<void>;
  /** Finds the job; called when the stage begins, not while it is queued. */
  findJob(): Job;
  /** The stage itself; resolves with what it found. */
  run(context: StageContext): Promise<Record<string, unknown>>;
}

interface Run {
  readonly request: StageRequest;
  readonly tickets: PendingMessage[];
  readonly controller: AbortController;
  readonly throttle: ReportThrottle;
  job?: Job;
  /** Whether the stage has announced anything yet. */
  hasSpoken?: boolean;
}

interface StageRunsEvents {
  /** The stage of a message begins. */
  'in-job': [ticket: PendingMessage, job: Job];
  /** It ended badly, or could not begin. */
  failed: [message: Message, error: FlashError, job?: Job];
  /** A stage reports where it is. */
  said: [job: Job];
  /** It ended before it reached any device: by a cancel, or before it had anything to wait for. */
  'left-no-trace': [job: Job];
  /** No stage runs any more. */
  idle: [];
}

/**
 * Runs stages for nodes: queues and joins messages, cancels, and delivers to whichever instance of the node is
 * deployed when there is news. A run outlives a redeploy; its news wait until the new instance attaches.
 */
export class StageRuns extends EventEmitter<StageRunsEvents> {
  /** What must outlive the process. */
  readonly tickets = new PendingMessages();
  /** What a person may try again. */
  readonly failures = new Failures();
  /** The node that had each of the newest jobs last, by the id of the job. */
  private readonly lastNodes = new Map<string, string>();
  private readonly running = new Set<Run>();
  private readonly queue: Run[] = [];
  private readonly outlets = new Map<string, Outlet>();
  private readonly undelivered = new Map<string, ((outlet: Outlet) => void)[]>();

  constructor() {
    super();
    // Each node of a queue and each link to Home Assistant listens.
    this.setMaxListeners(0);
  }

  /** Takes a message; its outcome comes through the node's outlet. */
  begin(request: StageRequest): PendingMessage {
    const ticket: PendingMessage = {
      id: request.ticketId ?? randomUUID(),
      nodeId: request.nodeId,
      stage: request.stage,
      message: request.message,
    };
    this.tickets.began(ticket, request.deviceid);
    const joined = this.findRunOf(request);
    if (joined) {
      joined.tickets.push(ticket);
      if (joined.job) this.inJob(ticket, joined.job);
      joined.throttle.repeatLast();
      return ticket;
    }
    const run: Run = {
      request,
      tickets: [ticket],
      controller: new AbortController(),
      throttle: new ReportThrottle((report) => this.deliverProgress(run, report)),
    };
    if (request.oneAtATime && this.isBusy(request.stage)) {
      this.queue.push(run);
      this.tellQueue(request.nodeId);
    } else {
      void this.execute(run);
    }
    return ticket;
  }

  /** A message that could not begin a stage at all; its node has told the user already. */
  refused(message: Message, error: FlashError): void {
    this.emit('failed', message, error);
  }

  /** Ends what a node waits for, for one device or for all, with `cancelled`. */
  cancel(nodeId: string, deviceid?: string): void {
    const meant = (run: Run): boolean =>
      deviceid === undefined || (run.job?.deviceid ?? run.request.deviceid) === deviceid;
    const error = new FlashError('cancelled');
    for (const run of this.queue.filter(meant)) this.takeOut(run, nodeId, error);
    for (const run of [...this.running].filter(meant)) {
      // Others may have joined this run; it goes on for them.
      if (run.tickets.some((ticket) => ticket.nodeId !== nodeId)) this.dropTickets(run, nodeId, error);
      else if (run.tickets.length > 0) run.controller.abort(error);
    }
  }

  /** The node that had a job last, in this process. */
  nodeOf(jobId: string): string | undefined {
    return this.lastNodes.get(jobId);
  }

  /** Whether a message of the node is in a stage, or waits for it; in any where none is named. */
  isIn(nodeId: string, stage?: StageName): boolean {
    const isMeant = ({ request, tickets }: Run): boolean =>
      (stage === undefined || request.stage === stage) && tickets.some((ticket) => ticket.nodeId === nodeId);
    return [...this.running, ...this.queue].some(isMeant);
  }

  /** Ends what waits for its stage, of one device or of all, with `cancelled`. @returns how many that were */
  cancelQueued(deviceid?: string): number {
    const meant = this.queue.filter(({ request }) => deviceid === undefined || request.deviceid === deviceid);
    for (const run of meant) {
      for (const { nodeId } of [...run.tickets]) this.takeOut(run, nodeId, new FlashError('cancelled'));
    }
    return meant.length;
  }

  /** Ends everything, for the close of the host: nobody is left to tell. */
  cancelAll(): void {
    this.outlets.clear();
    this.tickets.close();
    this.queue.length = 0;
    for (const run of this.running) run.controller.abort(new FlashError('cancelled'));
  }

  /** Resolves when no stage runs: each has left the network that it joined. One that does not leave is not waited for. */
  async whenIdle(limitMs: number): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    while (this.running.size > 0 && !signal.aborted) await once(this, 'idle', { signal }).catch(() => undefined);
  }

  /** Connects a node's present instance; hands it what came while no instance was there. */
  attach(nodeId: string, outlet: Outlet): void {
    this.outlets.set(nodeId, outlet);
    for (const deliver of this.undelivered.get(nodeId) ?? []) deliver(outlet);
    this.undelivered.delete(nodeId);
    for (const run of this.running) if (run.request.nodeId === nodeId) run.throttle.repeatLast();
    this.tellQueue(nodeId);
  }

  /** The instance goes; with `removed` the node itself, and what it waited for ends. */
  detach(nodeId: string, removed: boolean): void {
    this.outlets.delete(nodeId);
    if (!removed) return;
    this.cancel(nodeId);
    // What ends later has nobody to tell, not even a node that comes back under this id.
    this.tickets.forgetNode(nodeId);
    for (const { tickets } of this.running) {
      tickets.splice(0, Infinity, ...tickets.filter((ticket) => ticket.nodeId !== nodeId));
    }
    this.undelivered.delete(nodeId);
  }

  /** Takes in what an earlier run of the process left: results that may not have arrived, and what goes on. */
  restore(records: readonly PendingMessageRecord[], findImage?: (sha256: string) => Buffer | undefined): void {
    this.tickets.restore(records, findImage);
    for (const record of records) {
      if (record.outcome) this.deliverOutcome(this.tickets.ticketOf(record), outcomeOf(record.outcome));
    }
  }

  private async execute(run: Run): Promise<void> {
    const { request } = run;
    this.running.add(run);
    try {
      // The caller gets its ticket first, so that even an immediate failure has an addressee.
      await Promise.resolve();
      await request.check?.(run.controller.signal);
      run.controller.signal.throwIfAborted();
      const job = this.enter(run);
      this.succeed(run, job, await request.run(this.contextOf(run, job)));
    } catch (thrown) {
      this.fail(run, asFlashError(thrown));
    } finally {
      if (run.job?.running === run.controller) run.job.running = undefined;
      if (run.job && leftNoTrace(run, run.job)) this.emit('left-no-trace', run.job);
      this.startNext(request.stage);
      if (this.running.size === 0) this.emit('idle');
    }
  }

  private enter(run: Run): Job {
    const { request, tickets, controller } = run;
    const job = request.findJob();
    run.job = job;
    job.running = controller;
    this.failures.forget(job.id);
    job.enter(request.stage);
    for (const ticket of tickets) this.inJob(ticket, job);
    return job;
  }

  private succeed(run: Run, job: Job, found: Record<string, unknown>): void {
    const { stage } = run.request;
    // Over before it is reported: a message that comes of the news begins a run of its own instead of joining.
    this.running.delete(run);
    job.found(stage, found);
    job.leave(stage);
    run.throttle.close(true);
    const outcome: StageOutcome = { found, job: job.snapshot() };
    for (const ticket of run.tickets) this.deliverOutcome(ticket, outcome);
  }

  private fail(run: Run, error: FlashError): void {
    const { job, tickets, controller } = run;
    this.running.delete(run);
    run.throttle.close(false);
    // A job that another run has taken over is no longer this one's to fail.
    if (job?.running === controller && job.stage !== 'failed') {
      if (tickets[0]) this.failures.add(job, tickets[0]);
      job.fail(error.code);
    }
    for (const ticket of tickets) this.deliverOutcome(ticket, error, job);
  }

  private contextOf(run: Run, job: Job): StageContext {
    const { stage } = run.request;
    return {
      job,
      signal: run.controller.signal,
      report: (name, values = {}, { fraction = 0 } = {}) => {
        job.advance(stage, fraction);
        job.lastReport = { name, values };
        run.hasSpoken = true;
        this.emit('said', job);
        const verdict = job.evidence.verdict();
        const endsAt = waitEndOf(job);
        const report = { ...progressText(name, values), name, values, stage, percent: job.percent, endsAt };
        run.throttle.push(isFailure(verdict) ? { ...report, warning: verdict.code } : report);
      },
    };
  }

  private deliverProgress(run: Run, report: Report): void {
    const { job } = run;
    if (!job) return;
    const now = { ...report, percent: job.percent };
    // Progress is of the moment: without an instance there is nobody to tell, and the next one hears the newest.
    for (const ticket of run.tickets) this.outlets.get(ticket.nodeId)?.progress(now, () => job.snapshot(), ticket);
  }

  private deliverOutcome(ticket: PendingMessage, outcome: StageOutcome | FlashError, job?: Job): void {
    this.tickets.ended(ticket, outcome);
    if (outcome instanceof FlashError) this.emit('failed', ticket.message, outcome, job);
    this.deliver(ticket.nodeId, (outlet) => {
      this.tickets.delivered(ticket.id);
      if (outcome instanceof FlashError) outlet.failure(outcome, ticket);
      else outlet.result(outcome, ticket);
    });
  }

  private deliver(nodeId: string, news: (outlet: Outlet) => void): void {
    const outlet = this.outlets.get(nodeId);
    if (outlet) news(outlet);
    else this.undelivered.set(nodeId, [...(this.undelivered.get(nodeId) ?? []), news]);
  }

  private findRunOf(request: StageRequest): Run | undefined {
    if (request.deviceid === undefined) return undefined;
    const same = (run: Run): boolean =>
      run.request.stage === request.stage && (run.job?.deviceid ?? run.request.deviceid) === request.deviceid;
    return [...this.running].find(same) ?? this.queue.find(same);
  }

  private inJob(ticket: PendingMessage, job: Job): void {
    this.tickets.inJob(ticket, job);
    this.lastNodes.delete(job.id);
    this.lastNodes.set(job.id, ticket.nodeId);
    if (this.lastNodes.size > NODES_KEPT) this.lastNodes.delete(this.lastNodes.keys().next().value as string);
    this.emit('in-job', ticket, job);
  }

  private isBusy(stage: StageName): boolean {
    return [...this.running].some(({ request }) => request.stage === stage);
  }

  private startNext(stage: StageName): void {
    const next = this.queue.find(({ request }) => request.stage === stage);
    if (!next || this.isBusy(stage)) return;
    this.queue.splice(this.queue.indexOf(next), 1);
    this.tellQueue(next.request.nodeId);
    void this.execute(next);
  }

  private takeOut(run: Run, nodeId: string, error: FlashError): void {
    this.dropTickets(run, nodeId, error);
    if (run.tickets.length === 0 && this.queue.includes(run)) this.queue.splice(this.queue.indexOf(run), 1);
    this.tellQueue(run.request.nodeId);
  }

  private dropTickets(run: Run, nodeId: string, error: FlashError): void {
    for (const ticket of run.tickets.filter((one) => one.nodeId === nodeId)) {
      run.tickets.splice(run.tickets.indexOf(ticket), 1);
      this.deliverOutcome(ticket, error);
    }
  }

  private tellQueue(nodeId: string): void {
    this.outlets.get(nodeId)?.queued(this.queue.filter((run) => run.request.nodeId === nodeId).length);
  }
}

function leftNoTrace({ hasSpoken }: Run, { stage, deviceid, error }: Job): boolean {
  return stage === 'failed' && deviceid === undefined && (!hasSpoken || error === 'cancelled');
}
