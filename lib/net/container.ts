import { existsSync } from 'node:fs';
import { inSameNetwork, type LocalAddress } from './addresses';

/** Docker's and podman's own first networks, and the range out of which Docker takes the further ones. */
const DEFAULT_NETWORKS = [
  { network: '172.17.0.0', netmask: '255.255.0.0' },
  { network: '10.88.0.0', netmask: '255.255.0.0' },
];
const FURTHER_NETWORKS = { network: '172.16.0.0', netmask: '255.240.0.0' };

/** Whether this process runs in a container of Docker or podman. */
export function inContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv');
}

/**
 * Whether this is an address behind a container engine's bridge. A container that shares its host's network sees the
 * engine's own interfaces too, and its addresses are real ones.
 *
 * @param addresses all of this machine
 * @param contained whether this process runs in a container
 */
export function isContainerAddress(
  address: string,
  addresses: readonly LocalAddress[],
  contained: boolean,
): 'yes' | 'maybe' | 'no' {
  const own = addresses.find((local) => local.address === address);
  if (own?.kind === 'container') return 'yes';
  const sharesHost = addresses.some(({ kind }) => kind === 'container');
  if (!own || !contained || sharesHost) return 'no';
  if (DEFAULT_NETWORKS.some(({ network, netmask }) => inSameNetwork(address, network, netmask))) return 'yes';
  return inSameNetwork(address, FURTHER_NETWORKS.network, FURTHER_NETWORKS.netmask) ? 'maybe' : 'no';
}
