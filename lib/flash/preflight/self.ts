import { digestOf } from '../../image';
import { fetchInRanges } from '../../client/range-fetch';
import { FlashError } from '../../errors';
import { isLoopback } from '../../net/addresses';
import { probeTcp } from '../../net/probe';
import type { FlashHost } from '../host/host';
import { failed, noted, passed, type Check } from './check';
import type { Machine } from './machine';

/** On one machine each of these takes a few ms; a firewall that drops packets makes them wait. */
const FETCH_LIMIT_MS = 3000;
const DIAL_LIMIT_MS = 2000;

/**
 * This machine reaches itself through the address that devices dial: an image, fetched in ranges and hashed, and the
 * ports of the cloud. It finds a wrong address, a firewall on the way, and ports that a container does not publish.
 */
export async function checkSelf(host: FlashHost, machine: Machine, signal: AbortSignal): Promise<Check[]> {
  const { address } = host;
  if (address === undefined || !host.isListening) return [];
  if (host.jobs.awaitingFinalStage().length > 0) {
    // Where FinalStage is awaited, whoever dials may pass for it.
    return [noted('self', 'self-unreachable', 'While a device is in FinalStage, this machine does not dial itself.')];
  }
  const isAway = !isLoopback(address) && !machine.addresses.some((local) => local.address === address);
  if (isAway && host.isAddressRemembered) {
    const text = `This machine is not at ${address} at the moment, so that it cannot dial itself there.`;
    return [noted('self', 'self-unreachable', text, 'Check again when it is back on the home network.')];
  }
  return Promise.all([fetchOwnImage(host, address, signal), ...dialCloud(host, address, signal)]);
}

async function fetchOwnImage(host: FlashHost, address: string, signal: AbortSignal): Promise<Check> {
  const probe = host.probes.offer();
  try {
    const base = `http://${address}:${host.ports.http}`;
    const outcome = await fetchInRanges(new URL(probe.path, base), { signal, limitMs: FETCH_LIMIT_MS });
    if ('bytes' in outcome) {
      const isSame = digestOf(outcome.bytes) === probe.sha256;
      if (!isSame) return unreachable(base, 'what came is not what was sent');
      return passed(
        'self',
        'self-unreachable',
        `This machine fetched an image from itself at ${base}, as a device does.`,
      );
    }
    if (outcome.status === 403) {
      const text = `This machine reaches itself at ${base}, but comes back under another address.`;
      return noted('self', 'self-unreachable', text);
    }
    return unreachable(base, outcome.reason);
  } finally {
    probe.withdraw();
  }
}

/** Dials the ports of the cloud, unless somebody waits for a device and would take this for one. */
function dialCloud(host: FlashHost, address: string, signal: AbortSignal): Promise<Check>[] {
  if (host.jobs.awaitingDevice().length > 0) return [];
  const { https, legacy } = host.ports;
  return [https, legacy]
    .filter((port) => port !== 0)
    .map(async (port) => {
      const result = await probeTcp(address, port, { signal, limitMs: DIAL_LIMIT_MS });
      const where = `${address}, port ${port}`;
      if (result === 'accepted') return passed('self', 'self-unreachable', `This machine reaches itself at ${where}.`);
      return unreachable(where, result === 'refused' ? 'the connection was refused' : 'nothing answered');
    });
}

function unreachable(where: string, reason: string): Check {
  return failed('self', new FlashError('self-unreachable', { where, reason }));
}
