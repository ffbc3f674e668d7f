import type { ErrorCode, ErrorValues } from '../../errors';
import type { StageName } from '../stages';
import type { NoteCode } from './notes';
import type { Observation } from '../observation';
import type { EvidenceView } from './evidence-view';

export type Confidence = 'certain' | 'likely';

/** The match of a rule. */
export interface RuleMatch {
  readonly confidence: Confidence;
  /** The observations that show it; a few. */
  readonly evidence: readonly Observation[];
  /** For the code's sentences, beside those that every verdict has. */
  readonly values?: ErrorValues;
  /** Nothing that may still come can change it: the stage need not wait for its time limit. */
  readonly isFinal?: boolean;
}

/** One diagnosis. */
export interface Rule {
  readonly code: ErrorCode | NoteCode;
  readonly stages: readonly StageName[];
  see(view: EvidenceView): RuleMatch | undefined;
}
