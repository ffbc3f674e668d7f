import { EventEmitter } from 'node:events';
import { inSameNetwork, isLoopback } from '../../net/addresses';
import { probeTcp } from '../../net/probe';
import { FINALSTAGE_ADDRESS, FINALSTAGE_HOST_ADDRESS } from '../../protocol/finalstage';
import type { OwnAddress } from '../verdict/observation';

const LOOK_PAUSE_MS = 500;
const PROBE_LIMIT_MS = 1000;
/** FinalStage's access point hands out addresses of a /24. */
const NETMASK = '255.255.255.0';

/**
 * Looks again and again whether FinalStage is there (design, rule 6): whether this machine has an address in its
 * network, and whether a TCP connect to it is answered. Emits `looked` after every look.
 *
 * A rehearsal has FinalStage on loopback, where everything refuses at once: there only an accepted connect counts.
 */
export class FinalStagePresence extends EventEmitter {
  /** This machine's addresses, as they were at the last look. */
  addresses: readonly OwnAddress[] = [];
  /** This machine's address in FinalStage's network. */
  ownAddress: string | undefined;
  isAnswered = false;
  /** When it was last there, in ms since the epoch. */
  lastThere = Date.now();
  /** Looks that were finished since it was last there. */
  looksSince = 0;

  private timer: NodeJS.Timeout | undefined;
  private readonly controller = new AbortController();
  private readonly host: string;
  private readonly port: number;
  private readonly isRehearsal: boolean;

  /** @param url FinalStage's own address, `http://192.168.4.1` */
  constructor(
    url: string,
    private readonly ownAddresses: () => readonly OwnAddress[],
    /** Where this machine has joined by itself, its address stays until it leaves, and tells nothing. */
    private readonly isJoinedByItself: () => boolean = () => false,
  ) {
    super();
    const { hostname, port } = new URL(url);
    this.host = hostname;
    this.port = Number(port) || 80;
    this.isRehearsal = isLoopback(hostname);
  }

  start(): void {
    void this.lookForEver();
  }

  stop(): void {
    this.controller.abort();
    clearTimeout(this.timer);
  }

  /** This machine's address where it is not the one that FinalStage dials. */
  get wrongAddress(): string | undefined {
    return this.ownAddress !== FINALSTAGE_HOST_ADDRESS ? this.ownAddress : undefined;
  }

  /** FinalStage was heard of in another way (it dialled us). */
  touch(): void {
    this.lastThere = Date.now();
    this.looksSince = 0;
  }

  private async lookForEver(): Promise<void> {
    const { signal } = this.controller;
    while (!signal.aborted) {
      this.addresses = this.ownAddresses();
      this.ownAddress = this.addressInItsNetwork();
      const answer = await probeTcp(this.host, this.port, { signal, limitMs: PROBE_LIMIT_MS }).catch(() => 'silent');
      if (signal.aborted) return;
      this.isAnswered = answer === 'accepted' || (answer === 'refused' && !this.isRehearsal);
      const isInside = this.ownAddress !== undefined && !this.isJoinedByItself();
      if (this.isAnswered || isInside) this.touch();
      else this.looksSince += 1;
      this.emit('looked');
      await new Promise<void>((resolve) => {
        this.timer = setTimeout(resolve, LOOK_PAUSE_MS);
      });
    }
  }

  private addressInItsNetwork(): string | undefined {
    const network = this.isRehearsal ? FINALSTAGE_ADDRESS : this.host;
    const near = this.addresses
      .map(({ address }) => address)
      .filter((address) => inSameNetwork(address, network, NETMASK));
    return near.find((address) => address === FINALSTAGE_HOST_ADDRESS) ?? near[0];
  }
}
