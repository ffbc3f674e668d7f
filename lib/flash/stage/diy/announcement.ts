import { SonoffDiscovery, type DiscoveryOptions } from '../../../client/diy/discovery';
import { pause } from '../../../timing/pause';
import type { Seen } from '../../observation';

/**
 * Asks whether a device that has announced itself still answers by mDNS. A goodbye proves nothing: it is also sent in passing
 * trouble (docs/dev/diy-mode.md#1.5).
 *
 * @returns undefined where nothing was received, but this machine cannot receive on every interface
 * @throws the signal's reason
 */
export async function askAnnounced(
  deviceid: string,
  options: DiscoveryOptions | undefined,
  signal: AbortSignal,
): Promise<Seen<'stock-gone'>['announcement']> {
  const discovery = new SonoffDiscovery(options);
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
