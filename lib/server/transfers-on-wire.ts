import type { Socket } from 'node:net';
import type { OtaClass } from '../protocol/ota-request';

/** Transfers under way, by class and together. */
export type TransferCounts = Readonly<Record<OtaClass | 'total', number>>;

export interface TransferOnWire {
  /** Nothing has gone forward for a long time: its device may be gone, or be back on another connection. */
  stalled(): void;
  /** It is over; further calls do nothing. */
  remove(): void;
}

interface Stalled {
  readonly otaClass: OtaClass;
  readonly peer: string;
  readonly socket: Socket;
}

/**
 * The transfers under way, so that the server is not closed under a device that has erased its flash. Each range is
 * one: they are counted, and only those that stall are looked through.
 */
export class TransfersOnWire {
  readonly #counts: Record<OtaClass | 'total', number> = { range: 0, 'no-range': 0, finalstage: 0, total: 0 };
  readonly #stalled = new Set<Stalled>();

  /** @param idle called when the last transfer of a class is over */
  constructor(private readonly idle: (otaClass: OtaClass) => void) {}

  get counts(): TransferCounts {
    return { ...this.#counts };
  }

  /** A device that asks again has given up what stalled before: that connection is dropped. */
  add(otaClass: OtaClass, peer: string, socket: Socket): TransferOnWire {
    for (const other of this.#stalled) {
      if (other.otaClass === otaClass && other.peer === peer) other.socket.destroy();
    }
    const transfer = { otaClass, peer, socket };
    let isOver = false;
    this.#count(otaClass, 1);
    return {
      stalled: () => {
        if (!isOver) this.#stalled.add(transfer);
      },
      remove: () => {
        if (isOver) return;
        isOver = true;
        this.#stalled.delete(transfer);
        this.#count(otaClass, -1);
        if (this.#counts[otaClass] === 0) this.idle(otaClass);
      },
    };
  }

  #count(otaClass: OtaClass, change: 1 | -1): void {
    this.#counts[otaClass] += change;
    this.#counts.total += change;
  }
}
