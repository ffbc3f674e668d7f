import { routeNamed } from '../../routes';
import type { NoteCode } from '../notes';
import type { NewFirmwareSighting, Observation, ObservationKind, PageProof, Seen } from '../../observation';
import type { Confidence, Rule } from '../rule';
import type { EvidenceView } from '../evidence-view';
import { wording, type Wording } from '../../../wordings/wording';

const stages = ['newfirmware'] as const;

/** From the restart into the new firmware until that shows itself. */
export const NEW_FIRMWARE_RULES: readonly Rule[] = [
  {
    // Only stock firmware dials a cloud, or refuses its upgrade: what was to put the final image into its place handed
    // back (docs/dev/esp8266-images.md#5.2), or has never been started.
    code: 'back-to-stock',
    stages,
    see: (seen) => {
      // The device that took its image has nothing to say to a cloud, unless that image gave up.
      const last = seen.dispatches(sinceUpgrade(seen, 'dispatched')).at(-1);
      if (last) return { confidence: 'certain', isFinal: true, values: { deviceid: last.deviceid }, evidence: [last] };
      const refusal = sinceUpgrade(seen, 'acknowledged').findLast(({ error }) => error !== 0);
      return refusal && { confidence: 'certain', isFinal: true, evidence: [refusal] };
    },
  },
  // By what it is known that the new firmware runs, the strongest first.
  shown('firmware-same-mac', 'mac', 'certain'),
  shown('firmware-own-network', 'own-network', 'likely'),
  shown('firmware-page', 'place', 'likely'),
  {
    // The relocator waits for a power cycle, or sector 0 is lost; the new firmware may also have another address (issue 11).
    code: 'one-hop-silent',
    stages,
    see: (seen) => {
      const last = seen.inStage('new-firmware-looked').at(-1);
      if (!seen.isOver || routeNamed(seen.began?.intermediate)?.whenSilent !== 'one-hop-silent') return undefined;
      if (last && !last.looks.every(({ result }) => result === 'silent')) return undefined;
      return { confidence: 'likely', evidence: last ? [last] : seen.inStage('stage') };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 16.
    code: 'new-firmware-silent',
    stages,
    see: (seen) => {
      const looks = seen.inStage('new-firmware-looked');
      if (!seen.isOver || looks.some(({ looks: places }) => places.some(({ result }) => result === 'page'))) return;
      const places = looks.flatMap((one) => one.looks);
      const evidence: Observation[] = looks.length > 0 ? looks : seen.inStage('stage');
      return { confidence: 'likely', values: { reason: reasonOf(places) }, evidence };
    },
  },
];

/** The stage has ended with a page that is known for the device's by this. */
function shown(code: NoteCode, by: PageProof, confidence: Confidence): Rule {
  return {
    code,
    stages,
    see: (seen) => {
      const last = seen.inStage('new-firmware-looked').at(-1);
      if (seen.end !== 'ended' || !last?.looks.some(({ proof }) => proof === by)) return undefined;
      return { confidence, evidence: [last] };
    },
  };
}

function sinceUpgrade<K extends ObservationKind>(seen: EvidenceView, kind: K): Seen<K>[] {
  const upgraded = seen.ever('stage').findLast(({ stage, event }) => stage === 'upgrade' && event === 'ended');
  return upgraded ? seen.after(upgraded, kind) : seen.inStage(kind);
}

/** The most telling of what was seen. */
function reasonOf(places: readonly NewFirmwareSighting[]): Wording {
  const saw = (wanted: NewFirmwareSighting['result']): boolean => places.some(({ result }) => result === wanted);
  if (saw('stranger')) return wording('another-device-there');
  if (saw('refused')) return wording('no-page-there');
  if (saw('not-joined') && !saw('silent')) return wording('never-in-its-network');
  return wording(saw('not-joined') ? 'not-at-home' : 'nothing-there');
}
