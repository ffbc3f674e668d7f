import { pause } from '../../../client/diy/turns';
import { asFlashError } from '../../../errors';
import { findDevice, type FoundDevice, type Wanted } from './found-device';

/** Between two looks at a device that is there, but not in DIY mode. */
const LOOK_AGAIN_MS = 5000;

/**
 * Waits until a device is in DIY mode on the home network. One that is there in eWeLink mode may change over meanwhile.
 *
 * @throws FlashError `device-unknown` where none is named and several are in DIY mode; the signal's reason
 */
export async function untilInDiyMode(wanted: Wanted, signal: AbortSignal): Promise<FoundDevice> {
  for (;;) {
    try {
      return await findDevice(wanted, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      if (asFlashError(thrown).code === 'device-unknown') throw thrown;
    }
    await pause(LOOK_AGAIN_MS, signal);
  }
}
