import { DownloadError } from './download';

/** The pace that the no-Range firmware can take: proven is 1 s of pause, then 1400 bytes every 300 ms. */
const FIRST_BODY_BYTES = 10;
const PAUSE_MS = 500;
const WINDOW_MS = 250;
const WINDOW_BYTES = 2 * 1460;
const PROVEN_BYTES_PER_MS = 1400 / 300;

const TICK_MS = 20;

/**
 * Refuses a reply that arrives faster than the firmware can write it (docs/dev/stock-firmware.md#4.2; SonOTA#21). Works
 * in real time. A stall of our own process, in which segments pile up through no fault of the sender, is allowed for.
 */
export class PaceGuard {
  private readonly arrivals: { at: number; bytes: number }[] = [];
  private headerAt = 0;
  private early = 0;
  private lastTick = performance.now();
  private stall = { at: -Infinity, ms: 0 };
  private readonly ticker = setInterval(() => this.tick(), TICK_MS).unref();

  /** Throws a DownloadError when too much body comes with the header. */
  headerArrived(at: number, bodyBytes: number): void {
    this.headerAt = at;
    this.early = bodyBytes;
    if (bodyBytes > FIRST_BODY_BYTES)
      throw new DownloadError(`fed too fast: ${bodyBytes} bytes of body with the header`);
  }

  /** Throws a DownloadError when these bytes come too soon after the header, or after each other. */
  bodyArrived(at: number, bytes: number): void {
    this.tick();
    const stalled = at - this.stall.at < 2 * WINDOW_MS + this.stall.ms ? this.stall.ms : 0;
    if (at + stalled - this.headerAt < PAUSE_MS) {
      this.early += bytes;
      if (this.early > FIRST_BODY_BYTES) throw new DownloadError('fed too fast: no pause after the header');
    }
    this.arrivals.push({ at, bytes });
    while (this.arrivals[0]!.at < at - WINDOW_MS) this.arrivals.shift();
    const inWindow = this.arrivals.reduce((sum, arrival) => sum + arrival.bytes, 0);
    if (inWindow > WINDOW_BYTES + stalled * PROVEN_BYTES_PER_MS) {
      throw new DownloadError(`fed too fast: ${inWindow} bytes within ${WINDOW_MS} ms`);
    }
  }

  stop(): void {
    clearInterval(this.ticker);
  }

  private tick(): void {
    const now = performance.now();
    const ms = now - this.lastTick - TICK_MS;
    if (ms > 100) this.stall = { at: now, ms };
    this.lastTick = now;
  }
}
