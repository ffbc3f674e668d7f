import type { DiscoveryOptions } from '../../client/diy/discovery';
import { isLoopback, isOwnAddress, localIPv4 } from '../../net/addresses';
import { linkMacOf } from '../../net/neighbours';
import { UNLOCK_PORT } from '../../protocol/diy/unlock-service';
import { DNS_PORT } from '../../protocol/name-answer';
import type { OwnAddress } from '../verdict/observation';
import { PATIENCE, type Patience } from '../verdict/patience';
import { WAITS, type Waits } from '../waits';

/** Where a device is unlocked that is led to this machine: a device asks at these ports alone. */
export interface UnlockPorts {
  readonly http: number;
  readonly dns: number;
}

/** What a host knows of the machine that it runs on, and how long it waits there. */
export interface HostEnvironment {
  /**
   * This machine's addresses, as far as they matter for a device at `url`: for a rehearsal on loopback, its real ones
   * mean nothing.
   */
  readonly ownAddresses: (url: string) => OwnAddress[];
  /** Whether the networks of a device at `url` are joined by Wi-Fi: those of a rehearsal are not. */
  readonly hasWifi: (url: string) => boolean;
  /** Which peers are this machine itself, for the limits of connections. */
  readonly isOwnAddress: (peer: string) => boolean;
  /** Its clock, in ms since 1970: by it jobs are given up that nothing continues. */
  readonly now: () => number;
  /** The MAC address under which this machine's link reaches an address, where that is known; see lib/net/neighbours.ts. */
  readonly linkMacOf: (address: string) => Promise<string | undefined>;
  /** Where it hears announcements; every interface unless told. */
  readonly discovery?: DiscoveryOptions;
  /** Others than the real ones only for tests. */
  readonly unlockPorts: UnlockPorts;
  readonly waits: Waits;
  /** How long its jobs wait until the absence of something means something. */
  readonly patience: Patience;
}

export const THIS_MACHINE: HostEnvironment = {
  ownAddresses: (url) => (isAtLoopback(url) ? [] : localIPv4().map(({ name, address }) => ({ name, address }))),
  hasWifi: (url) => !isAtLoopback(url),
  isOwnAddress,
  now: () => Date.now(),
  linkMacOf: (address) => linkMacOf(address),
  unlockPorts: { http: UNLOCK_PORT, dns: DNS_PORT },
  waits: WAITS,
  patience: PATIENCE,
};

function isAtLoopback(url: string): boolean {
  return isLoopback(new URL(url).hostname);
}
