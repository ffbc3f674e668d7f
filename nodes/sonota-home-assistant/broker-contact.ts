/** `mqtt out` drops what it is given while the broker is not reached, and does not say so. */

/** An unanswered knock is repeated after so long, and later less often. */
const KNOCK_MS = 5000;
const PATIENT_KNOCK_MS = 60_000;
const QUICK_KNOCKS = 12;

/** What it needs of the node. */
export interface Doorway {
  /** Says `online` under our own status topic. */
  knock(): void;
  /** The broker is reached anew: what was said before may be lost. */
  opened(): void;
  /** The broker gives no answer any more. */
  lost(): void;
}

/**
 * Finds out whether the broker is reached, by whether our own word comes back through `mqtt in`: at a connect as the
 * birth message or as what the broker has kept, and else as the echo of a knock.
 */
export class BrokerContact {
  private timer: NodeJS.Timeout | undefined;
  private unanswered = 0;
  private isReached = false;

  constructor(private readonly doorway: Doorway) {}

  start(): void {
    this.knock();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /**
   * Our status topic was heard.
   * @param isKept whether the broker had kept it, which it says only to who has just subscribed
   */
  heard(isKept: boolean): void {
    const isEcho = this.isReached && !isKept && this.unanswered > 0;
    this.unanswered = 0;
    this.isReached = true;
    if (!isEcho) this.doorway.opened();
    this.later(PATIENT_KNOCK_MS);
  }

  private knock(): void {
    if (this.unanswered > 0 && this.isReached) {
      this.isReached = false;
      this.doorway.lost();
    }
    this.unanswered += 1;
    this.doorway.knock();
    this.later(this.unanswered <= QUICK_KNOCKS ? KNOCK_MS : PATIENT_KNOCK_MS);
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.knock(), ms).unref();
  }
}
