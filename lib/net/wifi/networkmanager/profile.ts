import { Variant } from '@jellybrick/dbus-next';
import type { WifiNetwork } from '../wifi';

/** Our profiles are known by their names, and by whose they are: the name of a connection to the bus. */
const OURS = 'sonota-wifi ';

export function profileName(busName: string): string {
  return `${OURS}${busName}`;
}

/** Whose profile this is; undefined where it is none of ours. */
export function ownerOf(profile: string): string | undefined {
  return profile.startsWith(OURS) ? profile.slice(OURS.length) : undefined;
}

export type Settings = Record<string, Record<string, Variant>>;

/** The limit of DHCP: a device that gives addresses does so immediately. */
export const DHCP_SECONDS = 15;

export interface ProfileOptions {
  readonly name: string;
  /** The only interface that may use it. */
  readonly interfaceName: string;
  /** The only user that owns it; without one it belongs to all users. */
  readonly user: string | undefined;
}

/** A profile that changes only the one interface: no default route, no DNS, no automatic connect. */
export function settingsOf(network: WifiNetwork, { name, interfaceName, user }: ProfileOptions): Settings {
  const { ssid, bssid, psk } = network;
  return {
    connection: {
      id: text(name),
      type: text('802-11-wireless'),
      autoconnect: new Variant('b', false),
      'interface-name': text(interfaceName),
      ...(user === undefined ? {} : { permissions: new Variant('as', [`user:${user}:`]) }),
    },
    '802-11-wireless': {
      ssid: new Variant('ay', Buffer.from(ssid)),
      mode: text('infrastructure'),
      ...(bssid === undefined ? {} : { bssid: new Variant('ay', Buffer.from(bssid.replaceAll(':', ''), 'hex')) }),
    },
    ...(psk === undefined ? {} : { '802-11-wireless-security': { 'key-mgmt': text('wpa-psk'), psk: text(psk) } }),
    ipv4: {
      ...addressing(network),
      'never-default': new Variant('b', true),
      'ignore-auto-dns': new Variant('b', true),
      'ignore-auto-routes': new Variant('b', true),
      'may-fail': new Variant('b', false),
    },
    ipv6: { method: text('disabled') },
  };
}

function addressing({ address }: WifiNetwork): Record<string, Variant> {
  if (!address?.fixed) return { method: text('auto'), 'dhcp-timeout': new Variant('i', DHCP_SECONDS) };
  const [ip = '', prefix] = address.cidr.split('/');
  const entry = { address: text(ip), prefix: new Variant('u', Number(prefix)) };
  return { method: text('manual'), 'address-data': new Variant('aa{sv}', [entry]) };
}

function text(value: string): Variant {
  return new Variant('s', value);
}
