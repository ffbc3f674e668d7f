import { FlashError } from '../../errors';
import { pause } from '../../timing/pause';

/** Between the end of one request and the next, as the maker's documents ask (docs/dev/diy-mode.md#1.6). */
export const GAP_MS = 200;

interface Row {
  /** Settles when all that was asked so far is over. */
  over: Promise<void>;
  waiting: number;
  /** When the last one ended, by `performance.now()`. */
  endedAt: number;
}

const rows = new Map<string, Row>();

/**
 * Serializes all work of this process with one device: its server takes one connection, and resets a second.
 *
 * @param key of the device's server
 * @throws FlashError `cancelled`, before the work has started; and as `work`
 */
export async function inTurn<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const row = rows.get(key) ?? { over: Promise.resolve(), waiting: 0, endedAt: -GAP_MS };
  rows.set(key, row);
  row.waiting++;
  const before = row.over;
  const { promise: done, resolve: end } = deferred();
  row.over = before.then(() => done);
  try {
    await orCancelled(before, signal);
    await restOfGap(row, signal);
    return await work().finally(() => (row.endedAt = performance.now()));
  } finally {
    end();
    row.waiting--;
    forgetOthers(key);
  }
}

/** Waits for the rest of the gap. @throws FlashError `cancelled` */
async function restOfGap({ endedAt }: Row, signal: AbortSignal): Promise<void> {
  const ms = endedAt + GAP_MS - performance.now();
  if (ms <= 0) return;
  await pause(ms, signal).catch(() => {
    throw new FlashError('cancelled');
  });
}

async function orCancelled(before: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve: onAbort } = deferred();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (!signal.aborted) await Promise.race([before, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  if (signal.aborted) throw new FlashError('cancelled');
}

/** Drops the rows of other devices that have no waiters and whose gap is over. */
function forgetOthers(key: string): void {
  for (const [other, { waiting, endedAt }] of rows) {
    if (other !== key && waiting === 0 && performance.now() - endedAt > GAP_MS) rows.delete(other);
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}
