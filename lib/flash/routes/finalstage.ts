import type { Route } from './route';

/** The pair holds FinalStage, which fetches the final image from 192.168.4.2:8080 (docs/dev/stock-firmware.md#5). */
export const FINALSTAGE: Route = {
  name: 'finalstage',
  stages: [
    { stage: 'provision', percent: [0, 10] },
    { stage: 'cloud', percent: [10, 20] },
    { stage: 'upgrade', percent: [20, 60] },
    { stage: 'finalstage', percent: [60, 100], isLast: true },
    // A look at a job that is done; where FinalStage was not watched, the look ends it.
    { stage: 'newfirmware', percent: [60, 100], isLast: true },
  ],
  images: { user1: 'cloud-user1', user2: 'cloud-user2', final: 'finalstage' },
  lock: 'finalstage',
  servesUntil: 'finalstage',
  resumesAt: 'finalstage',
  isPastReturn: ({ finalStage, evidence }) =>
    finalStage?.deliveries.final !== undefined ||
    evidence.all.some((seen) => seen.kind === 'finalstage-requested' && seen.image === 'final'),
};
