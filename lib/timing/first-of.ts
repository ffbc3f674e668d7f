/**
 * Runs several works concurrently and settles as the first of them does; the signal of the others is aborted then.
 *
 * @throws what the first one that settles throws
 */
export async function firstOf<T>(
  outer: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<T>)[],
): Promise<T> {
  const controller = new AbortController();
  const signal = AbortSignal.any([outer, controller.signal]);
  try {
    return await Promise.race(works.map((work) => work(signal)));
  } finally {
    controller.abort();
  }
}
