/** Ends a device some time after a failure that nothing has cured. Without a limit it never does. */
export class IdleShutdown {
  private timer: NodeJS.Timeout | undefined;
  private reason = '';

  constructor(
    private readonly limitMs: number | undefined,
    private readonly over: (reason: string) => void,
  ) {}

  /** The newest reason counts, the oldest uncured failure's time. */
  failed(reason: string): void {
    this.reason = reason;
    if (this.limitMs !== undefined) this.timer ??= setTimeout(() => this.over(this.reason), this.limitMs);
  }

  /** It continues, so the last failure was not the end. */
  cured(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
