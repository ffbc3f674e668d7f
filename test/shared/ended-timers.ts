import { mock } from 'node:test';

/**
 * From here on what waits for exactly so long is called as soon as that is set; everything else keeps its time.
 *
 * @returns ends that
 */
export function endTimers(ms: number): () => void {
  const { setTimeout: real } = globalThis;
  const timers = mock.method(globalThis, 'setTimeout', (act: () => void, after?: number) =>
    real(act, after === ms ? 1 : after),
  );
  return () => timers.mock.restore();
}
