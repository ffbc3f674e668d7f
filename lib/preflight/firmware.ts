import { asFlashError, FlashError } from '../errors';
import { isLoopback } from '../net/addresses';
import { findingsInDiyMode } from '../firmware/diy-findings';
import { loadImages, type FirmwareSources } from '../firmware/firmware';
import { loadFirmware } from '../flash/routes/load-firmware';
import type { FlashHost } from '../flash/host/host';
import { DIY } from '../flash/routes';
import { chosenRoute } from '../flash/routes/choice';
import { DIY_LIMIT, DIY_PROVEN, imageNamed, isRefusal } from '../image';
import { refuseRehearsalImages } from '../firmware/rehearsal';
import { failed, noted, passed, type SaidCheck } from './check';
import { phrase, sentence } from './phrases';

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
    const inDiyMode = (await findingsInDiyMode(final.bytes, [])).find(isRefusal);
    if (inDiyMode) {
      const what = sentence(inDiyMode.code, 'what', inDiyMode.values);
      return noted('firmware', inDiyMode.code, phrase('firmware-not-for-diy', { what }), 'choose-smaller');
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

/**
 * The same for a flash in DIY mode, which takes the final image alone, and less of it.
 *
 * @throws FlashError `cancelled`
 */
export async function checkFirmwareForDiy(
  host: FlashHost,
  sources: FirmwareSources,
  signal: AbortSignal,
): Promise<SaidCheck> {
  try {
    const options = { signal, limitMs: FETCH_LIMIT_MS, library: host.library };
    const { final } = await loadImages(DIY, sources, options);
    if (!final) throw new FlashError('firmware-missing', { what: imageNamed('final') });
    if (host.address !== undefined && !isLoopback(host.address) && areForRehearsal([final], host.address)) {
      return noted('firmware', 'rehearsal-only', phrase('firmware-rehearsal'), 'choose-real-firmware');
    }
    const size = final.bytes.length;
    if (size > DIY_PROVEN) {
      const text = phrase('firmware-near-diy-limit', { size, proven: DIY_PROVEN, limit: DIY_LIMIT });
      return noted('firmware', 'image-too-large', text, 'choose-smaller');
    }
    return passed('firmware', 'firmware-missing', phrase('firmware-diy', { final: size }));
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
