import { HomeAddress } from '../../net/home-address';
import { FollowingFile } from '../kept/following-file';
import { ipv4, object } from '../kept/schema';
import type { StoredFormat } from '../kept/stored-file';

const FILE = 'home-address.json';
const FORMAT: StoredFormat<{ address: string }> = {
  format: 'sonota-home-address/1',
  schema: object({ address: ipv4 }),
  unmarked: (content) => content,
};

const known = new Map<string, HomeAddress>();

/**
 * This machine's address on the home network, one for all hosts: remembered in `folder`, so that a restart in a
 * device's access point does not lose it.
 *
 * @param folder undefined = remembered for as long as the process lives
 * @param onTrouble told of a file that cannot be used or written
 */
export function homeAddressIn(folder: string | undefined, onTrouble: (text: string) => void): HomeAddress {
  const key = folder ?? '';
  const address = known.get(key) ?? recall(folder, onTrouble);
  known.set(key, address);
  return address;
}

function recall(folder: string | undefined, onTrouble: (text: string) => void): HomeAddress {
  const file = new FollowingFile(folder === undefined ? undefined : { folder, name: FILE }, FORMAT, onTrouble);
  const remembered = file.read()?.address;
  const home = new HomeAddress(remembered === undefined ? {} : { remembered });
  // What cannot be written is found again, only not in a device's access point.
  home.on('changed', (address) => file.follow(() => ({ address })));
  return home;
}
