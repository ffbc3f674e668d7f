import { FlashError } from '../errors';
import { REHEARSAL_MARK, makeFinalImage, makeUserImage, type ImageRole } from '../image';
import { isLoopback } from '../net/addresses';

/** The sizes of SonOTA's published files: a rehearsal takes as many requests as the real thing. */
const USER_BYTES = 239_220;
const FINAL_BYTES = 482_432;
/** Its author's name is what Tasmota is known by: the virtual Sonoff boots this image as that. */
const FINAL_TEXT = `${REHEARSAL_MARK}, which takes it for Tasmota by Theo Arends`;

const made = new Map<ImageRole, Buffer>();

/** An image for a rehearsal: sound in every field, so that every check passes, and of no use. Made once. */
export function rehearsalImage(role: ImageRole): Buffer {
  const image = made.get(role) ?? makeImage(role);
  made.set(role, image);
  return image;
}

function makeImage(role: ImageRole): Buffer {
  if (role === 'final') return makeFinalImage({ size: FINAL_BYTES, seed: 3, text: FINAL_TEXT, redundancy: 0.3 });
  return makeUserImage({
    slot: role === 'user1' ? 1 : 2,
    size: USER_BYTES,
    seed: role === 'user1' ? 1 : 2,
    text: REHEARSAL_MARK,
  });
}

/**
 * Keeps rehearsal images from a real device, which would be lost with one.
 *
 * @param peer the device's address; a virtual Sonoff is on this machine
 * @throws FlashError `rehearsal-only`
 */
export function refuseRehearsalImages(images: readonly { bytes: Buffer }[], peer: string): void {
  if (isLoopback(peer)) return;
  if (images.some(({ bytes }) => bytes.includes(REHEARSAL_MARK))) throw new FlashError('rehearsal-only', { peer });
}
