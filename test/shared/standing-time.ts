import { mock } from 'node:test';

/**
 * From here on no timer runs out that is set, until the test ends: what a test then waits for comes by an event, at once
 * or never. Call it in the test, and `timeGoesOn` in afterEach.
 */
export function timeStands(): void {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
}

/** Lets the timers run out that are due within so many ms. */
export function timePasses(ms: number): void {
  mock.timers.tick(ms);
}

export function timeGoesOn(): void {
  mock.timers.reset();
}
