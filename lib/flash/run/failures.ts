import type { Job } from '../job/job';
import type { StageName } from '../routes';
import type { Message, PendingMessage } from '../job/pending-message';

/** A message may carry whole images, so not all of them are kept. */
const KEPT_AT_MOST = 20;

/** With what a failed job entered the stage that failed, so that a person can try that again. */
export interface Failure {
  readonly nodeId: string;
  readonly stage: StageName;
  readonly message: Message;
  /** When it failed, in ms. */
  readonly at: number;
}

/** The failures of a host's newest jobs, for this process only: what a message held in secret is gone with it. */
export class Failures {
  private readonly byJob = new Map<string, Failure>();

  has(jobId: string): boolean {
    return this.byJob.has(jobId);
  }

  of(jobId: string): Failure | undefined {
    return this.byJob.get(jobId);
  }

  add({ id, lastStage: stage }: Job, { nodeId, message }: PendingMessage): void {
    this.byJob.delete(id);
    this.byJob.set(id, { nodeId, stage, message, at: Date.now() });
    if (this.byJob.size > KEPT_AT_MOST) this.byJob.delete(this.byJob.keys().next().value as string);
  }

  forget(jobId: string): void {
    this.byJob.delete(jobId);
  }
}
