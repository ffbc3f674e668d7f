/** What is to be done for a message: the stage of a flash, or a task that is part of none. */

import type { ProgressTextName, ProgressValues } from '../../progress-texts';
import type { Job } from '../job/job';
import type { Message } from '../job/pending-message';
import type { StageName, TaskName } from '../stages';

/** What a task is given: a signal that ends it, and a place to report to. */
export interface TaskContext {
  readonly signal: AbortSignal;
  /**
   * Announces where the task is; what the evidence of its job says against it goes with it as a warning.
   * @param fraction how much of the task is behind us, 0 to 1; less than before is ignored
   */
  report(this: void, name: ProgressTextName, values?: ProgressValues, more?: { fraction?: number }): void;
}

/** What a stage is given besides. */
export interface StageContext extends TaskContext {
  readonly job: Job;
}

interface Request {
  readonly nodeId: string;
  readonly message: Message;
  /** The device that is meant, where that is known. */
  readonly deviceid: string | undefined;
  /** Requests of one line are served one after another, whatever their nodes. */
  readonly line?: string | undefined;
  /** Set where the message was pending already: since an earlier run of the process, or an earlier instance of its node. */
  readonly pendingId?: string | undefined;
  /** What must hold before it begins: a message that fails here leaves no job behind. Called when its turn has come. */
  check?(signal: AbortSignal): Promise<void>;
}

/** A stage of a flash. It outlives the instance of its node; messages for the same device join in it. */
export interface StageRequest extends Request {
  readonly stage: StageName;
  /** Finds the job; called when the stage begins, not while it is queued. */
  findJob(): Job;
  /** The stage itself; resolves with what it found. */
  run(context: StageContext): Promise<Record<string, unknown>>;
}

/** A task without a job. It ends with the instance of its node. */
export interface TaskRequest extends Request {
  /** What the message stays pending for, until an instance of its node has come to the end of it; undefined = it does not. */
  readonly stage?: Exclude<TaskName, StageName> | undefined;
  /** A secret that came with the message; it is held in memory alone. */
  readonly password?: string | undefined;
  readonly findJob?: undefined;
  /** The task itself; resolves with what it found, if anything. */
  run(context: TaskContext): Promise<Record<string, unknown> | undefined>;
}
