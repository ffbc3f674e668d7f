import { coachPowerCycle, refuseAfterWrongDigest } from './diy-rescue';
import type { Route } from './route';

/** The stock firmware's own DIY mode takes the final image over the LAN (docs/dev/diy-mode.md#1.9). */
export const DIY: Route = {
  name: 'diy',
  stages: [
    { stage: 'provision', percent: [0, 10] },
    { stage: 'diy', percent: [10, 60] },
    { stage: 'newfirmware', percent: [60, 100], isLast: true },
  ],
  images: { final: 'diy' },
  servesUntil: 'diy',
  whenSilent: 'diy-silent',
  rescue: { refuse: refuseAfterWrongDigest, coach: coachPowerCycle },
  // A download that failed can be restarted; a device that has its image is in another firmware.
  isPastReturn: ({ evidence }) =>
    evidence.all.some((seen) => seen.kind === 'stock-gone' || (seen.kind === 'result-reported' && seen.error === 0)),
};
