import type { Clock } from '../../lib/home-assistant';

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};
