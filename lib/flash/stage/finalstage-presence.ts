import { EventEmitter } from 'node:events';
import { readWebPage } from '../../client/web-page';
import { inSameNetwork, isLoopback } from '../../net/addresses';
import { probeTcp } from '../../net/probe';
import { DEVICE_NETMASK } from '../../protocol/device-networks';
import { FINALSTAGE_ADDRESS, FINALSTAGE_HOST_ADDRESS } from '../../protocol/finalstage';
import { ESPHOME_API_PORT } from '../../protocol/new-firmware';
import type { OwnAddress } from '../observation';

export const LOOK_PAUSE_MS = 500;
export const PROBE_LIMIT_MS = 1000;
export const PAGE_LIMIT_MS = 2000;

export interface PresenceOptions {
  readonly ownAddresses: () => readonly OwnAddress[];
  /** If this machine has joined automatically, its address stays until it leaves, and shows nothing. */
  readonly isJoinedByItself?: () => boolean;
  /** Whether something else may have come in its place; before that a device at work is asked for nothing. */
  readonly mayBeReplaced?: () => boolean;
  /** While this machine sets another device's new firmware up, in a network of the same numbers, nothing is seen of it. */
  readonly isElsewhere?: () => boolean;
}

/**
 * Looks again and again whether FinalStage is there (docs/dev/design.md#3.6): whether this machine has an address in
 * its network, and whether a TCP connect to it is answered. New firmware makes a network of the same numbers, and
 * answers at the same address: it is recognised by what FinalStage never serves, a web page or ESPHome's protocol. Emits
 * `looked` after every look.
 *
 * A rehearsal has FinalStage on loopback, where everything refuses immediately: there only an accepted connect counts.
 */
export class FinalStagePresence extends EventEmitter<{ looked: [] }> {
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
    private readonly url: string,
    private readonly options: PresenceOptions,
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

  /** FinalStage was noticed in another way (it dialled us). */
  touch(): void {
    this.lastThere = Date.now();
    this.looksSince = 0;
  }

  private async lookForEver(): Promise<void> {
    const { signal } = this.controller;
    while (!signal.aborted) {
      await this.look();
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        this.timer = setTimeout(resolve, LOOK_PAUSE_MS);
      });
    }
  }

  private async look(): Promise<void> {
    const { signal } = this.controller;
    const { ownAddresses, isJoinedByItself, mayBeReplaced, isElsewhere } = this.options;
    const addresses = ownAddresses();
    const answer = await probeTcp(this.host, this.port, { signal, limitMs: PROBE_LIMIT_MS }).catch(() => 'silent');
    const isSomebody = answer === 'accepted' || (answer === 'refused' && !this.isRehearsal);
    const isOther = isSomebody && mayBeReplaced?.() === true && (await this.isNewFirmware());
    if (signal.aborted || isElsewhere?.()) return;
    this.addresses = addresses;
    this.isAnswered = isSomebody && !isOther;
    this.ownAddress = isOther ? undefined : this.addressInItsNetwork();
    const isInside = this.ownAddress !== undefined && isJoinedByItself?.() !== true;
    if (this.isAnswered || isInside) this.touch();
    else this.looksSince += 1;
    this.emit('looked');
  }

  private async isNewFirmware(): Promise<boolean> {
    const { signal } = this.controller;
    const page = await readWebPage(new URL('/', this.url), { signal, limitMs: PAGE_LIMIT_MS });
    if (typeof page !== 'string') return true;
    if (this.isRehearsal) return false;
    const api = probeTcp(this.host, ESPHOME_API_PORT, { signal, limitMs: PROBE_LIMIT_MS });
    return (await api.catch(() => 'silent')) === 'accepted';
  }

  private addressInItsNetwork(): string | undefined {
    const network = this.isRehearsal ? FINALSTAGE_ADDRESS : this.host;
    const near = this.addresses
      .map(({ address }) => address)
      .filter((address) => inSameNetwork(address, network, DEVICE_NETMASK));
    return near.find((address) => address === FINALSTAGE_HOST_ADDRESS) ?? near[0];
  }
}
