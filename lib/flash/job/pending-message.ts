import type { JobSnapshot } from './job';
import type { StageName } from '../stages';

export type Message = Record<string, unknown>;

/** One message that a node took, from its arrival to its result. */
export interface PendingMessage {
  readonly id: string;
  readonly nodeId: string;
  readonly stage: StageName;
  readonly message: Message;
}

/** How a stage ended well: what it found, and the job as it stood then. */
export interface StageOutcome {
  readonly found: Record<string, unknown>;
  readonly job: JobSnapshot;
}
