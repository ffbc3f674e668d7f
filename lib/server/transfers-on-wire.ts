import type { Socket } from 'node:net';
import type { OtaClass } from '../protocol/ota-request';

/** Transfers under way, by class and together. */
export type TransferCounts = Readonly<Record<OtaClass | 'total', number>>;

export interface TransferOnWire {
  /** Nothing has gone forward for a long time: its device may be gone, or be back on another connection. */
  stalled: boolean;
  /** It is over; further calls do nothing. */
  remove(): void;
}

/** Which transfers are under way, so that nobody closes the server under a device that has erased its flash. */
export class TransfersOnWire {
  readonly #transfers = new Set<TransferOnWire & { otaClass: OtaClass; peer: string; socket: Socket }>();

  /** @param idle told when the last transfer of a class is over */
  constructor(private readonly idle: (otaClass: OtaClass) => void) {}

  get counts(): TransferCounts {
    const counts = { range: 0, 'no-range': 0, finalstage: 0, total: this.#transfers.size };
    for (const { otaClass } of this.#transfers) counts[otaClass] += 1;
    return counts;
  }

  /** A device that asks again has given up what stalled before: that connection is dropped. */
  add(otaClass: OtaClass, peer: string, socket: Socket): TransferOnWire {
    for (const other of this.#transfers) {
      if (other.stalled && other.otaClass === otaClass && other.peer === peer) other.socket.destroy();
    }
    const remove = (): void => {
      if (this.#transfers.delete(transfer) && this.counts[otaClass] === 0) this.idle(otaClass);
    };
    const transfer = { otaClass, peer, socket, stalled: false, remove };
    this.#transfers.add(transfer);
    return transfer;
  }
}
