import { EventEmitter } from 'node:events';
import { readWebPage } from '../../client/web-page';
import { isLoopback } from '../../net/addresses';
import { probeTcp } from '../../net/probe';
import { isInNetwork, NEW_FIRMWARE_NETWORK } from '../../protocol/device-networks';
import {
  ESPHOME_API_PORT,
  macOfTasmota,
  NEW_FIRMWARE_AP_ADDRESS,
  recogniseNewFirmware,
  TASMOTA_STATUS_PATH,
  type NewFirmware,
} from '../../protocol/new-firmware';
import type { NewFirmwareSighting, OwnAddress } from '../observation';
import type { Job } from '../job/job';

export const LOOK_PAUSE_MS = 1000;
export const LOOK_LIMIT_MS = 3000;

/** One address at which the new firmware may show itself. */
export interface NewFirmwareAddress {
  /** `http://…`, without a path. */
  readonly url: string;
  /** The device's own access point: nothing is asked there from outside of its network. */
  readonly isAccessPoint: boolean;
}

/** The first is the one that a person can do something for. */
export type Places = readonly [NewFirmwareAddress, ...NewFirmwareAddress[]];

/** An answer at a place, before it is known whether it is the device's. */
export interface NewFirmwareAnswer extends NewFirmware {
  readonly place: NewFirmwareAddress;
  /** It has named the MAC address of the device. */
  readonly isProven: boolean;
}

/** The new firmware, where it was found. */
export interface FoundFirmware extends NewFirmware {
  readonly url: string;
  readonly mac?: string;
}

/**
 * Where to look: at the address that a person has given, else in an access point of its own, and on the home network at
 * the address that the stock firmware had, which a router mostly gives to the same MAC again.
 */
export function placesOf({ facts }: Job, given: string | undefined): Places {
  if (given !== undefined) return [{ url: given, isAccessPoint: isInAccessPoint(new URL(given).hostname) }];
  const { ip } = facts;
  const accessPoint = { url: `http://${NEW_FIRMWARE_AP_ADDRESS}`, isAccessPoint: true };
  if (ip === undefined || isLoopback(ip)) return [accessPoint];
  const home = { url: `http://${ip}`, isAccessPoint: false };
  // Where the home network has the numbers of the access point, what answers there is the router.
  return isInAccessPoint(ip) ? [home] : [accessPoint, home];
}

/**
 * Whether an answer is the device's own without further proof: unknown firmware may be any server's page,
 * and in an access point only the MAC address identifies the device.
 */
export function isOwnFirmware({ isProven, place, kind }: NewFirmwareAnswer): boolean {
  return isProven || (!place.isAccessPoint && kind !== 'other');
}

/**
 * Looks again and again whether the new firmware shows itself. Emits `looked` after every look.
 */
export class NewFirmwarePresence extends EventEmitter<{ looked: [] }> {
  found: FoundFirmware | undefined;
  sightings: readonly NewFirmwareSighting[] = [];
  /** This machine's addresses, as they were at the last look. */
  addresses: readonly OwnAddress[] = [];
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param mac of the device, where it is known: another one's page is not taken for its own
   * @param linkMac of the device as the home network shows it: it rules nothing out, but a page that names it is the device's
   * @param mayBeOurs whether an answer is taken for the device's; asked at every look, of whatever names no other MAC
   */
  constructor(
    readonly places: Places,
    private readonly options: {
      readonly mac: string | undefined;
      readonly linkMac?: string | undefined;
      readonly ownAddresses: () => readonly OwnAddress[];
      readonly mayBeOurs: (answer: NewFirmwareAnswer) => boolean;
    },
  ) {
    super();
  }

  /** Whether this machine is in the network of an access point that new firmware makes. */
  get isJoined(): boolean {
    return this.addresses.some(({ address }) => isInAccessPoint(address));
  }

  start(): void {
    void this.lookForEver();
  }

  stop(): void {
    this.controller.abort();
    clearTimeout(this.timer);
  }

  private async lookForEver(): Promise<void> {
    const { signal } = this.controller;
    while (!signal.aborted && !this.found) {
      this.addresses = this.options.ownAddresses();
      const looks = await Promise.all(this.places.map((place) => this.lookAt(place)));
      if (signal.aborted) return;
      this.sightings = looks.map(({ sighting }) => sighting);
      this.found = looks.find(({ found }) => found)?.found;
      this.emit('looked');
      await new Promise<void>((resolve) => {
        this.timer = setTimeout(resolve, LOOK_PAUSE_MS);
      });
    }
  }

  private async lookAt(place: NewFirmwareAddress): Promise<{ sighting: NewFirmwareSighting; found?: FoundFirmware }> {
    const { url, isAccessPoint } = place;
    if (isAccessPoint && !this.isJoined) return { sighting: { url, result: 'not-joined' } };
    const request = { signal: this.controller.signal, limitMs: LOOK_LIMIT_MS };
    const page = await readWebPage(new URL('/', url), request);
    if (typeof page === 'string') {
      const isEsphome = page === 'refused' && (await this.speaksEsphome(url));
      return isEsphome ? this.judge(place, { kind: 'esphome' }, undefined) : { sighting: { url, result: page } };
    }
    const firmware = recogniseNewFirmware(page);
    return this.judge(place, firmware, firmware.kind === 'tasmota' ? await this.macAt(url) : undefined);
  }

  private judge(
    place: NewFirmwareAddress,
    firmware: NewFirmware,
    mac: string | undefined,
  ): { sighting: NewFirmwareSighting; found?: FoundFirmware } {
    const { url } = place;
    const { kind, version } = firmware;
    const names = { firmware: kind, ...(version === undefined ? {} : { version }) };
    const [own, onLink] = [this.options.mac?.toUpperCase(), this.options.linkMac?.toUpperCase()];
    const isOther = mac !== undefined && own !== undefined && mac !== own;
    const isProven = mac !== undefined && (mac === own || mac === onLink);
    if (isOther || !this.options.mayBeOurs({ ...firmware, place, isProven })) {
      return { sighting: { url, result: 'stranger', ...names } };
    }
    const found = { ...firmware, url, ...(mac === undefined ? {} : { mac }) };
    const proof = isProven ? 'mac' : place.isAccessPoint ? 'own-network' : 'place';
    return { sighting: { url, result: 'page', ...names, proof }, found };
  }

  private async speaksEsphome(url: string): Promise<boolean> {
    const { signal } = this.controller;
    const { hostname } = new URL(url);
    const probe = probeTcp(hostname, ESPHOME_API_PORT, { signal, limitMs: LOOK_LIMIT_MS });
    return (await probe.catch(() => 'silent')) === 'accepted';
  }

  private async macAt(url: string): Promise<string | undefined> {
    const request = { signal: this.controller.signal, limitMs: LOOK_LIMIT_MS };
    const answer = await readWebPage(new URL(TASMOTA_STATUS_PATH, url), request);
    return typeof answer === 'string' ? undefined : macOfTasmota(answer.body);
  }
}

function isInAccessPoint(address: string): boolean {
  return isInNetwork(address, NEW_FIRMWARE_NETWORK);
}
