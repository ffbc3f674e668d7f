import { asFlashError } from '../../errors';
import { isLoopback } from '../../net/addresses';
import { isContainerAddress } from '../../net/container';
import type { FlashHost } from '../host/host';
import { failed, noted, passed, type SaidCheck } from './check';
import type { Machine } from './machine';
import { phrase, type PhraseName, type PhraseValues } from './phrases';

/**
 * The address that devices are told: an IPv4 on the home network, and this machine's.
 *
 * @param leadsHere whether this machine has reached itself there, through whatever lies between
 */
export function checkAddress(host: FlashHost, machine: Machine, leadsHere: boolean): SaidCheck {
  let address: string;
  try {
    address = host.addressToDial();
  } catch (thrown) {
    return failed('address', asFlashError(thrown));
  }
  if (isLoopback(address)) return ofLoopback(address, host.bind);
  if (address.startsWith('169.254.')) return invalid('without-a-router', { address });
  const behindBridge = isContainerAddress(address, machine.addresses, machine.contained);
  if (behindBridge === 'yes') return invalid('in-a-container', { address });
  if (behindBridge === 'maybe') {
    const text = phrase('address-like-a-container', { address });
    return noted('address', 'address-invalid', text, 'leave-the-container');
  }
  const own = machine.addresses.find((local) => local.address === address);
  if (own) return good('address-here', { address, name: own.name });
  if (host.isAddressRemembered) return good('address-remembered', { address });
  if (leadsHere) return good('address-leads-here', { address });
  const list = machine.addresses.map((local) => local.address).join(', ');
  return list === '' ? invalid('somebody-elses-none', { address }) : invalid('somebody-elses', { address, list });
}

/** A rehearsal has all of it on one machine; anything else on the loopback is a mistake. */
function ofLoopback(address: string, bind: string): SaidCheck {
  if (!isLoopback(bind)) return invalid('for-itself-only', { address });
  return noted('address', 'address-invalid', phrase('address-loopback', { address }), 'for-a-rehearsal');
}

function good(name: PhraseName, values: PhraseValues): SaidCheck {
  return passed('address', 'address-invalid', phrase(name, values));
}

function invalid(reason: PhraseName, values: PhraseValues): SaidCheck {
  return failed('address', { code: 'address-invalid', values: { reason: phrase(reason, values) } });
}
