/** An emitter of these events, whatever it hands to their listeners. */
interface Emits<E extends string> {
  readonly on: (event: E, listener: () => void) => unknown;
  readonly off: (event: E, listener: () => void) => unknown;
}

/**
 * Waits until `look()` returns something other than undefined; looks immediately, then after each of the emitter's
 * `events` and, where `everyMs` is given, at that interval too.
 *
 * @throws the signal's reason when it aborts first, or whatever `look` throws
 */
export function waitFor<T, E extends string = never>(
  emitter: Emits<NoInfer<E>>,
  events: readonly E[],
  look: () => T | undefined,
  options: { signal: AbortSignal; everyMs?: number },
): Promise<T> {
  const { signal, everyMs } = options;
  return new Promise<T>((resolve, reject) => {
    let interval: NodeJS.Timeout | undefined;
    const stop = (): void => {
      clearInterval(interval);
      signal.removeEventListener('abort', onAbort);
      for (const event of events) emitter.off(event, check);
    };
    const onAbort = (): void => {
      stop();
      reject(signal.reason as Error);
    };
    const check = (): void => {
      try {
        const seen = look();
        if (seen === undefined) return;
        stop();
        resolve(seen);
      } catch (error) {
        stop();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    for (const event of events) emitter.on(event, check);
    if (everyMs !== undefined) interval = setInterval(check, everyMs);
    check();
  });
}
