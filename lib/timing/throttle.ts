/** The least interval between reports for people (docs/dev/design.md#4). */
export const DERIVED_EVERY_MS = 250;

/** Calls `act` at most once in `intervalMs`: immediately if the last call is that long ago, else when the interval is over. */
export class Throttle {
  private timer: NodeJS.Timeout | undefined;
  private isPending = false;

  /** @param intervalMs a function is asked each time */
  constructor(
    private readonly act: () => void,
    private readonly intervalMs: number | (() => number) = DERIVED_EVERY_MS,
  ) {}

  readonly call = (): void => {
    if (this.timer) {
      this.isPending = true;
      return;
    }
    const { intervalMs } = this;
    const waitMs = typeof intervalMs === 'number' ? intervalMs : intervalMs();
    this.timer = setTimeout(() => this.open(), waitMs).unref();
    this.act();
  };

  /** Drops a pending call, which the caller has made unnecessary. */
  skip(): void {
    this.isPending = false;
  }

  /** Drops a pending call, and ends the interval. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isPending = false;
  }

  /** Makes a pending call now, and ends the interval. */
  flush(): void {
    const { isPending } = this;
    this.stop();
    if (isPending) this.act();
  }

  private open(): void {
    this.timer = undefined;
    if (!this.isPending) return;
    this.isPending = false;
    this.call();
  }
}
