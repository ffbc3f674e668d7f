import { isAtLoopback, isOwnAddress, ownIPv4 } from '../../net/addresses';
import { linkMacOf } from '../../net/neighbours';
import { ROUTE_ENVIRONMENT, type RouteEnvironment } from '../routes/route-environment';
import type { OwnAddress } from '../observation';
import { PATIENCE, type Patience } from '../verdict/patience';
import { WAITS, type Waits } from '../stage/waits';

/** A host's view of the machine that it runs on, and how long it waits there. */
export interface HostEnvironment extends RouteEnvironment {
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
  readonly waits: Waits;
  /** How long its jobs wait until the absence of something means something. */
  readonly patience: Patience;
}

export const THIS_MACHINE: HostEnvironment = {
  ownAddresses: (url) => (isAtLoopback(url) ? [] : ownIPv4().map(({ name, address }) => ({ name, address }))),
  hasWifi: (url) => !isAtLoopback(url),
  isOwnAddress,
  now: () => Date.now(),
  linkMacOf: (address) => linkMacOf(address),
  ...ROUTE_ENVIRONMENT,
  waits: WAITS,
  patience: PATIENCE,
};
