import type { ErrorCode } from '../errors';
import type { StageName } from './stages';

/** What a stage says of itself while it runs; nodes turn it into a status and a progress message. */
export interface Report {
  readonly stage: StageName;
  readonly state: 'waiting' | 'working';
  readonly label: string;
  readonly text: string;
  /** The job's percent, 0-100. */
  readonly percent: number;
  /** Something is wrong already, though the stage still goes on. */
  readonly warning?: ErrorCode;
}
