/** Calls `act` at most once in `intervalMs`: at once where there was none for that long, else when it is over. */
export class Throttle {
  private timer: NodeJS.Timeout | undefined;
  private isPending = false;

  constructor(
    private readonly act: () => void,
    private readonly intervalMs = 250,
  ) {}

  readonly call = (): void => {
    if (this.timer) {
      this.isPending = true;
      return;
    }
    this.timer = setTimeout(() => this.open(), this.intervalMs).unref();
    this.act();
  };

  /** Nothing that waits is said any more. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isPending = false;
  }

  private open(): void {
    this.timer = undefined;
    if (!this.isPending) return;
    this.isPending = false;
    this.call();
  }
}
