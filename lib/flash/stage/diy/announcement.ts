import { SonoffDiscovery, type DiscoveryOptions } from '../../../client/diy/discovery';
import { pause } from '../../../client/diy/turns';
import { localIPv4 } from '../../../net/addresses';
import type { Seen } from '../../verdict/observation';

/** Rehearsals are announced there. */
const LOOPBACK = { address: '127.0.0.1', netmask: '255.0.0.0' };

export function openDiscovery(options?: DiscoveryOptions): SonoffDiscovery {
  return new SonoffDiscovery({ interfaces: () => [...localIPv4(), LOOPBACK], ...options });
}

/**
 * Asks whether a device that has announced itself still answers by mDNS. A goodbye proves nothing: it is said in passing
 * troubles too (docs/dev/diy-mode.md#1.5).
 *
 * @returns undefined where nothing was heard, but this machine cannot hear everywhere
 * @throws FlashError `cancelled`
 */
export async function askAnnounced(
  deviceid: string,
  options: DiscoveryOptions | undefined,
  signal: AbortSignal,
): Promise<Seen<'stock-gone'>['announcement']> {
  const discovery = openDiscovery(options);
  let isDeaf = false;
  discovery.on('trouble', () => (isDeaf = true));
  try {
    discovery.start();
    const lookMs = discovery.lookAgain();
    await pause(lookMs, signal);
    if (discovery.hears(deviceid)) return 'there';
    return isDeaf || lookMs === 0 ? undefined : 'gone';
  } finally {
    await discovery.close();
  }
}
