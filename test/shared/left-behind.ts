import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';

/**
 * Does some work, and sees that it leaves no listener on the signal that it was given and no timer that keeps the
 * process alive, whether it comes to an end well or badly.
 */
export async function assertLeavesNothing(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const { signal } = new AbortController();
  const before = timers();
  await work(signal).catch(() => undefined);
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'listeners on the signal');
  assert.equal(timers(), before, 'timers');
}

/** How many timers keep the process alive. */
export function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}
