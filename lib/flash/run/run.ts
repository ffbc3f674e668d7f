import { progressText, type ProgressTextName, type ProgressValues } from '../../progress-texts';
import type { Job } from '../job/job';
import type { PendingMessage, StageOutcome, TaskOutcome } from '../job/pending-message';
import { isFailure } from '../verdict/verdict';
import type { Report } from './report';
import { ReportThrottle } from './report-throttle';
import type { StageContext, StageRequest, TaskRequest } from './task';
import { countdownEndOf } from './wait-end';

/** The listener to a run that is at work. */
export interface RunListener {
  /** The stage of its job has begun. */
  entered(job: Job): void;
  /** It has said where its job is; not thinned. */
  reported(job: Job): void;
  /** Thinned, for nodes. */
  progress(report: Report): void;
}

/** What is done for a request, for all messages that have joined in it. */
export class Run {
  readonly pending: PendingMessage[];
  readonly controller = new AbortController();
  /** The job whose stage it is, once that has begun. */
  job: Job | undefined;
  private readonly throttle: ReportThrottle;
  private hasReported = false;
  private percent = 0;

  constructor(
    readonly request: StageRequest | TaskRequest,
    first: PendingMessage,
    private readonly listener: RunListener,
  ) {
    this.pending = [first];
    this.throttle = new ReportThrottle((report) => listener.progress(report));
  }

  /** Whether it is for this device; any where none is named. */
  isFor(deviceid: string | undefined): boolean {
    return deviceid === undefined || (this.job?.deviceid ?? this.request.deviceid) === deviceid;
  }

  /** Whether a message of this node is in it. */
  isOf(nodeId: string): boolean {
    return this.pending.some((one) => one.nodeId === nodeId);
  }

  /** Takes the messages of a node out. @returns them */
  dropOf(nodeId: string): PendingMessage[] {
    const dropped = this.pending.filter((one) => one.nodeId === nodeId);
    for (const one of dropped) this.pending.splice(this.pending.indexOf(one), 1);
    return dropped;
  }

  /** Does it. @returns what it found @throws what it failed with; the signal's reason */
  async work(): Promise<Record<string, unknown> | undefined> {
    const { request } = this;
    const { signal } = this.controller;
    const report: StageContext['report'] = (...announced) => this.report(...announced);
    await request.check?.(signal);
    signal.throwIfAborted();
    if (!request.findJob) return await request.run({ signal, report });
    const job = request.findJob();
    this.job = job;
    job.running = this.controller;
    job.enter(request.stage);
    this.listener.entered(job);
    return await request.run({ job, signal, report });
  }

  /** It has ended well. */
  succeed(found: Record<string, unknown> | undefined): StageOutcome | TaskOutcome {
    const { job, request } = this;
    if (!job || !request.findJob || !found) {
      this.throttle.close(false);
      return { found };
    }
    job.found(request.stage, found);
    job.leave(request.stage);
    // Its last report is sent once more, with the percent of the whole stage.
    this.throttle.close(true);
    return { found, job: job.snapshot() };
  }

  /** It has ended badly. @returns the job that failed with it; not one that another run has taken over */
  fail(): Job | undefined {
    this.throttle.close(false);
    const { job, controller } = this;
    return job?.running === controller && job.stage !== 'failed' ? job : undefined;
  }

  /** Nothing of it is at work any more. */
  release(): void {
    if (this.job?.running === this.controller) this.job.running = undefined;
  }

  /** Whether it ended before its job reached any device: by a cancel, or before it had anything to wait for. */
  get leftNoTrace(): boolean {
    const { job, hasReported } = this;
    return job?.stage === 'failed' && job.deviceid === undefined && (!hasReported || job.error === 'cancelled');
  }

  /** Says its newest report once more, for a listener that came later. */
  repeatReport(): void {
    this.throttle.repeatLast();
  }

  private report(name: ProgressTextName, values: ProgressValues = {}, { fraction = 0 } = {}): void {
    const { job, request } = this;
    this.hasReported = true;
    this.percent = Math.max(this.percent, Math.floor(fraction * 100));
    const report = { ...progressText(name, values), name, values, stage: request.stage, percent: this.percent };
    if (!job || !request.findJob) return this.throttle.push(report);
    job.advance(request.stage, fraction);
    job.lastReport = { name, values };
    this.listener.reported(job);
    const verdict = job.evidence.verdict();
    const ofJob = { ...report, percent: job.percent, endsAt: countdownEndOf(job) };
    this.throttle.push(isFailure(verdict) ? { ...ofJob, warning: verdict.code } : ofJob);
  }
}
