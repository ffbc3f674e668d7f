import type { JobSnapshot } from './job';
import type { TaskName } from '../stages';

export type Message = Record<string, unknown>;

/** One message that a node took, from its arrival to its result. */
export interface PendingMessage {
  readonly id: string;
  readonly nodeId: string;
  /** The task that it is held for; undefined where it ends with the instance of its node. */
  readonly stage: TaskName | undefined;
  readonly message: Message;
}

/** How a stage ended well: what it found, and the job as it stood then. */
export interface StageOutcome {
  readonly found: Record<string, unknown>;
  readonly job: JobSnapshot;
}

/** How a task without a job ended well. */
export interface TaskOutcome {
  readonly found: Record<string, unknown> | undefined;
  readonly job?: undefined;
}
