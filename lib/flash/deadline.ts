/** Why a stage's wait ended when its time limit did it; the stage turns it into the code that says what was missing. */
export const TIME_LIMIT = Symbol('time limit');

/** How often an expired limit looks again while bytes still flow. */
const RECHECK_MS = 1000;

export interface Deadline {
  /** Aborts with reason TIME_LIMIT when the time is over. */
  readonly signal: AbortSignal;
  /** Ends the timer; must be called when the wait is over. */
  dispose(): void;
}

/**
 * A time limit of `seconds` from now on. While `isBusy()` says that bytes still flow, an expired limit holds back:
 * a transfer on the wire is never ended by it (design, "Properties").
 */
export function startDeadline(seconds: number, isBusy: () => boolean = () => false): Deadline {
  const controller = new AbortController();
  let timer = setTimeout(expire, seconds * 1000);
  function expire(): void {
    if (isBusy()) timer = setTimeout(expire, RECHECK_MS);
    else controller.abort(TIME_LIMIT);
  }
  return { signal: controller.signal, dispose: () => clearTimeout(timer) };
}
