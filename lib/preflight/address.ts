import { asFlashError } from '../errors';
import { isLoopback, type LocalAddress } from '../net/addresses';
import { isContainerAddress } from '../net/container';
import type { FlashHost } from '../flash/host/host';
import { failed, noted, passed, type SaidCheck } from './check';
import type { Machine } from './machine';
import { phrase, type PhraseName, type PhraseValues } from './phrases';
import { wording, type Wording } from '../wordings/wording';

/** The part of a host that the check reads. */
type Addressed = Pick<
  FlashHost,
  'address' | 'addressToDial' | 'bind' | 'homeChoice' | 'isAddressRemembered' | 'isAddressSet'
>;

/**
 * The address that devices get: an IPv4 on the home network that belongs to this machine.
 *
 * @param leadsHere whether this machine has reached itself there, through whatever lies between
 */
export function checkAddress(host: Addressed, machine: Machine, leadsHere: boolean): SaidCheck {
  const { homeChoice } = host;
  if (!host.isAddressSet && !homeChoice.home && homeChoice.candidates.length > 0) {
    return invalid(wording('address-several', { list: listOf(homeChoice.candidates) }));
  }
  let address: string;
  try {
    address = host.addressToDial();
  } catch (thrown) {
    return failed('address', asFlashError(thrown));
  }
  if (isLoopback(address)) return ofLoopback(address, host.bind);
  if (address.startsWith('169.254.')) return invalid(wording('without-a-router', { address }));
  const behindBridge = isContainerAddress(address, machine.addresses, machine.contained);
  if (behindBridge === 'yes') return invalid(wording('in-a-container', { address }));
  if (behindBridge === 'maybe') {
    const text = phrase('address-like-a-container', { address });
    return noted('address', 'address-invalid', text, 'leave-the-container');
  }
  const own = machine.addresses.find((local) => local.address === address);
  if (own) return ofOwn(own, host);
  if (host.isAddressRemembered) return good('address-remembered', { address });
  if (leadsHere) return good('address-leads-here', { address });
  const list = machine.addresses.map((local) => local.address).join(', ');
  return invalid(list === '' ? wording('not-ours-none', { address }) : wording('not-ours', { address, list }));
}

/** An address that a person has set wins, whatever lies behind it. */
function ofOwn({ address, name, kind }: LocalAddress, { isAddressSet, homeChoice }: Addressed): SaidCheck {
  if (kind === 'tunnel' || kind === 'mobile') {
    const text = phrase(kind === 'tunnel' ? 'address-like-a-tunnel' : 'address-like-mobile', { address, name });
    return noted('address', 'address-invalid', text, 'leave-the-tunnel');
  }
  if (isAddressSet || !homeChoice.home || homeChoice.reason === 'remembered') {
    return good('address-here', { address, name });
  }
  return good('address-found', { address, name, why: phrase(`why-${homeChoice.reason}`) });
}

function listOf(addresses: readonly LocalAddress[]): string {
  return addresses.map(({ address, name }) => `${address} (${name})`).join(', ');
}

/** A rehearsal has all of it on one machine; anything else on the loopback is a mistake. */
function ofLoopback(address: string, bind: string): SaidCheck {
  if (!isLoopback(bind)) return invalid(wording('for-itself-only', { address }));
  return noted('address', 'address-invalid', phrase('address-loopback', { address }), 'for-a-rehearsal');
}

function good(name: PhraseName, values: PhraseValues): SaidCheck {
  return passed('address', 'address-invalid', phrase(name, values));
}

function invalid(reason: Wording): SaidCheck {
  return failed('address', { code: 'address-invalid', values: { reason } });
}
