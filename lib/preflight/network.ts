import { isLoopback, type LocalAddress } from '../net/addresses';
import { cidr, overlap, type Network } from '../net/networks';
import { ACCESS_POINT, DEVICE_NETMASK, FINALSTAGE_NETWORK } from '../protocol/device-networks';
import type { FlashHost } from '../flash/host/host';
import { passed, warned, type SaidCheck } from './check';
import type { Machine } from './machine';
import { phrase } from './phrases';
import { wording } from '../wordings/wording';

/**
 * The two networks into which a person takes this machine; both have fixed addresses (docs/dev/stock-firmware.md#1.1,
 * #5).
 */
const VISITED = [
  { name: 'network-ap', address: ACCESS_POINT.device, netmask: DEVICE_NETMASK },
  { name: 'network-finalstage', address: FINALSTAGE_NETWORK.device, netmask: DEVICE_NETMASK },
] as const;

/** No network of this machine has addresses in common with those of the device (SonOTA#28). */
export function checkNetworks(host: Pick<FlashHost, 'address'>, { addresses }: Machine): SaidCheck[] {
  const { address } = host;
  const knowsHome = address !== undefined && !isLoopback(address);
  const clashes = addresses
    .filter(({ kind }) => kind !== 'container')
    .filter((local) => local.address === address || !(knowsHome && isVisit(local)))
    .flatMap((local) => VISITED.filter((visited) => overlap(local, visited)).map((visited) => ({ local, visited })));
  if (clashes.length === 0) {
    return [passed('network', 'network-overlap', phrase('network-apart'))];
  }
  return clashes.map(({ local, visited }) => {
    const values = { network: cidr(local), name: local.name, other: wording(visited.name, { network: cidr(visited) }) };
    return warned('network', 'network-overlap', values);
  });
}

/** Exactly the device's network, on a machine that knows its home elsewhere: it is there just now. */
function isVisit({ address, netmask }: LocalAddress): boolean {
  return VISITED.some((visited: Network) => cidr({ address, netmask }) === cidr(visited));
}
