import { createSocket } from 'node:dgram';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { interfaceKind, type InterfaceKind } from './interfaces';

/** One IPv4 address of this machine, on an interface that is up. */
export interface LocalAddress {
  name: string;
  address: string;
  netmask: string;
  /** The kind of network behind the interface. */
  kind: InterfaceKind;
}

/** An address of TEST-NET-1 (RFC 5737): routed like any address of the internet, assigned to no host. */
const SOMEWHERE_ELSE = '192.0.2.1';

/**
 * Every IPv4 address of this machine but the loopback's, in the operating system's order; without the kinds of the
 * interfaces, each of which is read from several files.
 */
export function ownIPv4(): Omit<LocalAddress, 'kind'>[] {
  return externalIPv4().map(({ name, address, netmask }) => ({ name, address, netmask }));
}

/** As `ownIPv4`, with the kinds. */
export function localIPv4(): LocalAddress[] {
  return externalIPv4().map(({ name, address, netmask, mac }) => {
    return { name, address, netmask, kind: interfaceKind({ name, mac, netmask }) };
  });
}

function externalIPv4(): (NetworkInterfaceInfo & { name: string })[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map((address) => ({ name, ...address })),
  );
}

/**
 * Whether two IPv4 addresses lie in the same network.
 *
 * @param netmask dotted, such as 255.255.255.0
 */
export function inSameNetwork(one: string, other: string, netmask: string): boolean {
  const mask = toNumber(netmask);
  return (toNumber(one) & mask) === (toNumber(other) & mask);
}

/**
 * The address that this machine would use towards another one, that is the one on the interface that reaches it;
 * undefined without a route. A UDP `connect` asks the routing table for it and sends nothing.
 *
 * @param towards an IPv4 address; default the internet
 */
export function routedAddress(towards = SOMEWHERE_ELSE): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const answer = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => answer(undefined));
    socket.connect(9, towards, () => answer(socket.address().address));
  });
}

/** The peer of a socket as people write it: an IPv4 address without the `::ffff:` that an IPv6 listener puts before it. */
export function plainAddress(address: string | undefined): string {
  return address === undefined ? 'unknown' : address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** Whether a host name or IPv4 address is this machine talking to itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Whether a URL leads to this machine itself. @throws TypeError where it is none */
export function isAtLoopback(url: string): boolean {
  return isLoopback(new URL(url).hostname);
}

/** Whether an IPv4 address is one of this machine's, the loopback included. */
export function isOwnAddress(peer: string): boolean {
  return isLoopback(peer) || ownIPv4().some(({ address }) => address === peer);
}

/**
 * The address to listen on for devices that dial `address`: that one alone where it is this machine's, since its others may
 * be in use by another host.
 *
 * @param bind what to listen on otherwise, as behind a container's port map
 */
export function narrowestBind(address: string | undefined, bind: string): string {
  return address !== undefined && isOwnAddress(address) ? address : bind;
}

function toNumber(address: string): number {
  return address.split('.').reduce((number, part) => (number << 8) | Number(part), 0);
}
