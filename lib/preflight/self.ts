import { digestOf } from '../image';
import { fetchInRanges } from '../client/range-fetch';
import { isLoopback } from '../net/addresses';
import { probeTcp } from '../net/probe';
import type { FlashHost } from '../flash/host/host';
import { failed, noted, passed, type SaidCheck } from './check';
import type { Machine } from './machine';
import { phrase } from './phrases';
import { wording, type Wording, type WordingValue } from '../wordings/wording';

/** The part of a host that is dialled and asked. */
type SelfHost = Pick<FlashHost, 'address' | 'isAddressRemembered' | 'isListening' | 'jobs' | 'ports' | 'probes'>;

/** On one machine each of these takes a few ms; a firewall that drops packets makes them wait. */
const FETCH_LIMIT_MS = 3000;
const DIAL_LIMIT_MS = 2000;

/**
 * This machine reaches itself through the address that devices dial: an image, fetched in ranges and hashed, and the
 * ports of the cloud. It finds a wrong address, a firewall on the way, and ports that a container does not publish.
 */
export async function checkSelf(host: SelfHost, machine: Machine, signal: AbortSignal): Promise<SaidCheck[]> {
  const { address } = host;
  if (address === undefined || !host.isListening) return [];
  if (host.jobs.awaitingFinalStage().length > 0) {
    // Where FinalStage is awaited, any client could pass for it.
    return [noted('self', 'self-unreachable', phrase('self-not-now'))];
  }
  const isAway = !isLoopback(address) && !machine.addresses.some((local) => local.address === address);
  if (isAway && host.isAddressRemembered) {
    return [noted('self', 'self-unreachable', phrase('self-away', { address }), 'check-again')];
  }
  return Promise.all([fetchOwnImage(host, address, signal), ...dialCloud(host, address, signal)]);
}

async function fetchOwnImage(host: SelfHost, address: string, signal: AbortSignal): Promise<SaidCheck> {
  const probe = host.probes.offer();
  try {
    const base = `http://${address}:${host.ports.http}`;
    const limits = { limitMs: FETCH_LIMIT_MS, limitBytes: probe.size };
    const outcome = await fetchInRanges(new URL(probe.path, base), { signal, ...limits });
    if ('bytes' in outcome) {
      const isSame = digestOf(outcome.bytes) === probe.sha256;
      if (!isSame) return unreachable(base, wording('content-changed'));
      return passed('self', 'self-unreachable', phrase('self-fetched', { where: base }));
    }
    if (outcome.status === 403) {
      return noted('self', 'self-unreachable', phrase('self-otherwise', { where: base }));
    }
    return unreachable(base, outcome.reason);
  } finally {
    probe.withdraw();
  }
}

/** Dials the ports of the cloud, unless a stage waits for a device and would take this for one. */
function dialCloud(host: SelfHost, address: string, signal: AbortSignal): Promise<SaidCheck>[] {
  if (host.jobs.awaitingDevice().length > 0) return [];
  const { https, legacy } = host.ports;
  return [https, legacy]
    .filter((port) => port !== 0)
    .map(async (port) => {
      const result = await probeTcp(address, port, { signal, limitMs: DIAL_LIMIT_MS });
      const where = wording('self-port', { address, port });
      if (result === 'accepted') return passed('self', 'self-unreachable', phrase('self-reached', { where }));
      return unreachable(where, wording(result === 'refused' ? 'connection-refused' : 'nothing-answered'));
    });
}

function unreachable(where: WordingValue, reason: Wording): SaidCheck {
  return failed('self', { code: 'self-unreachable', values: { where, reason } });
}
