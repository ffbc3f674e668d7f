import type { Seen } from '../../observation';
import type { Rule } from '../rule';
import type { EvidenceView } from '../evidence-view';

const stages = ['cloud', 'upgrade'] as const;

/** Whether the peer that uses the device's name is the device. */
export const CLAIM_RULES: readonly Rule[] = [
  {
    code: 'device-contested',
    stages,
    see: (seen) => {
      const last = ofAct(seen, 'second-key').at(-1);
      // It has its image, and is past the point at which another peer can come between.
      if (!last || seen.inStage('acknowledged').some(({ error }) => error === 0)) return undefined;
      const values = { peer: last.rival ?? '?', other: last.peer };
      return { confidence: 'certain', isFinal: true, values, evidence: [last] };
    },
  },
  {
    // No firmware is known to state two keys, but that one does is no reason to hide why it is not taken.
    code: 'device-key-differs',
    stages,
    see: (seen) => {
      const last = ofAct(seen, 'other-key').at(-1);
      const own = [...seen.dispatches(), ...seen.inStage('registered'), ...seen.inStage('ready')];
      if (!last || own.some(({ at }) => at >= (seen.began?.at ?? 0))) return undefined;
      return { confidence: 'likely', values: { peer: last.peer }, evidence: [last] };
    },
  },
];

function ofAct(seen: EvidenceView, act: Seen<'stranger'>['act']): Seen<'stranger'>[] {
  return seen.inStage('stranger').filter((stranger) => stranger.act === act);
}
