import { FlashError } from '../../lib/errors';
import type { WifiNetwork } from '../../lib/net/wifi/wifi';
import { kindOf, type AccessPointKind } from '../../lib/protocol/access-points';
import { AP_ADDRESS, AP_PASSWORD, refuseOuterSpaces } from '../../lib/protocol/ap';
import { FINALSTAGE_ADDRESS, FINALSTAGE_HOST_ADDRESS } from '../../lib/protocol/finalstage';
import type { MessageValues } from '../shared/messages';
import type { Values } from '../shared/values';

type Known = Pick<WifiNetwork, 'psk' | 'address' | 'peer'>;

/** What is the same in every network that a device makes: nobody needs to fill it in. */
const KNOWN: Partial<Record<AccessPointKind['kind'], Known>> = {
  stock: { psk: AP_PASSWORD, address: { cidr: '10.10.7.2/24', fixed: false }, peer: AP_ADDRESS },
  finalstage: { address: { cidr: `${FINALSTAGE_HOST_ADDRESS}/24`, fixed: true }, peer: FINALSTAGE_ADDRESS },
  // The ESP8266's own default network.
  tasmota: { address: { cidr: '192.168.4.2/24', fixed: false }, peer: '192.168.4.1' },
  esphome: { address: { cidr: '192.168.4.2/24', fixed: false }, peer: '192.168.4.1' },
};

/**
 * The network that a form names, with its credentials, or else a message.
 *
 * @throws FlashError `wifi-network-missing`, `wifi-address-invalid`, `wifi-credentials-unusable`
 */
export function networkOf(form: Values, said: MessageValues): WifiNetwork {
  const ssid = form.exactText('ssid') || said.exactText('ssid') || undefined;
  if (ssid === undefined) throw new FlashError('wifi-network-missing');
  const known = KNOWN[kindOf(ssid).kind] ?? {};
  const address = form.text('address') ?? said.text('address');
  const bssid = said.text('bssid')?.toUpperCase();
  const password = form.exactText('password') || said.password();
  refuseOuterSpaces('Wi-Fi name', ssid);
  refuseOuterSpaces('Wi-Fi password', password);
  const psk = password ?? known.psk;
  return {
    ssid,
    bssid,
    psk: psk === '' ? undefined : psk,
    address: address === undefined ? known.address : { cidr: checked(address), fixed: true },
    peer: known.peer,
  };
}

function checked(address: string): string {
  const octet = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)';
  if (new RegExp(`^${octet}(\\.${octet}){3}/([1-9]|[12]\\d|3[0-2])$`).test(address)) return address;
  throw new FlashError('wifi-address-invalid', { address: address.slice(0, 40) });
}
