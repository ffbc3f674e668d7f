import { mock } from 'node:test';

/** The longest timer that there is; ms. */
const NEVER_MS = 2 ** 31 - 1;
/** What is longer is a limit or a pause for people, and does not run out; ms. */
const SHORT_MS = 1000;

/**
 * From here on what waits for exactly so long is called as soon as that is set; no other limit runs out.
 *
 * @returns ends that
 */
export function endTimers(ms: number): () => void {
  const { setTimeout: real } = globalThis;
  const timers = mock.method(globalThis, 'setTimeout', (act: () => void, after = 0) => {
    if (after === ms) return real(act, 1);
    return after > SHORT_MS ? real(act, NEVER_MS).unref() : real(act, after);
  });
  return () => timers.mock.restore();
}
