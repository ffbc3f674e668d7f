import { FlashError } from '../errors';

/** How often an expired limit looks again while bytes still flow. */
const RECHECK_MS = 1000;

export interface TimeLimit {
  readonly seconds: number;
  /** While it says true, an expired limit holds back: a transfer on the wire is never ended by it. */
  isBusy?(this: void): boolean;
  /** The error for the end of the time. */
  whenOver(this: void): FlashError;
}

/** Why the wait of `withinLimit` was ended; never leaves it. Where `outer` is aborted with it, the time is over as well. */
export class TimeIsOver extends Error {}

/**
 * Runs `work` with a signal that aborts with `outer` or when the time is over, counted from now
 * (docs/dev/design.md#2.1).
 *
 * @throws what `work` throws; a wait that was merely aborted becomes the limit's own error, or the reason of `outer`
 */
export async function withinLimit<T>(
  outer: AbortSignal,
  limit: TimeLimit,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer = setTimeout(expire, limit.seconds * 1000);
  function expire(): void {
    if (limit.isBusy?.()) timer = setTimeout(expire, RECHECK_MS);
    else controller.abort(new TimeIsOver());
  }
  const signal = AbortSignal.any([outer, controller.signal]);
  try {
    return await work(signal);
  } catch (error) {
    if (!signal.aborted || error instanceof FlashError) throw error;
    throw signal.reason instanceof TimeIsOver ? limit.whenOver() : signal.reason;
  } finally {
    clearTimeout(timer);
  }
}
