import type { EventEmitter } from 'node:events';
import type { FlashError } from '../../errors';

export const WIFI_DRIVERS = ['networkmanager', 'supervisor', 'manual'] as const;

export type WifiDriverName = (typeof WIFI_DRIVERS)[number];

/** One access point of a scan. */
export interface AccessPoint {
  readonly ssid: string;
  /** Six pairs of hexadecimal digits in upper case, with colons. */
  readonly bssid: string;
  /** Percent, 0-100. */
  readonly signal: number;
  /** MHz. */
  readonly frequency: number;
  /** `psk`: a password; `other`: something that a device's own network never asks for. */
  readonly security: 'open' | 'psk' | 'other' | 'unknown';
}

/** A network to join. */
export interface WifiNetwork {
  readonly ssid: string;
  /** Only this access point of that name. */
  readonly bssid?: string | undefined;
  /** A secret; none = open. */
  readonly psk?: string | undefined;
  /**
   * This machine's address there, such as `192.168.4.2/24`. Where it is not `fixed`, it is for those that cannot ask
   * for one without taking the network's router for the way to the internet.
   */
  readonly address?: { readonly cidr: string; readonly fixed: boolean } | undefined;
  /** A host that answers there, such as `192.168.4.1`: the sign that a person has joined manually. */
  readonly peer?: string | undefined;
}

export interface JoinedNetwork {
  readonly ssid: string;
  readonly bssid: string | undefined;
  /** This machine's IPv4 address in it. */
  readonly address: string;
  readonly interfaceName: string;
}

/** Every call ends by then, or when the signal aborts. */
export interface WifiLimits {
  readonly signal: AbortSignal;
  /** The driver's own where it is not given. */
  readonly limitMs?: number | undefined;
}

/** `lost`: the joined network has gone without our doing. */
export type WifiEvents = { lost: [error: FlashError] };

/**
 * One Wi-Fi interface of this machine, in whichever hands. A call that fails leaves no profile of ours behind and
 * the former network back.
 */
export interface WifiDriver extends EventEmitter<WifiEvents> {
  readonly name: WifiDriverName;
  /** Empty where the driver does not know it. */
  readonly interfaceName: string;
  readonly joined: JoinedNetwork | undefined;
  /** @throws FlashError `wifi-*`, `cancelled` */
  scan(limits: WifiLimits): Promise<readonly AccessPoint[]>;
  /** Leaves what it had joined before. @throws FlashError `wifi-*`, `cancelled` */
  join(network: WifiNetwork, limits: WifiLimits): Promise<JoinedNetwork>;
  /** Takes our profile away and brings the former network back; nothing where nothing was joined. */
  leave(limits: WifiLimits): Promise<void>;
  /** Removes what an earlier process left behind; resolves with the names of it. */
  clean(limits: WifiLimits): Promise<readonly string[]>;
  /** Gives up its connections; not a way to leave. */
  close(): void;
}
