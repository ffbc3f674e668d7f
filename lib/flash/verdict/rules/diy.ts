import { PIECE_BYTES } from '../../../client/range-fetch';
import { routeNamed } from '../../routes';
import type { Rule } from '../rule';
import type { EvidenceView } from '../evidence-view';
import { wording } from '../../../wordings/wording';

const stages = ['diy'] as const;

/** A download that restarts this often will not end. */
const RESTARTS_FOR_SUSPICION = 3;

/** The signs that a device left its stock firmware, by what became of its announcement. */
const SIGNS = {
  unknown: 'sign-port-closed',
  gone: 'sign-port-and-announcement',
  there: 'sign-port-alone',
} as const;

/** From the search for a device in DIY mode to the sign that it has its image. What it refuses, the stage itself knows. */
export const DIY_RULES: readonly Rule[] = [
  // By what it is known that the device has its image, the strongest first (docs/dev/diy-mode.md#1.14).
  {
    code: 'device-reported',
    stages,
    see: (seen) => {
      const report = seen.inStage('result-reported').findLast(({ error }) => error === 0);
      return seen.end === 'ended' && report ? { confidence: 'certain', evidence: [report] } : undefined;
    },
  },
  {
    code: 'device-left',
    stages,
    see: (seen) => {
      const gone = seen.inStage('stock-gone').at(-1);
      if (seen.end !== 'ended' || !gone) return undefined;
      const signs = wording(SIGNS[gone.announcement ?? 'unknown']);
      return { confidence: 'likely', values: { signs }, evidence: [gone] };
    },
  },
  {
    // Tasmota may be running with settings that are not its own, which a person can mend (docs/dev/diy-mode.md#1.4).
    code: 'diy-silent',
    stages: ['newfirmware'],
    see: (seen) => {
      const looks = seen.inStage('new-firmware-looked');
      if (!seen.isOver || routeNamed(seen.began?.intermediate)?.whenSilent !== 'diy-silent') return undefined;
      if (
        looks.some(({ looks: places }) => places.some(({ result }) => result !== 'silent' && result !== 'not-joined'))
      )
        return undefined;
      return { confidence: 'likely', evidence: looks.length > 0 ? looks : seen.inStage('stage') };
    },
  },
  {
    code: 'download-restarts',
    stages,
    see: (seen) => {
      const beginnings = seen.inStage('image-requested').filter(({ first }) => first === 0);
      if (beginnings.length < RESTARTS_FOR_SUSPICION) return undefined;
      return { confidence: 'likely', values: { times: beginnings.length }, evidence: beginnings };
    },
  },
  {
    // It has the command, or may have it, and does not come for its image: the port is closed to it.
    code: 'download-blocked',
    stages,
    see: (seen) => {
      const sent = seen.inStage('command').findLast(({ command }) => command === 'ota_flash');
      if (!sent || seen.inStage('image-requested').length > 0) return undefined;
      if (!seen.isLate(sent.at, seen.patience.noRequestMs)) return undefined;
      return { confidence: 'likely', evidence: [sent] };
    },
  },
  {
    code: 'diy-verdict-missing',
    stages,
    see: (seen) => {
      const requests = seen.inStage('image-requested');
      const last = requests.find(({ first = 0, size }) => first + PIECE_BYTES >= size);
      return seen.isOver && last ? { confidence: 'likely', evidence: [last] } : undefined;
    },
  },
  {
    code: 'diy-download-broken',
    stages,
    see: (seen) => {
      const last = seen.inStage('image-requested').at(-1);
      if (!seen.isOver || !last) return undefined;
      return { confidence: 'likely', values: { sent: last.first ?? 0, size: last.size }, evidence: [last] };
    },
  },
  {
    // No request was made, as far as is known.
    code: 'diy-not-found',
    stages,
    see: (seen) => {
      if (!seen.isOver || wasFound(seen)) return undefined;
      return { confidence: 'likely', evidence: seen.inStage('stage') };
    },
  },
];

function wasFound(seen: EvidenceView): boolean {
  return seen.inStage('device-info').length > 0;
}
