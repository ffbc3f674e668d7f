import { asFlashError } from '../errors';
import { isLoopback } from '../net/addresses';
import { type FirmwareSources } from '../firmware/firmware';
import { loadFirmware } from '../flash/routes/load-firmware';
import type { FlashHost } from '../flash/host/host';
import { chosenRoute } from '../flash/routes/choice';
import { refuseRehearsalImages } from '../firmware/rehearsal';
import { failed, noted, passed, type SaidCheck } from './check';
import { phrase } from './phrases';

/** For one fetch over the network, in ms. */
const FETCH_LIMIT_MS = 60_000;

/**
 * All images are there and fit, examined as ota-serve examines them.
 *
 * @throws FlashError `cancelled`
 */
export async function checkFirmware(
  host: FlashHost,
  sources: FirmwareSources,
  signal: AbortSignal,
): Promise<SaidCheck> {
  try {
    const options = { signal, limitMs: FETCH_LIMIT_MS, library: host.library };
    const { user1, user2, final } = await loadFirmware(sources, options);
    const images = [user1, user2, final];
    if (host.address !== undefined && !isLoopback(host.address) && areForRehearsal(images, host.address)) {
      return noted('firmware', 'rehearsal-only', phrase('firmware-rehearsal'), 'choose-real-firmware');
    }
    const [packed, second, whole] = images.map(({ bytes }) => bytes.length) as [number, number, number];
    const text = chosenRoute(sources).isPacked
      ? phrase('firmware-one-hop', { final: whole, packed })
      : phrase('firmware-pair', { user1: packed, user2: second, final: whole });
    return passed('firmware', 'firmware-missing', text);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return failed('firmware', asFlashError(thrown));
  }
}

/** For a check of the machine alone: ready it is not called without a firmware. */
export function firmwareNotChosen(): SaidCheck {
  return noted('firmware', 'firmware-missing', phrase('firmware-not-chosen'), 'choose-firmware');
}

function areForRehearsal(images: readonly { bytes: Buffer }[], peer: string): boolean {
  try {
    refuseRehearsalImages(images, peer);
    return false;
  } catch {
    return true;
  }
}
