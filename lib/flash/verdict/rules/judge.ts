import { explain, type ErrorCode } from '../../../errors';
import { fill, wording } from '../../../wordings/wording';
import type { Observation } from '../../observation';
import { EvidenceView } from '../evidence-view';
import { isNote, noteText, type NoteCode } from '../notes';
import { PATIENCE, type Patience } from '../patience';
import type { RuleMatch } from '../rule';
import type { Verdict } from '../verdict';
import { RULES } from '.';

const EVIDENCE_SHOWN = 6;

/**
 * Names the state of a job. The first rule that fits decides; a stage whose time is over, or that has failed, in a way
 * that no rule knows is `unexplained`.
 *
 * @param observations in the order of their times
 * @param now in ms since the epoch
 */
export function judge(observations: readonly Observation[], now: number, patience: Patience = PATIENCE): Verdict {
  const view = new EvidenceView(observations, now, patience);
  const known = firstMatch(view);
  const failure = view.end === 'failed' ? view.inStage('stage').at(-1) : undefined;
  if (failure?.event === 'failed') {
    if (known?.code === failure.code) return verdictOf(known.code, known.finding, view);
    // The stage itself knew better, such as a port that another program holds.
    const finding = { confidence: 'certain', isFinal: true, values: failure.values, evidence: [failure] } as const;
    return verdictOf(failure.code, finding, view);
  }
  if (known) return verdictOf(known.code, known.finding, view);
  if (!view.isOver || view.end === 'ended') {
    return verdictOf('on-course', { confidence: 'certain', evidence: [] }, view);
  }
  const reason = wording('time-over');
  return verdictOf('unexplained', { confidence: 'likely', values: { reason }, evidence: observations }, view);
}

function firstMatch(view: EvidenceView): { code: ErrorCode | NoteCode; finding: RuleMatch } | undefined {
  const stage = view.began?.stage;
  if (stage === undefined) return undefined;
  for (const rule of RULES) {
    const finding = rule.stages.includes(stage) ? rule.see(view) : undefined;
    if (finding) return { code: rule.code, finding };
  }
  return undefined;
}

function verdictOf(code: ErrorCode | NoteCode, finding: RuleMatch, view: EvidenceView): Verdict {
  const values = { ...view.values, ...finding.values };
  return {
    code,
    confidence: finding.confidence,
    isFinal: finding.isFinal ?? false,
    text: isNote(code) ? fill(noteText(code), values) : explain(code, values),
    values,
    evidence: finding.evidence.slice(-EVIDENCE_SHOWN),
  };
}
