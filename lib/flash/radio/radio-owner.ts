import { EventEmitter, once } from 'node:events';
import { FlashError } from '../../errors';
import type { WifiDriver } from '../../net/wifi/wifi';

/** The purposes of the radio; the more urgent comes first: a device in FinalStage hangs between two firmwares. */
export const PRIORITIES = ['finalstage', 'set-up', 'provision', 'flow'] as const;

export type RadioPurpose = (typeof PRIORITIES)[number];

interface Waiting {
  readonly purpose: RadioPurpose;
  readonly number: number;
}

/**
 * One Wi-Fi interface of this machine, which one user at a time may have: its holder is never interrupted, and
 * of those who wait FinalStage comes first.
 */
export class RadioOwner extends EventEmitter<{ free: [] }> {
  /** How many radios of hosts know it. */
  users = 0;
  /** The purpose of its present holder. */
  holder: RadioPurpose | undefined;
  /** Whether what an earlier process left behind has been looked for. */
  cleaned: Promise<void> | undefined;
  private readonly waiting: Waiting[] = [];
  private count = 0;

  constructor(readonly driver: WifiDriver) {
    super();
    this.setMaxListeners(0);
  }

  /** Resolves when it is the caller's. @throws the signal's reason */
  async acquire(purpose: RadioPurpose, signal: AbortSignal): Promise<void> {
    const turn: Waiting = { purpose, number: ++this.count };
    this.waiting.push(turn);
    try {
      while (this.holder !== undefined || this.next() !== turn) {
        if (signal.aborted) throw reasonOf(signal);
        await once(this, 'free', { signal }).catch(() => {
          throw reasonOf(signal);
        });
      }
      if (signal.aborted) throw reasonOf(signal);
      this.holder = purpose;
    } finally {
      this.waiting.splice(this.waiting.indexOf(turn), 1);
      // The others may have waited for one that has given up.
      if (this.holder === undefined) this.emit('free');
    }
  }

  release(): void {
    this.holder = undefined;
    this.emit('free');
  }

  private next(): Waiting | undefined {
    const urgency = ({ purpose }: Waiting): number => PRIORITIES.indexOf(purpose);
    return [...this.waiting].sort((a, b) => urgency(a) - urgency(b) || a.number - b.number)[0];
  }
}

function reasonOf(signal: AbortSignal): FlashError {
  return signal.reason instanceof FlashError ? signal.reason : new FlashError('cancelled');
}
