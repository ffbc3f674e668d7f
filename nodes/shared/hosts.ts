import type { Node, NodeAPI } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import { HostRegistry } from '../../lib/flash/host/host-registry';
import type { FlashHost } from '../../lib/flash/host/host';
import type { WifiPresence } from '../../lib/preflight/wifi';
import { checkCredentials, refuseOuterSpaces } from '../../lib/protocol/ap';
import type { MessageValues } from './messages';

/** Every host of this Node-RED; they outlive their config nodes (docs/dev/design.md#3.7). */
export const hosts = new HostRegistry();

/** The Wi-Fi that devices are to join; what is undefined is not known. */
export interface HomeWifi {
  readonly ssid: string | undefined;
  /** Empty for an open Wi-Fi. A secret, which goes nowhere but to a device. */
  readonly password: string | undefined;
}

/** The config node `sonota-host` as its users see it. */
export interface HostNode extends Node {
  readonly flashHost: FlashHost;
  /** As the form says. */
  readonly wifi: HomeWifi;
  /** The first fault in its form: nothing may start with it. */
  readonly problem: FlashError | undefined;
}

/** The host of a node; undefined where none is chosen, or it is not there. */
export function hostNodeOf(RED: NodeAPI, { host }: { host?: string }): HostNode | undefined {
  const node = host === undefined ? null : (RED.nodes.getNode(host) as HostNode | null);
  return node?.type === 'sonota-host' ? node : undefined;
}

/** @throws FlashError `host-missing`, or what in the host's form cannot be read */
export function requireHost(hostNode: HostNode | undefined): HostNode {
  if (!hostNode) throw new FlashError('host-missing');
  if (hostNode.problem) throw hostNode.problem;
  return hostNode;
}

/**
 * The home Wi-Fi for a message: the node's own where its form has one, else the host's, else the message's.
 *
 * @param own of the node's form; a password of the host belongs to the name that the host has
 * @throws FlashError `value-invalid`, `variable-unset`, `wifi-credentials-unusable`
 */
export function homeWifi({ wifi }: Pick<HostNode, 'wifi'>, said: MessageValues, own: Partial<HomeWifi> = {}): HomeWifi {
  const isOfHost = own.ssid === undefined || own.ssid === wifi.ssid;
  const ssid = own.ssid ?? wifi.ssid ?? (said.exactText('ssid') || undefined);
  const password = own.password ?? (isOfHost ? wifi.password : undefined) ?? said.password();
  refuseOuterSpaces('home-wifi-name', ssid);
  refuseOuterSpaces('home-wifi-password', password);
  return { ssid, password };
}

/** The home Wi-Fi that is known for a message, and why a device cannot use it. */
export function wifiPresence(host: Pick<HostNode, 'wifi'>, said: MessageValues, own?: Partial<HomeWifi>): WifiPresence {
  try {
    const { ssid, password } = homeWifi(host, said, own);
    if (ssid !== undefined && password !== undefined) checkCredentials(ssid, password);
    return { ssid: ssid !== undefined, password: password !== undefined };
  } catch (thrown) {
    const problem = asFlashError(thrown);
    if (problem.code !== 'wifi-credentials-unusable') throw problem;
    return { ssid: true, password: true, problem };
  }
}
