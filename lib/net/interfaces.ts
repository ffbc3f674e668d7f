import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * What lies behind a network interface:
 * - `lan`: a cable, Wi-Fi, or a bridge with one of them: what a home network can be on
 * - `tunnel`: a VPN or another point-to-point link; a device at home reaches nothing of it
 * - `mobile`: a modem, or a phone that shares its connection
 * - `container`: the inside of a container engine or of a hypervisor on this machine
 */
export type InterfaceKind = 'lan' | 'tunnel' | 'mobile' | 'container';

/** An interface as every operating system describes it. */
export interface InterfaceFacts {
  readonly name: string;
  /** All zeros where the interface has none, as tunnels and point-to-point links have none. */
  readonly mac: string;
  /** Dotted. */
  readonly netmask: string;
}

const SYSFS = '/sys/class/net';
const NO_MAC = '00:00:00:00:00:00';
const ONE_ADDRESS = '255.255.255.255';
/** Linux's IFF_POINTOPOINT (netdevice(7)). */
const POINT_TO_POINT = 0x10;

/** Names of container engines and hypervisors, also where there is no sysfs: Linux, macOS, Windows. */
const CONTAINER_NAME =
  /^(docker|br-[0-9a-f]|veth|virbr|vnet|podman|cni|flannel|cali|lxcbr|lxdbr|incusbr|hassio$|vboxnet|vmnet|bridge1\d\d$|vEthernet \((Default Switch|WSL)|VirtualBox Host-Only|VMware Network Adapter)/i;
/** Ports of a bridge that lead into a container or a virtual machine, and not to a network outside. */
const INNER_PORT = /^(veth|vnet|tap|vif|fwpr|fwln)/;
const TUNNEL_NAME =
  /^(tun|tap|wg|utun|ppp|ipsec|tailscale|zt|nordlynx|proton|gpd|OpenVPN|WireGuard|Tailscale|ZeroTier)/i;
const MOBILE_NAME = /^(wwan|wwp|rmnet|ccmni|Cellular|Mobilfunk)/i;
/** Drivers of phones that share their connection by USB: Android's and the iPhone's. */
const PHONE_DRIVERS = ['rndis_host', 'ipheth'];

/**
 * What an interface is, by what the kernel says of it, and by its name where the kernel says nothing.
 *
 * @param sysfs the folder of Linux's interfaces; elsewhere there is none
 */
export function interfaceKind({ name, mac, netmask }: InterfaceFacts, sysfs = SYSFS): InterfaceKind {
  const folder = join(sysfs, name);
  if (isBridge(folder)) return hasOuterPort(folder) ? 'lan' : 'container';
  if (CONTAINER_NAME.test(name)) return 'container';
  if (MOBILE_NAME.test(name) || isModem(folder) || PHONE_DRIVERS.includes(driverOf(folder))) return 'mobile';
  const isLink = mac === NO_MAC || netmask === ONE_ADDRESS || isPointToPoint(folder);
  return isLink || existsSync(join(folder, 'tun_flags')) || TUNNEL_NAME.test(name) ? 'tunnel' : 'lan';
}

function isBridge(folder: string): boolean {
  return existsSync(join(folder, 'bridge'));
}

function hasOuterPort(folder: string): boolean {
  try {
    return readdirSync(join(folder, 'brif')).some((port) => !INNER_PORT.test(port));
  } catch {
    return false;
  }
}

function isModem(folder: string): boolean {
  return read(join(folder, 'uevent')).split('\n').includes('DEVTYPE=wwan');
}

function driverOf(folder: string): string {
  try {
    return basename(readlinkSync(join(folder, 'device', 'driver')));
  } catch {
    return '';
  }
}

function isPointToPoint(folder: string): boolean {
  return (Number(read(join(folder, 'flags'))) & POINT_TO_POINT) !== 0;
}

/** Empty where there is no such file: another system, or the interface has just gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
