import { inSameNetwork, isLoopback } from './addresses';

/** An IPv4 network: any address of it, and its netmask, both dotted. */
export interface Network {
  readonly address: string;
  readonly netmask: string;
}

/** As people write it, such as 192.168.1.0/24. */
export function cidr({ address, netmask }: Network): string {
  const mask = bytesOf(netmask);
  const base = bytesOf(address).map((byte, index) => byte & (mask[index] ?? 0));
  const bits = mask.reduce((count, byte) => count + byte.toString(2).replaceAll('0', '').length, 0);
  return `${base.join('.')}/${bits}`;
}

/** Whether two networks have an address in common. */
export function overlap(one: Network, other: Network): boolean {
  const shorter = bytesOf(one.netmask).map((byte, index) => byte & (bytesOf(other.netmask)[index] ?? 0));
  return inSameNetwork(one.address, other.address, shorter.join('.'));
}

/** Whether a peer is this machine, or in one of its own networks: such a peer does not come through a router. */
export function isLocalPeer(peer: string, own: readonly Network[]): boolean {
  return isLoopback(peer) || own.some(({ address, netmask }) => inSameNetwork(peer, address, netmask));
}

function bytesOf(dotted: string): number[] {
  return dotted.split('.').map(Number);
}
