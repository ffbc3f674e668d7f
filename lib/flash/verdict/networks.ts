import type { ErrorValues } from '../../errors';
import { ACCESS_POINT, DEVICE_NETWORKS, isInNetwork, type DeviceNetwork } from '../../protocol/device-networks';
import type { Seen } from '../observation';
import type { RuleMatch } from './rule';
import type { EvidenceView } from './evidence-view';
import { wording, type Wording, type WordingValue } from '../../wordings/wording';

/** Two interfaces in the network that a device makes: what we send to the device may leave by the wrong one. */
export function overlapOf(view: EvidenceView, network: DeviceNetwork, other: Wording): RuleMatch | undefined {
  const last = view.inStage('addresses').at(-1);
  if (!last) return undefined;
  const inside = last.addresses.filter(({ address }) => isInNetwork(address, network));
  const [first, second] = [...new Map(inside.map((own) => [own.name, own])).values()];
  if (!first || !second) return undefined;
  return {
    confidence: 'certain',
    values: overlapValues(network, `${first.name}, ${second.name}`, other),
    evidence: [last],
  };
}

/** The device has an address at home that belongs to the network which it makes itself later. */
export function overlapAtHome(dispatched: Seen<'dispatched'> | undefined): RuleMatch | undefined {
  if (!dispatched) return undefined;
  const network = DEVICE_NETWORKS.find((one) => isInNetwork(dispatched.peer, one));
  if (!network) return undefined;
  const other = wording(network === ACCESS_POINT ? 'network-access-point' : 'network-of-finalstage');
  const values = overlapValues(network, wording('network-home'), other);
  return { confidence: 'certain', values, evidence: [dispatched] };
}

function overlapValues({ network }: DeviceNetwork, name: WordingValue, other: Wording): ErrorValues {
  return { network: `${network}/24`, name, other };
}
