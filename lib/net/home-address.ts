import { EventEmitter } from 'node:events';
import { inSameNetwork, localIPv4, routedAddress, type LocalAddress } from './addresses';
import { isContainerInterface } from './container';

/** Networks in which this machine is only a guest of one device, or of nobody; the home network is none of them. */
const NEVER_HOME = [
  { network: '10.10.7.0', netmask: '255.255.255.0' }, // the device's own access point (protocol notes 1.1)
  { network: '192.168.4.0', netmask: '255.255.255.0' }, // FinalStage (protocol notes 5)
  { network: '169.254.0.0', netmask: '255.255.0.0' }, // no DHCP server answered
  { network: '127.0.0.0', netmask: '255.0.0.0' },
];

export interface AddressesSeen {
  /** Every address of this machine. */
  addresses: readonly LocalAddress[];
  /** The one on the default route's interface, where there is such a route. */
  routed: string | undefined;
  /** What was chosen before, where something was. */
  remembered: string | undefined;
}

/** Whether devices on the home network could ever dial this address. */
export function canBeHome(address: string): boolean {
  return !NEVER_HOME.some(({ network, netmask }) => inSameNetwork(address, network, netmask));
}

/**
 * The IPv4 that devices dial on the home network. It stays what it was while the only Wi-Fi is in a device's access
 * point: the device will look for us where we are at home, not where we are now.
 */
export function chooseHomeAddress({ addresses, routed, remembered }: AddressesSeen): string | undefined {
  const candidates = addresses.filter(({ address }) => canBeHome(address));
  if (routed !== undefined && candidates.some(({ address }) => address === routed)) return routed;
  if (remembered !== undefined) return remembered;
  const outside = candidates.filter(({ name }) => !isContainerInterface(name));
  return outside.length === 1 ? outside[0]?.address : undefined;
}

export interface HomeAddressOptions {
  /** What an earlier run of this machine remembered. */
  remembered?: string;
  addresses?: () => readonly LocalAddress[];
  routed?: () => Promise<string | undefined>;
}

/** This machine's address on the home network, found and remembered. Emits `changed` with the new one. */
export class HomeAddress extends EventEmitter<{ changed: [address: string] }> {
  #current: string | undefined;
  readonly #addresses: () => readonly LocalAddress[];
  readonly #routed: () => Promise<string | undefined>;
  #looks = 0;

  constructor({ remembered, addresses = localIPv4, routed = routedAddress }: HomeAddressOptions = {}) {
    super();
    this.#current = remembered !== undefined && canBeHome(remembered) ? remembered : undefined;
    this.#addresses = addresses;
    this.#routed = routed;
  }

  /** The address, or undefined as long as none was ever known. */
  get current(): string | undefined {
    return this.#current;
  }

  /** Looks again; call it at the start and whenever the machine's addresses changed. Resolves to the address. */
  async update(): Promise<string | undefined> {
    const look = ++this.#looks;
    const routed = await this.#routed();
    // A newer look has seen newer routes; this one must not overwrite what it found.
    if (look !== this.#looks) return this.#current;
    const chosen = chooseHomeAddress({ addresses: this.#addresses(), routed, remembered: this.#current });
    if (chosen !== undefined && chosen !== this.#current) {
      this.#current = chosen;
      this.emit('changed', chosen);
    }
    return this.#current;
  }
}
