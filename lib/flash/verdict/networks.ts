import type { ErrorValues } from '../../errors';
import type { OwnAddress, Seen } from './observation';
import type { Finding } from './rule';
import type { Sightings } from './sightings';

/** The two networks that a device makes itself, both /24 (docs/dev/stock-firmware.md#1.1, #5). */
export const AP_NETWORK = '10.10.7.';
export const FINALSTAGE_NETWORK = '192.168.4.';

/** Two interfaces in the network that a device makes: what we send to the device may leave by the wrong one. */
export function overlapOf(sightings: Sightings, prefix: string, other: string): Finding | undefined {
  const last = sightings.inStage('addresses').at(-1);
  if (!last) return undefined;
  const inside = last.addresses.filter(({ address }) => address.startsWith(prefix));
  const [first, second] = [...new Map(inside.map((own) => [own.name, own])).values()];
  if (!first || !second) return undefined;
  return { confidence: 'certain', values: overlapValues(prefix, [first, second], other), evidence: [last] };
}

/** The device has an address at home that belongs to the network which it makes itself later. */
export function overlapAtHome(dispatched: Seen<'dispatched'> | undefined): Finding | undefined {
  const prefix = [AP_NETWORK, FINALSTAGE_NETWORK].find((network) => dispatched?.peer.startsWith(network));
  if (!dispatched || prefix === undefined) return undefined;
  const other = prefix === AP_NETWORK ? "the device's access point" : 'FinalStage';
  const values = overlapValues(prefix, [{ name: 'the home network', address: dispatched.peer }], other);
  return { confidence: 'certain', values, evidence: [dispatched] };
}

function overlapValues(prefix: string, own: readonly OwnAddress[], other: string): ErrorValues {
  return { network: `${prefix}0/24`, name: own.map(({ name }) => name).join(', '), other };
}
