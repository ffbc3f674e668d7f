import { certainFailure, doubts } from '../../lib/preflight/certain';
import type { FlashingNode } from '../shared/flashing-node';
import type { SaidReport } from '../../lib/preflight/preflight';

/** The outcome of a press on the node's button. */
export type PressAnswer =
  | { readonly state: 'started' | 'waiting' }
  /** `doubtful`: nothing was started, but a person may start it all the same. */
  | { readonly state: 'refused' | 'doubtful'; readonly report: SaidReport };

/** The node `sonota-flash` as its admin routes see it. */
export interface FlashNode extends FlashingNode {
  afterFlash: NonNullable<FlashingNode['afterFlash']>;
  /**
   * Checks what can be checked, and starts a flash where nothing speaks against it.
   * @param isConfirmed whether a person has seen what speaks against it
   * @throws FlashError what in the forms cannot be read; `not-possible` where the node has gone meanwhile; `cancelled`
   */
  press(isConfirmed: boolean, signal: AbortSignal): Promise<PressAnswer>;
  /** Ends the wait for a device that an earlier press began; flashes whose device has its set-up go on. */
  cancelWait(): void;
}

/** @param isConfirmed whether doubts are ignored */
export function answerOf(report: SaidReport, isConfirmed: boolean): PressAnswer {
  if (certainFailure(report)) return { state: 'refused', report };
  if (isConfirmed || doubts(report).length === 0) return { state: 'started' };
  return { state: 'doubtful', report };
}
