import { setTimeout as delay } from 'node:timers/promises';

/** Waits `ms`; rejects with the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms <= 0) return;
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Waits until the signal is aborted, and rejects with its reason: a device that hangs. */
export async function hang(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw signal.reason;
}

/** Runs `work` with a signal of its own that ends with the outer one, or after `ms` with `reason`. */
export async function withLimit<T>(
  ms: number,
  reason: Error,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(reason), ms);
  const forward = (): void => limit.abort(signal.reason);
  signal.addEventListener('abort', forward, { once: true });
  try {
    return await work(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}
