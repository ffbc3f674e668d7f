import { EventEmitter } from 'node:events';
import { FINALSTAGE_ADDRESS } from '../../protocol/finalstage';
import { waitFor } from '../../timing/wait';

/** How far one image got on its way to FinalStage, in its newest try. */
export interface Delivery {
  readonly size: number;
  sent: number;
  readonly tries: number;
  /**
   * - `stalled`: the connection stands, but nothing goes forward
   * - `acknowledged`: the device has the last byte, but vanished without closing the connection
   * - `delivered`: it has the last byte and closed the connection itself
   * - `interrupted`: it was on the wire when the process ended. What was kept of it is older than what the system still
   *   sent, so the device may have all of it
   */
  state: 'flowing' | 'stalled' | 'broken' | 'acknowledged' | 'delivered' | 'interrupted';
}

/** Receives the progress of one delivery attempt; an attempt that a newer one has overtaken changes nothing any more. */
export interface DeliveryTry {
  readonly isOvertaken: boolean;
  sent(upTo: number): void;
  stalled(): void;
  ended(how: 'broken' | 'acknowledged' | 'delivered'): void;
}

export type FinalStageImage = 'user2' | 'final';

/** A session as it is stored on disk. Times in ISO 8601. */
export interface FinalStageSessionRecord {
  readonly since: string;
  readonly peer: string;
  readonly deliveries: Partial<Record<FinalStageImage, Delivery>>;
}

/**
 * What one job's device has done in FinalStage so far: the servers write here, the stage reads.
 * Emits `changed` whenever there is news, `checkpoint` when it is of the kind that a restart must know, and `dialled` at
 * every sign of life.
 */
export class FinalStageSession extends EventEmitter<{ changed: []; checkpoint: []; dialled: [] }> {
  /** FinalStage's own address: whose requests are this session's. */
  peer = FINALSTAGE_ADDRESS;
  readonly deliveries: Partial<Record<FinalStageImage, Delivery>> = {};
  lastDialled: Date | undefined;
  /** This machine has joined the FinalStage of this very device: a client that asks there is the device. */
  isJoined = false;
  /** When the bare connections started that no request has followed since. */
  dialsWithoutRequestSince: Date | undefined;
  private lastByte = 0;

  constructor(readonly since = new Date()) {
    super();
  }

  dialled(now = new Date()): void {
    this.lastDialled = now;
    this.dialsWithoutRequestSince ??= now;
    this.news('dialled');
  }

  requested(image: FinalStageImage, size: number): DeliveryTry {
    this.dialsWithoutRequestSince = undefined;
    const tries = (this.deliveries[image]?.tries ?? 0) + 1;
    const delivery: Delivery = { size, sent: 0, tries, state: 'flowing' };
    this.deliveries[image] = delivery;
    this.lastByte = Date.now();
    this.news('dialled', 'checkpoint');
    const isOvertaken = (): boolean => this.deliveries[image] !== delivery;
    const unlessOvertaken = (act: () => void): void => {
      if (!isOvertaken()) act();
    };
    return {
      get isOvertaken() {
        return isOvertaken();
      },
      sent: (upTo) =>
        unlessOvertaken(() => {
          this.lastByte = Date.now();
          Object.assign(delivery, { sent: upTo, state: 'flowing' });
          if (upTo === size) this.news('checkpoint');
          else this.news();
        }),
      stalled: () =>
        unlessOvertaken(() => {
          delivery.state = 'stalled';
          this.news('checkpoint');
        }),
      ended: (how) =>
        unlessOvertaken(() => {
          delivery.state = how;
          this.news('dialled', 'checkpoint');
        }),
    };
  }

  /** Whether a transfer is on the wire and moved within the last `withinMs`: the time in which nothing may interrupt. */
  isFlowing(withinMs: number): boolean {
    const isOpen = Object.values(this.deliveries).some((delivery) => delivery.state === 'flowing');
    return isOpen && Date.now() - this.lastByte < withinMs;
  }

  /** Whether the device has the final image to the last byte, however it took its leave. */
  get hasWholeFinal(): boolean {
    const { final } = this.deliveries;
    return final !== undefined && isOver(final);
  }

  /** Whether only the device can tell how much of the final image it has. */
  get isFinalInterrupted(): boolean {
    return this.deliveries.final?.state === 'interrupted';
  }

  /** Whether the final image went out to the last byte within the last `withinMs`. */
  isJustDelivered(withinMs: number): boolean {
    return this.deliveries.final?.state === 'delivered' && Date.now() - this.lastByte < withinMs;
  }

  /** Resolves when no transfer is on the wire; one that has not moved for `withinMs` is not waited for. */
  async whenQuiet(withinMs: number): Promise<void> {
    await waitFor(this, ['changed'], () => !this.isFlowing(withinMs) || undefined, {
      signal: new AbortController().signal,
      everyMs: 1000,
    });
  }

  record(): FinalStageSessionRecord {
    return { since: this.since.toISOString(), peer: this.peer, deliveries: structuredClone(this.deliveries) };
  }

  static restore({ since, peer, deliveries }: FinalStageSessionRecord): FinalStageSession {
    const session = new FinalStageSession(new Date(since));
    session.peer = peer;
    for (const [image, delivery] of Object.entries(deliveries) as [FinalStageImage, Delivery][]) {
      const wasOnWire = delivery.state === 'flowing' || delivery.state === 'stalled';
      session.deliveries[image] = wasOnWire ? { ...delivery, state: 'interrupted' } : delivery;
    }
    return session;
  }

  /** Its facts for later reports. */
  summary(): Record<string, unknown> {
    const { user2, final } = this.deliveries;
    return { image: 'final', size: final?.size, tries: final?.tries, cycles: user2 ? 2 : 1 };
  }

  private news(...more: ('dialled' | 'checkpoint')[]): void {
    for (const event of [...more, 'changed'] as const) this.emit(event);
  }
}

function isOver({ state }: Delivery): boolean {
  return state === 'delivered' || state === 'acknowledged';
}
