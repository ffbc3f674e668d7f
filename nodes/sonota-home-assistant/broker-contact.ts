/** `mqtt out` silently drops messages while the broker is not reached. */

/** An unanswered knock is repeated after so long, and later less often: a broker may be reached right after a deploy. */
const QUICK_KNOCK_MS = 1000;
const KNOCK_MS = 5000;
const PATIENT_KNOCK_MS = 60_000;
const QUICK_KNOCKS = 3;
const KNOCKS = 12;

/** What it needs of the node. */
export interface Doorway {
  /** Says `online` under our own status topic. */
  knock(): void;
  /** The broker is reached again: earlier messages may be lost. */
  opened(): void;
  /** The broker gives no answer any more. */
  lost(): void;
}

/**
 * Finds out whether the broker is reached, by whether a word comes back through `mqtt in`: at a connect what the
 * broker has kept or its birth message, and else the echo of a knock.
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
   * A message under our status topic came in.
   * @param how `kept`: retained, which the broker sends only after a subscription; `birth`: the broker's own
   * message at a connect; `echo`: our own; `other`: another instance's
   */
  heard(how: 'kept' | 'birth' | 'echo' | 'other'): void {
    const isConnect = how === 'kept' || how === 'birth' || !this.isReached;
    this.unanswered = 0;
    this.isReached = true;
    if (isConnect) this.doorway.opened();
    this.later(PATIENT_KNOCK_MS);
  }

  private knock(): void {
    if (this.unanswered > 0 && this.isReached) {
      this.isReached = false;
      this.doorway.lost();
    }
    this.unanswered += 1;
    this.doorway.knock();
    this.later(pauseAfter(this.unanswered));
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.knock(), ms).unref();
  }
}

function pauseAfter(knocks: number): number {
  if (knocks <= QUICK_KNOCKS) return QUICK_KNOCK_MS;
  return knocks <= KNOCKS ? KNOCK_MS : PATIENT_KNOCK_MS;
}
