import { mock } from 'node:test';

/**
 * From here on no timer that is set runs out, until the test ends: what a test then waits for comes by an event,
 * or never. Call it in the test, and `timeGoesOn` in afterEach.
 */
export function timeStands(): void {
  const real = { clearTimeout, clearInterval };
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  // Timers set before are real, and are cleared as usual.
  const standing = { clearTimeout, clearInterval };
  globalThis.clearTimeout = (timer) => {
    real.clearTimeout(timer);
    standing.clearTimeout(timer);
  };
  globalThis.clearInterval = (timer) => {
    real.clearInterval(timer);
    standing.clearInterval(timer);
  };
}

/** Lets the timers run out that are due within so many ms. */
export function timePasses(ms: number): void {
  mock.timers.tick(ms);
}

export function timeGoesOn(): void {
  mock.timers.reset();
}
