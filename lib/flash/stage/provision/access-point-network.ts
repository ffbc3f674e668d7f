import { FlashError } from '../../../errors';
import { routedAddress } from '../../../net/addresses';
import { AP_ADDRESS } from '../../../protocol/ap';
import { ACCESS_POINT, isInNetwork } from '../../../protocol/device-networks';
import { wording } from '../../../wordings/wording';

/**
 * Refuses what answers at the address of every access point but is reached over another network, through a router or a
 * tunnel: the password of the home Wi-Fi is for a device in its own access point alone. Where a person has given another
 * address, as in a rehearsal, that is taken as it is.
 *
 * @param towards this machine's address on the interface that reaches another one
 * @throws FlashError `ap-refused`
 */
export async function requireItsNetwork(url: string, towards: typeof routedAddress = routedAddress): Promise<void> {
  if (new URL(url).hostname !== AP_ADDRESS) return;
  const own = await towards(AP_ADDRESS);
  if (own !== undefined && isInNetwork(own, ACCESS_POINT)) return;
  const reason = own === undefined ? wording('other-network-unreached') : wording('other-network', { own });
  throw new FlashError('ap-refused', { url, reason });
}
