import type { ErrorCode } from '../../../errors';
import type { Rule } from '../rule';
import type { EvidenceView } from '../evidence-view';

const stages = ['provision', 'finalstage'] as const;

/** Why this machine is not in the device's network, where it joins automatically. */
const CODES = [
  'wifi-uplink',
  'wifi-unavailable',
  'wifi-not-permitted',
  'wifi-interface-missing',
  'wifi-interface-unusable',
  'wifi-not-found',
  'wifi-password-wrong',
  'wifi-no-address',
  'wifi-lost',
  'wifi-timeout',
  'wifi-join-failed',
  'wifi-failed',
  'wifi-service-away',
  'wifi-supervisor-failed',
  'wifi-supervisor-timeout',
  'finalstage-foreign',
] as const satisfies readonly ErrorCode[];

/** The end of the newest attempt; a success cancels the older ones. */
export const WIFI_RULES: readonly Rule[] = CODES.map((code) => ({
  code,
  stages,
  see: (seen) => {
    const last = seen.inStage('wifi').findLast(({ event }) => event !== 'joining' && event !== 'left');
    if (last?.event !== 'failed' && last?.event !== 'lost') return undefined;
    if (last.code !== code || hasComeByHand(seen, last.at)) return undefined;
    return { confidence: 'certain', values: last.values, evidence: [last] };
  },
}));

/** The device has been reached since, in whichever way: then what became of our own attempt tells nothing. */
function hasComeByHand(seen: EvidenceView, since: number): boolean {
  const isLater = ({ at }: { at: number }): boolean => at > since;
  const answered = seen.inStage('ap-looked').filter(({ result }) => result === 'answered');
  return answered.some(isLater) || seen.inStage('finalstage-requested').length > 0;
}
