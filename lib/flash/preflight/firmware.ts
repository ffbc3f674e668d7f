import { asFlashError } from '../../errors';
import { isLoopback } from '../../net/addresses';
import { intermediateOf, loadFirmware, type FirmwareSources } from '../firmware/firmware';
import type { FlashHost } from '../host/host';
import { refuseRehearsalImages } from '../firmware/rehearsal';
import { failed, noted, passed, type Check } from './check';

/** For one fetch over the network, in ms. */
const FETCH_LIMIT_MS = 60_000;

/**
 * All images are there and fit, examined as ota-serve examines them.
 *
 * @throws FlashError `cancelled`
 */
export async function checkFirmware(host: FlashHost, sources: FirmwareSources, signal: AbortSignal): Promise<Check> {
  try {
    const options = { signal, limitMs: FETCH_LIMIT_MS, library: host.library };
    const { user1, user2, final } = await loadFirmware(sources, options);
    const images = [user1, user2, final];
    const list =
      intermediateOf(sources) === 'one-hop'
        ? `final with ${final.bytes.length} bytes, which are ${user1.bytes.length} packed for one hop`
        : images.map(({ role, bytes }) => `${role} with ${bytes.length} bytes`).join(', ');
    if (host.address !== undefined && !isLoopback(host.address) && areForRehearsal(images, host.address)) {
      const text = 'This firmware is made for rehearsals; no real device will be given it.';
      return noted('firmware', 'rehearsal-only', text, 'Choose a real final image and the FinalStage pair.');
    }
    return passed('firmware', 'firmware-missing', `The firmware is complete and was examined: ${list}.`);
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return failed('firmware', asFlashError(thrown));
  }
}

function areForRehearsal(images: readonly { bytes: Buffer }[], peer: string): boolean {
  try {
    refuseRehearsalImages(images, peer);
    return false;
  } catch {
    return true;
  }
}
