import type { OtaRequest } from '../protocol/ota-request';

/** How one transfer ended. */
export interface TransferOutcome {
  /**
   * Every byte that was asked for is where it should be. For FinalStage that means acknowledged by the device (on
   * other systems than Linux: sent, and the connection closed by the device in good order); for the other classes,
   * whose device gives a verdict of its own, it means handed to the network.
   */
  complete: boolean;
  /** How far it got: position in the file, counted as in `sent`. */
  bytes: number;
  /** FinalStage only: whether the device closed the connection, and not we. */
  closedByDevice?: boolean;
  /** Why it is not complete, in words. */
  error?: string;
}

/** Receives the events of one request's transfer. Called in this order: request, any number of sent and stalled, ended. */
export interface TransferObserver {
  /** Before the first byte; the answer to FinalStage, which may cost it its firmware, waits for what this returns. */
  request?(request: OtaRequest, peer: string): Promise<void> | void;
  /**
   * The file's bytes from `from` up to but without `to` are out; in order, without gaps within one transfer. "Out" is
   * the best this machine can tell: for FinalStage on Linux acknowledged by the device, else handed to the network.
   */
  sent(from: number, to: number): void;
  /**
   * FinalStage only: nothing has gone forward for STALL_LIMIT_MS. The connection is kept, because the device waits
   * without a limit of its own and may come back; called once more after each further such time.
   */
  stalled?(bytes: number): void;
  /** Exactly once, when nothing more will happen on this transfer. */
  ended(outcome: TransferOutcome): void;
}

/** How a file goes out to firmware that cannot take it fast (docs/dev/stock-firmware.md#4.2). */
interface Pace {
  /** Bytes of the file that go out with the header, at most. */
  headerBodyBytes: number;
  /** The pause after them, in ms. */
  pauseMs: number;
  /** Bytes of each further packet, at most. */
  packetBytes: number;
  /** From one packet to the next, in ms. */
  intervalMs: number;
}

/** The one pace that is proven to work; why it must be so slow is unknown (docs/dev/stock-firmware.md#4.2). */
export const PROVEN_PACE: Pace = { headerBodyBytes: 10, pauseMs: 1000, packetBytes: 1400, intervalMs: 300 };

/** A request that is answered with an image. */
export interface ImageGrant {
  bytes: Buffer;
  observer: TransferObserver;
}

/** A request that is not. */
export interface ImageRefusal {
  status: 403 | 404;
  /** Goes over the wire as text. */
  reason: string;
}

/** Headers that are the same in every answer with bytes of an image. */
export const IMAGE_HEADERS = { 'Content-Type': 'application/octet-stream' } as const;
