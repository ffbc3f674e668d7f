import { createHash } from 'node:crypto';
import { type Slot, slotAddress } from '../device/boot';
import type { DeviceContext } from '../device/context';
import { type Download, DownloadError } from './download';
import { downloadByRanges } from './range-download';
import { downloadPaced } from './paced-download';
import type { Upgrade } from './upgrade-command';
import { withLimit } from '../device/timers';
import { ReplyError } from '../wire/http-reply';
import { WireError } from '../wire/wire';

/**
 * Downloads an image into a slot and compares its digest with what reads back from the flash. Resolves to the
 * acknowledgement's code: 0, 404 for whatever went wrong on the way, 409 for the digest. Rejects with a Restart, or
 * the signal's reason.
 */
export async function runUpgrade(
  device: DeviceContext,
  upgrade: Upgrade,
  target: Slot,
  signal: AbortSignal,
): Promise<number> {
  let size: number;
  try {
    size = await withLimit(device.timings.upgrade, new DownloadError('upgrade time is over'), signal, (limited) => {
      const download: Download = { device, upgrade, address: slotAddress(target), signal: limited };
      return device.download === 'range' ? downloadByRanges(download) : downloadPaced(download);
    });
  } catch (error) {
    if (error instanceof DownloadError || error instanceof ReplyError || error instanceof WireError) {
      device.log(`download failed: ${error.message}`);
      return 404;
    }
    throw error;
  }
  const digest = createHash('sha256')
    .update(device.flash.read(slotAddress(target), size))
    .digest('hex');
  if (digest === upgrade.digest) return 0;
  device.log('digest of the written image is another one');
  return 409;
}
