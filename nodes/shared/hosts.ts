import type { Node } from 'node-red';
import { HostRegistry } from '../../lib/flash/host/host-registry';
import type { FlashHost } from '../../lib/flash/host/host';

/** Every host of this Node-RED; they outlive their config nodes (design, rule 7). */
export const hosts = new HostRegistry();

/** The config node `sonota-host` as its users see it. */
export interface HostNode extends Node {
  readonly flashHost: FlashHost;
  /** The home Wi-Fi; the password is a credential and goes nowhere but to a device. */
  readonly wifi: { readonly ssid: string | undefined; readonly password: string | undefined };
}
