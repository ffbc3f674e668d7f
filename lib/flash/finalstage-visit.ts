import { EventEmitter } from 'node:events';
import { FINALSTAGE_ADDRESS } from '../protocol/finalstage';
import { waitFor } from './wait';

/** How far one image got on its way to FinalStage. */
export interface Delivery {
  readonly size: number;
  /** The furthest byte handed to the network in any try. */
  sent: number;
  tries: number;
  /**
   * `stalled`: the connection stands, but nothing goes forward; `delivered`: the device has acknowledged the last byte
   * and closed the connection itself.
   */
  state: 'flowing' | 'stalled' | 'broken' | 'delivered';
}

export type FinalStageImage = 'user2' | 'final';

/** It as it is kept on disk. Times in ISO 8601. */
export interface FinalStageVisitRecord {
  readonly since: string;
  readonly peer: string;
  readonly deliveries: Partial<Record<FinalStageImage, Delivery>>;
}

/**
 * What one job's device has done in FinalStage so far: the servers write here, the stage reads.
 * Emits `changed` whenever there is news, `turn` when it is of the kind that a restart must know, and `dialled` at
 * every sign of life.
 */
export class FinalStageVisit extends EventEmitter {
  /** FinalStage's own address: whose requests are this visit's. */
  peer = FINALSTAGE_ADDRESS;
  readonly deliveries: Partial<Record<FinalStageImage, Delivery>> = {};
  lastDialled: Date | undefined;
  /** When the bare connections began that no request has followed since. */
  dialsWithoutRequestSince: Date | undefined;
  private lastByte = 0;

  constructor(readonly since = new Date()) {
    super();
  }

  dialled(now = new Date()): void {
    this.lastDialled = now;
    this.dialsWithoutRequestSince ??= now;
    this.emit('dialled');
    this.emit('changed');
  }

  requested(image: FinalStageImage, size: number): void {
    this.dialsWithoutRequestSince = undefined;
    const before = this.deliveries[image];
    const tries = (before?.tries ?? 0) + 1;
    this.deliveries[image] = { size, sent: before?.sent ?? 0, tries, state: 'flowing' };
    this.lastByte = Date.now();
    this.emit('turn');
    this.emit('dialled');
    this.emit('changed');
  }

  sent(image: FinalStageImage, upTo: number): void {
    const delivery = this.deliveries[image];
    if (!delivery) return;
    this.lastByte = Date.now();
    delivery.sent = Math.max(delivery.sent, upTo);
    delivery.state = 'flowing';
    this.emit('changed');
  }

  stalled(image: FinalStageImage): void {
    const delivery = this.deliveries[image];
    if (!delivery) return;
    delivery.state = 'stalled';
    this.emit('turn');
    this.emit('changed');
  }

  ended(image: FinalStageImage, isDelivered: boolean): void {
    const delivery = this.deliveries[image];
    if (!delivery) return;
    delivery.state = isDelivered ? 'delivered' : 'broken';
    this.emit('turn');
    this.emit('dialled');
    this.emit('changed');
  }

  /** Whether a transfer is on the wire and moved within the last `withinMs`: the time in which nothing may interrupt. */
  isFlowing(withinMs: number): boolean {
    const isOpen = Object.values(this.deliveries).some((delivery) => delivery.state === 'flowing');
    return isOpen && Date.now() - this.lastByte < withinMs;
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

  record(): FinalStageVisitRecord {
    return { since: this.since.toISOString(), peer: this.peer, deliveries: structuredClone(this.deliveries) };
  }

  /** A transfer that was on the wire when the process ended was cut off with it. */
  static restore({ since, peer, deliveries }: FinalStageVisitRecord): FinalStageVisit {
    const visit = new FinalStageVisit(new Date(since));
    visit.peer = peer;
    for (const [image, delivery] of Object.entries(deliveries) as [FinalStageImage, Delivery][]) {
      visit.deliveries[image] = { ...delivery, state: delivery.state === 'delivered' ? 'delivered' : 'broken' };
    }
    return visit;
  }

  /** What there is to tell of it afterwards. */
  summary(): Record<string, unknown> {
    const { user2, final } = this.deliveries;
    return { image: 'final', size: final?.size, tries: final?.tries, cycles: user2 ? 2 : 1 };
  }
}
