import type { ErrorCode, ErrorValues } from '../../errors';
import { isNote, type NoteCode } from './notes';
import type { Observation } from '../observation';
import type { Confidence } from './rule';

/** The state of a job, judged from what was seen of it. */
export interface Verdict {
  readonly code: ErrorCode | NoteCode;
  readonly confidence: Confidence;
  /** It ends the stage before its time limit. */
  readonly isFinal: boolean;
  /** One sentence for a note; for trouble what happened and what to do. */
  readonly text: string;
  readonly values: ErrorValues;
  /** A few observations that show it. */
  readonly evidence: readonly Observation[];
}

/** A verdict that something is wrong. */
export type FailureVerdict = Verdict & { readonly code: ErrorCode };

export function isFailure(verdict: Verdict): verdict is FailureVerdict {
  return !isNote(verdict.code);
}
