import type { ErrorCode } from '../../errors';
import type { ProgressTextName, ProgressValues } from '../../progress-texts';
import type { TaskName } from '../stages';

/** What a stage or a task says of itself while it runs; nodes turn it into a status and a progress message. */
export interface Report {
  /** What its messages are held for. */
  readonly stage: TaskName | undefined;
  /** Which announcement it is and what fills it, for a translation of `label`, `text` and `details`. */
  readonly name: ProgressTextName;
  readonly values: ProgressValues;
  readonly state: 'waiting' | 'working';
  readonly label: string;
  readonly text: string;
  /** What does not fit into `text`. */
  readonly details?: string;
  /** The job's percent, 0-100; the task's own where it has no job. */
  readonly percent: number;
  /** When its stage gives up waiting; undefined where it does not wait. */
  readonly endsAt?: Date | undefined;
  /** Something is wrong already, though the stage still goes on. */
  readonly warning?: ErrorCode;
}
