import { asFlashError, FlashError } from '../../errors';
import { isLoopback } from '../../net/addresses';
import { isContainerAddress } from '../../net/container';
import type { FlashHost } from '../host/host';
import { failed, noted, passed, type Check } from './check';
import type { Machine } from './machine';

/**
 * The address that devices are told: an IPv4 on the home network, and this machine's.
 *
 * @param leadsHere whether this machine has reached itself there, through whatever lies between
 */
export function checkAddress(host: FlashHost, machine: Machine, leadsHere: boolean): Check {
  let address: string;
  try {
    address = host.addressToDial();
  } catch (thrown) {
    return failed('address', asFlashError(thrown));
  }
  if (isLoopback(address)) return ofLoopback(address, host.bind);
  if (address.startsWith('169.254.'))
    return invalid(`${address} is what a machine calls itself where no router answers`);
  const behindBridge = isContainerAddress(address, machine.addresses, machine.contained);
  if (behindBridge === 'yes') return invalid(`${address} is inside a container network, where no device can dial it`);
  if (behindBridge === 'maybe') {
    const text = `Devices are told ${address}, which looks like the inside of a container network.`;
    const remedy =
      'Give the container the network of its host, or enter the address of the host and publish the ports.';
    return noted('address', 'address-invalid', text, remedy);
  }
  const own = machine.addresses.find((local) => local.address === address);
  if (own) return good(`Devices are told ${address}, which this machine has on ${own.name}.`);
  if (host.isAddressRemembered) {
    return good(`Devices are told ${address}, which this machine had when it was last on its home network.`);
  }
  if (leadsHere) return good(`Devices are told ${address}, which leads to this machine.`);
  const list = machine.addresses.map((local) => local.address).join(', ') || 'none';
  return invalid(`${address} is not an address of this machine, which has ${list}`);
}

/** A rehearsal has all of it on one machine; anything else on the loopback is a mistake. */
function ofLoopback(address: string, bind: string): Check {
  if (!isLoopback(bind)) return invalid(`${address} is this machine for itself only; no device can dial it`);
  const text = `Devices are told ${address}: only a virtual Sonoff on this machine can dial that.`;
  const remedy = 'That is right for a rehearsal; for a real device leave the fields Address and Listen on empty.';
  return noted('address', 'address-invalid', text, remedy);
}

function good(text: string): Check {
  return passed('address', 'address-invalid', text);
}

function invalid(reason: string): Check {
  return failed('address', new FlashError('address-invalid', { reason }));
}
