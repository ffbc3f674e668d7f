export interface DeliveryMeterOptions {
  /** Of the connection's bytes, those that the peer has not acknowledged; undefined where that is unknown. */
  unacknowledged: () => number | undefined;
  stallLimitMs: number;
  /** The file's bytes from `from` up to `to` have arrived, as far as is known. */
  forward: (from: number, to: number) => void;
  /** Nothing has gone forward for stallLimitMs; said again after each further such time. */
  stalled: (at: number) => void;
  /** In ms, of a clock that is never set back. */
  now?: () => number;
}

/** How often the kernel is asked. */
export const LOOK_MS = 100;

/**
 * Its answer costs some ms where it knows thousands of connections: between two of them so many times as long is spent on
 * other things.
 */
const REST = 4;

/** How much of a file its receiver has: what the kernel took, less what it still holds for the receiver. */
export class DeliveryMeter {
  /** Whether the kernel tells what was acknowledged; if not, what it took must do. */
  readonly tells: boolean;
  readonly #timer: NodeJS.Timeout;
  #handedOver = 0;
  #position = 0;
  readonly #now: () => number;
  #lastForward: number;
  /** When the kernel is asked again at the earliest. */
  #restsUntil = 0;

  constructor(
    private readonly total: number,
    private readonly options: DeliveryMeterOptions,
  ) {
    this.#now = options.now ?? (() => performance.now());
    this.#lastForward = this.#now();
    this.tells = options.unacknowledged() !== undefined;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** The file's bytes that have arrived, as far as is known. */
  get position(): number {
    return this.#position;
  }

  /** Whether the receiver has acknowledged the last byte. */
  get delivered(): boolean {
    return this.tells && this.#position === this.total;
  }

  /** The kernel has taken the file's bytes up to `position`. */
  handedOver(position: number): void {
    this.#handedOver = position;
    // A connection may break off before the next look.
    if (position === this.total || this.#now() >= this.#restsUntil) this.#look();
  }

  #look(): void {
    // A connection that is gone tells nothing any more, and what was known stays.
    const held = this.tells ? this.#held() : 0;
    if (held === undefined) return;
    const before = this.#position;
    if (this.#handedOver - held > before) {
      this.#position = this.#handedOver - held;
      this.#lastForward = this.#now();
      this.options.forward(before, this.#position);
    } else if (before < this.total && this.#now() - this.#lastForward >= this.options.stallLimitMs) {
      this.#lastForward = this.#now();
      this.options.stalled(before);
    }
  }

  #held(): number | undefined {
    const startedAt = this.#now();
    const held = this.options.unacknowledged();
    const endedAt = this.#now();
    this.#restsUntil = endedAt + REST * (endedAt - startedAt);
    return held;
  }

  /** Must be called at the end: the meter's timer knows none. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
