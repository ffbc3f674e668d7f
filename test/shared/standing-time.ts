import { mock } from 'node:test';

type Clock = 'setTimeout' | 'setInterval' | 'Date';

const Tracker = mock.constructor as new () => typeof mock;
let timers: typeof mock.timers | undefined;

/**
 * From here on no timer that is set runs out, until the test ends: what a test then waits for comes by an event,
 * or never. Call it in the test, and `timeGoesOn` in afterEach.
 *
 * @param apis what stands still
 * @param now the time that a `Date` shows, in ms
 */
export function timeStands(apis: Clock[] = ['setTimeout', 'setInterval'], now?: number): void {
  const real = { clearTimeout, clearInterval };
  // Timers of its own for each test: one of Node.js's that is cleared after a reset spoils them for the next test.
  ({ timers } = new Tracker());
  timers.enable({ apis, ...(now === undefined ? {} : { now }) });
  // Timers set before are real, and are cleared as usual.
  const standing = { clearTimeout, clearInterval };
  if (apis.includes('setTimeout')) {
    globalThis.clearTimeout = (timer) => {
      real.clearTimeout(timer);
      standing.clearTimeout(timer);
    };
  }
  if (apis.includes('setInterval')) {
    globalThis.clearInterval = (timer) => {
      real.clearInterval(timer);
      standing.clearInterval(timer);
    };
  }
}

/** Lets the timers run out that are due within so many ms. */
export function timePasses(ms: number): void {
  timers?.tick(ms);
}

/** Call it whether or not time stands. */
export function timeGoesOn(): void {
  timers?.reset();
  timers = undefined;
}
