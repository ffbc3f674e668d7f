import { EventEmitter } from 'node:events';
import { localIPv4, type LocalAddress } from './addresses';

/** How often the addresses are read. No portable event reports a change. */
export const ADDRESS_POLL_MS = 1000;

/** Watches this machine's IPv4 addresses; emits `changed` with all of them when one came or went. */
export class AddressWatch extends EventEmitter<{ changed: [addresses: readonly LocalAddress[]] }> {
  #timer: NodeJS.Timeout | undefined;
  #seen = '';

  constructor(
    private readonly look: () => readonly LocalAddress[] = localIPv4,
    private readonly pollMs = ADDRESS_POLL_MS,
  ) {
    super();
  }

  /** Starts to watch; the present addresses are no change. The timer keeps no process alive. */
  start(): void {
    if (this.#timer) return;
    this.#seen = JSON.stringify(this.look());
    this.#timer = setInterval(() => this.#compare(), this.pollMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #compare(): void {
    const addresses = this.look();
    const now = JSON.stringify(addresses);
    if (now === this.#seen) return;
    this.#seen = now;
    this.emit('changed', addresses);
  }
}
