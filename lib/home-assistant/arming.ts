/** Which devices a person allows Home Assistant to flash. In memory only: after a restart no device is armed. */

/** An offer that was left open ends after so long. */
export const ARMED_MS = 60 * 60_000;

export interface Clock {
  /** In ms. */
  now(): number;
  /** @returns cancels the call */
  after(ms: number, call: () => void): () => void;
}

/**
 * One switch a device, and one that arms every device, those to come included. What was armed for all may be taken back
 * for one device, by its own switch or by its installation, until all are armed again.
 */
export class Arming {
  private allUntil = 0;
  private readonly until = new Map<string, number>();
  private readonly exceptions = new Set<string>();
  private cancelTimer: () => void = () => undefined;

  /** @param onExpiry called when an offer has ended because of its age */
  constructor(
    private readonly clock: Clock,
    private readonly onExpiry: () => void,
  ) {}

  get isForAll(): boolean {
    return this.allUntil > this.clock.now();
  }

  isArmed(deviceid: string): boolean {
    if ((this.until.get(deviceid) ?? 0) > this.clock.now()) return true;
    return this.isForAll && !this.exceptions.has(deviceid);
  }

  arm(deviceid: string): void {
    this.exceptions.delete(deviceid);
    this.until.set(deviceid, this.clock.now() + ARMED_MS);
    this.watch();
  }

  disarm(deviceid: string): void {
    this.until.delete(deviceid);
    if (this.isForAll) this.exceptions.add(deviceid);
    this.watch();
  }

  armAll(): void {
    this.exceptions.clear();
    this.allUntil = this.clock.now() + ARMED_MS;
    this.watch();
  }

  /** Ends every offer. */
  disarmAll(): void {
    this.allUntil = 0;
    this.until.clear();
    this.exceptions.clear();
    this.watch();
  }

  /** An installation uses the arming up. @returns whether the device was armed */
  consume(deviceid: string): boolean {
    const wasArmed = this.isArmed(deviceid);
    this.disarm(deviceid);
    return wasArmed;
  }

  stop(): void {
    this.cancelTimer();
  }

  private watch(): void {
    this.cancelTimer();
    const now = this.clock.now();
    const ends = [this.allUntil, ...this.until.values()].filter((end) => end > now);
    if (ends.length === 0) return;
    this.cancelTimer = this.clock.after(Math.min(...ends) - now, () => {
      this.onExpiry();
      this.watch();
    });
  }
}
