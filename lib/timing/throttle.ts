/** What is made of news for people, at most four times a second (docs/dev/design.md#4). */
export const DERIVED_EVERY_MS = 250;

/** Calls `act` at most once in `intervalMs`: at once where there was none for that long, else when it is over. */
export class Throttle {
  private timer: NodeJS.Timeout | undefined;
  private isPending = false;

  constructor(
    private readonly act: () => void,
    private readonly intervalMs = DERIVED_EVERY_MS,
  ) {}

  readonly call = (): void => {
    if (this.timer) {
      this.isPending = true;
      return;
    }
    this.timer = setTimeout(() => this.open(), this.intervalMs).unref();
    this.act();
  };

  /** What waits need not be said: it was said in another way. */
  skip(): void {
    this.isPending = false;
  }

  /** Nothing that waits is said any more. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isPending = false;
  }

  /** What waits is said now, and nothing after it. */
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
