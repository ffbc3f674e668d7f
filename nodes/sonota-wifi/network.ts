import { FlashError } from '../../lib/errors';
import type { WifiNetwork } from '../../lib/net/wifi/wifi';
import { kindOf, type AccessPointKind } from '../../lib/protocol/access-points';
import { AP_PASSWORD, refuseOuterSpaces } from '../../lib/protocol/ap';
import {
  ACCESS_POINT,
  FINALSTAGE_NETWORK,
  NEW_FIRMWARE_NETWORK,
  type DeviceNetwork,
} from '../../lib/protocol/device-networks';
import type { MessageValues } from '../shared/messages';
import type { Values } from '../shared/values';

type Known = Pick<WifiNetwork, 'psk' | 'address' | 'peer'>;

/** The same in every network that a device makes: no form needs to ask for it. */
const KNOWN: Partial<Record<AccessPointKind['kind'], Known>> = {
  stock: { psk: AP_PASSWORD, ...guestOf(ACCESS_POINT) },
  finalstage: guestOf(FINALSTAGE_NETWORK, { fixed: true }),
  tasmota: guestOf(NEW_FIRMWARE_NETWORK),
  esphome: guestOf(NEW_FIRMWARE_NETWORK),
};

function guestOf({ device: peer, cidr }: DeviceNetwork, { fixed = false } = {}): Known {
  return { address: { cidr, fixed }, peer };
}

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
  refuseOuterSpaces('home-wifi-name', ssid);
  refuseOuterSpaces('home-wifi-password', password);
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
