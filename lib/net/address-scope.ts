import { BlockList, isIPv6 } from 'node:net';

/** From where an address can be reached, the farthest first. */
const SCOPES = ['public', 'private', 'loopback'] as const;

/** `private` are the networks at home, a provider's own and link-local ones; `loopback` is this machine. */
export type AddressScope = (typeof SCOPES)[number];

/** RFC 1918, 6598, 3927, 4193 and 4291. */
const PRIVATE = blocks([
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['fc00::', 7],
  ['fe80::', 10],
]);
/** The unspecified address leads to this machine as well. */
const LOOPBACK = blocks([
  ['127.0.0.0', 8],
  ['0.0.0.0', 8],
  ['::', 127],
]);

/** @param address IPv4 or IPv6, without brackets */
export function scopeOf(address: string): AddressScope {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (LOOPBACK.check(address, family)) return 'loopback';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

/** Whether fewer machines can reach `one` than `other`. */
export function isNearer(one: AddressScope, other: AddressScope): boolean {
  return SCOPES.indexOf(one) > SCOPES.indexOf(other);
}

function blocks(networks: [network: string, prefix: number][]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, isIPv6(network) ? 'ipv6' : 'ipv4');
  return list;
}
