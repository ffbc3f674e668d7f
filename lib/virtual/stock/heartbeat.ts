/** Before the server says otherwise, the firmware pings in this class of interval (docs/dev/stock-firmware.md#3.3). */
const FIRST_SECONDS = 7;
/** 0 to this many seconds are added at random. */
const SPREAD_SECONDS = 7;

/** The session's pings. Two without a pong mean that the server is gone. */
export class HeartbeatTimer {
  private timer: NodeJS.Timeout | undefined;
  private seconds = FIRST_SECONDS;
  private unanswered = 0;
  private held = false;

  constructor(
    private readonly unitMs: number,
    private readonly ping: () => void,
    private readonly lost: () => void,
  ) {}

  start(): void {
    this.arm();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Pings every `seconds`, plus the random spread, from now on. */
  every(seconds: number): void {
    this.seconds = seconds;
    this.arm();
  }

  answered(): void {
    this.unanswered = 0;
  }

  /** No pings while the firmware's send queue is locked by an upgrade. */
  hold(): void {
    this.held = true;
  }

  release(): void {
    this.held = false;
    this.unanswered = 0;
  }

  private arm(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.beat(), (this.seconds + Math.random() * SPREAD_SECONDS) * this.unitMs);
  }

  private beat(): void {
    if (!this.held) {
      if (this.unanswered >= 2) return this.lost();
      this.unanswered++;
      this.ping();
    }
    this.arm();
  }
}
