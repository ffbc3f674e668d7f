import type { Route } from './route';

/**
 * The image that the device downloads carries the final one, and puts it in place at its first start
 * (docs/dev/esp8266-images.md#5).
 */
export const ONE_HOP: Route = {
  name: 'one-hop',
  stages: [
    { stage: 'provision', percent: [0, 10] },
    { stage: 'cloud', percent: [10, 20] },
    { stage: 'upgrade', percent: [20, 60] },
    { stage: 'newfirmware', percent: [60, 100], isLast: true },
  ],
  images: { user1: 'cloud-user1', user2: 'cloud-user2', final: 'one-hop' },
  isPacked: true,
  servesUntil: 'upgrade',
  darkAfter: 'upgrade',
  whenSilent: 'one-hop-silent',
  isPastReturn: (job) => job.hasLeft('upgrade'),
};
