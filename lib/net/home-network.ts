import { EventEmitter } from 'node:events';
import { AddressWatch } from './address-watch';
import { inSameNetwork, localIPv4, routedAddress, type LocalAddress } from './addresses';
import { DEVICE_NETMASK, DEVICE_NETWORKS, isInNetwork } from '../protocol/device-networks';
import { cidr } from './networks';

/** Networks that a single device makes, and those that lead to no other host; the home network is none of them. */
const NEVER_HOME = [
  ...DEVICE_NETWORKS.map(({ network }) => ({ network, netmask: DEVICE_NETMASK })),
  { network: '169.254.0.0', netmask: '255.255.0.0' }, // no DHCP server answered
  { network: '127.0.0.0', netmask: '255.0.0.0' },
];

/** RFC 1918. */
const PRIVATE = [
  { network: '10.0.0.0', netmask: '255.0.0.0' },
  { network: '172.16.0.0', netmask: '255.240.0.0' },
  { network: '192.168.0.0', netmask: '255.255.0.0' },
];

/** Where this machine is on the home network, or was when it was there last. */
export interface Home {
  readonly address: string;
  /** The interface; undefined where an older version has remembered the address alone. */
  readonly name?: string | undefined;
}

/**
 * Why an address was chosen:
 * - `wifi-name`: its interface has joined the Wi-Fi that devices get
 * - `default-route`: it is the way to the internet
 * - `only`: there is no other
 * - `same-network`: it is the present one in the network that was home before
 * - `remembered`: this machine is not on its home network just now
 */
export type HomeReason = 'wifi-name' | 'default-route' | 'only' | 'same-network' | 'remembered';

/** One home network; or several that it may be, of which a person has to choose. */
export type HomeChoice =
  | { readonly home: Home; readonly reason: HomeReason }
  | { readonly home: undefined; readonly candidates: readonly LocalAddress[] };

export interface NetworksSeen {
  /** Every address of this machine. */
  readonly addresses: readonly LocalAddress[];
  /** The one on the default route's interface, where there is such a route. */
  readonly routed: string | undefined;
  /** The earlier choice, if there is one. */
  readonly remembered?: Home | undefined;
  /** A flash is running: a device has our address in the home network, so no other network replaces it. */
  readonly isHeld?: boolean;
  /** The interfaces that have joined the Wi-Fi that devices get, as far as this machine knows. */
  readonly inHomeWifi?: readonly string[];
  /** Networks that were there beside the home network (as `cidr` writes them): they do not take its place alone. */
  readonly bystanders?: ReadonlySet<string>;
}

/** Whether devices on the home network could ever dial this address. */
export function canBeHome(address: string): boolean {
  return !NEVER_HOME.some(({ network, netmask }) => inSameNetwork(address, network, netmask));
}

/**
 * The addresses that may be the one on the home network: on a cable or a Wi-Fi, no tunnel, modem or container; private
 * ones where there are any.
 */
export function homeCandidates(addresses: readonly LocalAddress[]): LocalAddress[] {
  const possible = addresses.filter(({ address, kind }) => kind === 'lan' && canBeHome(address));
  const isPrivate = ({ address }: LocalAddress): boolean =>
    PRIVATE.some(({ network, netmask }) => inSameNetwork(address, network, netmask));
  return possible.some(isPrivate) ? possible.filter(isPrivate) : possible;
}

/**
 * Where devices dial this machine on the home network. It stays what it was while a flash runs and while this machine
 * is in the network of a device: the device will look for us where we are at home, not where we are now.
 */
export function chooseHome(seen: NetworksSeen): HomeChoice {
  const { addresses, routed, remembered, inHomeWifi = [], bystanders = new Set() } = seen;
  const candidates = homeCandidates(addresses);
  const named = candidates.find(({ name }) => inHomeWifi.includes(name));
  if (named) return { home: homeAt(named), reason: 'wifi-name' };

  const present = remembered && presentAt(remembered, candidates, routed);
  const stays: HomeChoice | undefined = present
    ? { home: homeAt(present), reason: 'same-network' }
    : remembered && { home: remembered, reason: 'remembered' };
  if (stays && (seen.isHeld || addresses.some(isInDeviceNetwork))) return stays;

  // Away from home, what was there beside it is no new home; a network that was not may be one: the machine has moved.
  const newcomers = present ? candidates : candidates.filter((one) => !bystanders.has(cidr(one)));
  const byRoute = newcomers.find(({ address }) => address === routed);
  if (byRoute) return { home: homeAt(byRoute), reason: 'default-route' };
  if (present && stays) return stays;
  const [only, ...others] = onePerNetwork(newcomers);
  if (!only) return stays ?? { home: undefined, candidates: [] };
  return others.length === 0 ? { home: homeAt(only), reason: 'only' } : { home: undefined, candidates: newcomers };
}

/** The present address in the network that was home: on the same interface, or on a cable into the same network. */
export function presentAt(home: Home, candidates: readonly LocalAddress[], routed?: string): LocalAddress | undefined {
  const same = candidates.filter(({ address, netmask }) => inSameNetwork(address, home.address, netmask));
  return (
    same.find(({ address }) => address === home.address) ??
    same.find(({ name }) => name === home.name) ??
    same.find(({ address }) => address === routed) ??
    same[0]
  );
}

function homeAt({ name, address }: LocalAddress): Home {
  return { name, address };
}

/** Exactly the network of a device; a home network may be a wider one around it. */
function isInDeviceNetwork({ address, netmask }: LocalAddress): boolean {
  return netmask === DEVICE_NETMASK && DEVICE_NETWORKS.some((network) => isInNetwork(address, network));
}

/** A cable and a Wi-Fi in one network are one way into it. */
function onePerNetwork(addresses: readonly LocalAddress[]): LocalAddress[] {
  return [...new Map([...addresses].reverse().map((one) => [cidr(one), one])).values()].reverse();
}

/** A user that needs the home network to stay the same. */
export interface HomeUser {
  /** Whether a device may have got an address. */
  isFlashing(): boolean;
  /** The name of the Wi-Fi that devices get, where it is known. */
  wifiName(): string | undefined;
  /** Called when an address of this machine has come or gone. */
  moved?(): void;
}

export interface HomeNetworkOptions {
  /** The choice that an earlier run of this machine remembered. */
  readonly remembered?: Home | undefined;
  readonly addresses?: () => readonly LocalAddress[];
  readonly routed?: () => Promise<string | undefined>;
  /** The interfaces that have joined a Wi-Fi of this name; it never fails. */
  readonly joinedTo?: (ssid: string) => Promise<readonly string[]>;
}

/**
 * This machine's place on its home network, found and remembered, one for all hosts. While it has users it looks again
 * whenever an address has come or gone. Emits `changed` with the new place.
 */
export class HomeNetwork extends EventEmitter<{ changed: [home: Home] }> {
  #choice: HomeChoice;
  #remembered: Home | undefined;
  #bystanders = new Set<string>();
  #looks = 0;
  readonly #users = new Set<HomeUser>();
  readonly #watch: AddressWatch;
  readonly #addresses: () => readonly LocalAddress[];
  readonly #routed: () => Promise<string | undefined>;
  readonly #joinedTo: (ssid: string) => Promise<readonly string[]>;

  constructor({
    remembered,
    addresses = localIPv4,
    routed = routedAddress,
    joinedTo = () => Promise.resolve([]),
  }: HomeNetworkOptions = {}) {
    super();
    this.#remembered = remembered !== undefined && canBeHome(remembered.address) ? remembered : undefined;
    this.#choice = this.#remembered
      ? { home: this.#remembered, reason: 'remembered' }
      : { home: undefined, candidates: [] };
    this.#addresses = addresses;
    this.#routed = routed;
    this.#joinedTo = joinedTo;
    this.#watch = new AddressWatch(addresses);
    this.#watch.on('changed', () => {
      void this.update();
      for (const user of this.#users) user.moved?.();
    });
  }

  /** The address to dial, as it is at this moment; undefined as long as none is known. */
  get current(): string | undefined {
    const { home } = this.#choice;
    return home && (presentAt(home, homeCandidates(this.#addresses()))?.address ?? home.address);
  }

  /** The choice of the last look, and why. */
  get choice(): HomeChoice {
    return this.#choice;
  }

  /** Watches the machine's addresses for a user, until the function that comes back is called. */
  join(user: HomeUser): () => void {
    this.#users.add(user);
    this.#watch.start();
    return () => {
      this.#users.delete(user);
      if (this.#users.size === 0) this.#watch.stop();
    };
  }

  /** Looks again. Resolves to the address. */
  async update(): Promise<string | undefined> {
    const look = ++this.#looks;
    const [routed, inHomeWifi] = await Promise.all([this.#routed(), this.#inHomeWifi()]);
    // A newer look has seen newer routes; this one must not overwrite what it found.
    if (look !== this.#looks) return this.current;
    const addresses = this.#addresses();
    this.#choice = chooseHome({
      addresses,
      routed,
      remembered: this.#remembered,
      isHeld: [...this.#users].some((user) => user.isFlashing()),
      inHomeWifi,
      bystanders: this.#bystanders,
    });
    const { home } = this.#choice;
    if (home && this.#choice.reason !== 'remembered') this.#settle(home, addresses);
    return this.current;
  }

  #settle(home: Home, addresses: readonly LocalAddress[]): void {
    const beside = homeCandidates(addresses).filter(
      ({ address, netmask }) => !inSameNetwork(address, home.address, netmask),
    );
    this.#bystanders = new Set(beside.map(cidr));
    const before = this.#remembered;
    this.#remembered = home;
    if (before?.address !== home.address || before.name !== home.name) this.emit('changed', home);
  }

  /** Asks for names only where there is more than one network to choose from. */
  async #inHomeWifi(): Promise<readonly string[]> {
    if (onePerNetwork(homeCandidates(this.#addresses())).length < 2) return [];
    const names = [...this.#users].flatMap((user) => user.wifiName() ?? []);
    return (await Promise.all([...new Set(names)].map((name) => this.#joinedTo(name)))).flat();
  }
}
