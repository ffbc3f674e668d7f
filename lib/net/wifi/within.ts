import { FlashError } from '../../errors';

interface Limits {
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

/**
 * Gives `work` a signal that aborts with the outer one or when the time is over, and waits until it has ended: for
 * what must not be left half done.
 *
 * @throws what `work` throws; where it was aborted `whenOver()` or the reason of the outer signal
 */
export async function limited<T>(
  { signal, limitMs }: Limits,
  whenOver: () => FlashError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(whenOver()), limitMs);
  const both = AbortSignal.any([signal, over.signal]);
  try {
    if (both.aborted) throw reasonOf(both);
    return await work(both);
  } catch (error) {
    // A wait inside may have ended with an abort error of its own making.
    throw both.aborted ? reasonOf(both) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** The same, but settles by then whatever `work` does: for what can be left alone. */
export function within<T>(
  limits: Limits,
  whenOver: () => FlashError,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return limited(limits, whenOver, (signal) => orAborted(work(signal), signal));
}

/** The outcome of `work`, or the signal's reason where that aborts first. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(reasonOf(signal));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    stop = () => signal.removeEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop();
  }
}

/** Why a signal aborted, as our own error. */
export function reasonOf(signal: AbortSignal): FlashError {
  return signal.reason instanceof FlashError ? signal.reason : new FlashError('cancelled');
}

/** Waits; ends immediately when the signal aborts. @throws the signal's reason */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(reasonOf(signal));
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
