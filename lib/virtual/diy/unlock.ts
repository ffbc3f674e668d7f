import { pause } from '../device/timers';
import type { DiyContext } from './context';
import type { LanAnswer } from './lan-answer';
import { askVendor } from './vendor-call';

/** No server can be reached at the vendor's name. */
const UNREACHED = 503;

/**
 * `ota_unlock` (docs/dev/diy-mode.md#1.8). What it comes to stays over power cycles. Rejects where its connection goes
 * before that.
 */
export async function unlock(device: DiyContext, gone: AbortSignal): Promise<LanAnswer> {
  const { settings, behaviours, timings } = device;
  if (settings.otaUnlock) return { error: 0 };
  await pause(timings.unlocks, gone);
  switch (behaviours.unlock) {
    case 'vendor':
      settings.otaUnlock = true;
      return { error: 0 };
    case 'lies':
      return { error: 0 };
    case 'hangs':
      await pause(timings.unlockHangs, gone);
      return 'close';
    case 'asks': {
      const error = (await askVendor(device, gone)) ?? UNREACHED;
      settings.otaUnlock = error === behaviours.unlocksOn;
      return { error: settings.otaUnlock ? 0 : error };
    }
    default:
      return { error: behaviours.unlock };
  }
}
