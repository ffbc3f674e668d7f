export interface RateLimitOptions {
  readonly perSecond: number;
  /** How long an event that comes too early may be put off, in ms; beyond that it is refused. */
  readonly longestWaitMs?: number;
  /** In ms, of a clock that is never set back. */
  readonly now?: () => number;
}

/** So many events a second: in one burst, or one by one. */
export class RateLimit {
  /** When the next event were due if all came evenly. */
  #dueAt = -Infinity;
  readonly #intervalMs: number;
  readonly #longestWaitMs: number;
  readonly #now: () => number;

  constructor({ perSecond, longestWaitMs = 0, now = () => performance.now() }: RateLimitOptions) {
    this.#intervalMs = 1000 / perSecond;
    this.#longestWaitMs = longestWaitMs;
    this.#now = now;
  }

  /** @returns ms until the event may take place, 0 for now; undefined where it may not, and does not count */
  take(): number | undefined {
    const now = this.#now();
    // At least one, however long the interval.
    const dueAt = Math.max(this.#dueAt, now - Math.max(0, 1000 - this.#intervalMs));
    const waitMs = Math.max(0, dueAt - now);
    if (waitMs > this.#longestWaitMs) return undefined;
    this.#dueAt = dueAt + this.#intervalMs;
    return waitMs;
  }
}

/** More than a home has; of more, the peers seen longest ago start over. */
const PEERS_KEPT = 1000;

/** A rate limit for each peer. */
export class PeerRates {
  readonly #rates = new Map<string, RateLimit>();

  constructor(private readonly options: RateLimitOptions) {}

  /** See `RateLimit.take`. */
  take(peer: string): number | undefined {
    const rate = this.#rates.get(peer) ?? new RateLimit(this.options);
    this.#rates.delete(peer);
    this.#rates.set(peer, rate);
    const [oldest] = this.#rates.keys();
    if (this.#rates.size > PEERS_KEPT && oldest !== undefined) this.#rates.delete(oldest);
    return rate.take();
  }
}
