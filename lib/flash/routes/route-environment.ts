import type { DiscoveryOptions } from '../../client/diy/discovery';
import { UNLOCK_PORT } from '../../protocol/diy/unlock-service';
import { DNS_PORT } from '../../protocol/name-answer';

/** Where a device is unlocked that is led to this machine: a device asks at these ports alone. */
export interface UnlockPorts {
  readonly http: number;
  readonly dns: number;
}

/** The part of the machine that single routes need to know. */
export interface RouteEnvironment {
  /** Where it receives announcements; default every interface. */
  readonly discovery?: DiscoveryOptions;
  /** Others than the real ones only for tests. */
  readonly unlockPorts: UnlockPorts;
}

export const ROUTE_ENVIRONMENT: RouteEnvironment = { unlockPorts: { http: UNLOCK_PORT, dns: DNS_PORT } };
