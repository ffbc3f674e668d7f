import { HomeNetwork, type Home } from '../../net/home-network';
import { interfacesJoinedTo } from '../../net/wifi/choose';
import { FollowingFile } from '../../storage/following-file';
import { ipv4, object, optional, text } from '../../storage/schema';
import type { StoredFormat } from '../../storage/stored-file';

const FILE = 'home-address.json';
const FORMAT: StoredFormat<Home> = {
  format: 'sonota-home-address/1',
  schema: object<Home>({ address: ipv4, name: optional(text(100)) }),
  unmarked: (content) => content,
};
/** The service that manages the Wi-Fi answers immediately, or hangs. */
export const WIFI_NAMES_LIMIT_MS = 3000;

const known = new Map<string, HomeNetwork>();

/**
 * This machine's place on the home network, one for all hosts: remembered in `folder`, so that a restart in a device's
 * access point does not lose it.
 *
 * @param folder undefined = remembered for as long as the process lives
 * @param onTrouble called for a file that cannot be used or written
 */
export function homeNetworkIn(folder: string | undefined, onTrouble: (text: string) => void): HomeNetwork {
  const key = folder ?? '';
  const home = known.get(key) ?? recallHome(folder, onTrouble);
  known.set(key, home);
  return home;
}

/** As it was remembered, for a process that has only just started. */
export function recallHome(folder: string | undefined, onTrouble: (text: string) => void): HomeNetwork {
  const file = new FollowingFile(folder === undefined ? undefined : { folder, name: FILE }, FORMAT, onTrouble);
  const network = new HomeNetwork({ remembered: file.read(), joinedTo });
  // A choice that cannot be written is found again, only not in a device's access point.
  network.on('changed', (home) => file.follow(() => home));
  return network;
}

async function joinedTo(ssid: string): Promise<readonly string[]> {
  return interfacesJoinedTo(ssid, AbortSignal.timeout(WIFI_NAMES_LIMIT_MS)).catch(() => []);
}
