/**
 * The one-hop image: a final image and the relocator (firmware/one-hop) in one file for either slot. Stock firmware
 * writes it as an update of its own; started, it puts the final image to the beginning of the flash.
 */

import { inflateRawSync } from 'node:zlib';
import { buildImage } from '../build';
import { checkForTarget } from '../check';
import { crc32 } from '../crc32';
import { DOUT_BYTE, FLASH_SIZE_1MB } from '../format';
import { writeDescriptor } from './descriptor';
import { layoutFor, payloadOf, relocatorSegments, type Payload } from './layout';
import { RELOCATOR } from './relocator';

/** Most bytes that a slot file has over its payload. */
export const MOST_OVERHEAD = 5632;

const FLASH_BYTES = [DOUT_BYTE, FLASH_SIZE_1MB << 4] as const;
/** The content of erased flash. */
const ERASED = 0xff;

/**
 * The slot file of a final image: user1 and user2 alike. The same bytes come out of the same final image, as long as
 * Node's zlib is the same.
 *
 * @throws FlashError as `checkForTarget` for the target `one-hop`: among others image-too-large, where either the image or
 * what is made of it does not fit
 */
export function packOneHop(final: Uint8Array): Buffer {
  checkForTarget(final, 'one-hop');
  return slotFile(final, payloadOf(final));
}

/**
 * The same with a payload of one's own choice, and without a look at the image: for tests.
 *
 * @throws RangeError where the payload is not the final image, or the file would have more than `MOST_OVERHEAD` bytes
 * over it
 */
export function slotFile(final: Uint8Array, { coding, bytes: payload }: Payload): Buffer {
  const unpacked = coding === 'deflate' ? inflateRawSync(payload) : payload;
  if (Buffer.compare(unpacked, final) !== 0) throw new RangeError('The payload does not unpack to the final image.');
  const { iromLength, ...layout } = layoutFor(payload.length);
  const irom = Buffer.alloc(iromLength, ERASED);
  irom.set(payload);
  const descriptor = writeDescriptor({
    ...layout,
    coding,
    build: RELOCATOR.build,
    payloadLength: payload.length,
    finalLength: final.length,
    finalCrc: crc32(final),
  });
  const segments = [...relocatorSegments(), { address: RELOCATOR.descriptorAddress, data: descriptor }];
  const ram = { flash: FLASH_BYTES, entry: RELOCATOR.entry, segments };
  const image = buildImage({ kind: 'user', flash: FLASH_BYTES, entry: RELOCATOR.entry, irom, ram, crc: true });
  const overhead = image.length - payload.length;
  if (image.length !== layout.imageLength || overhead > MOST_OVERHEAD) {
    throw new RangeError(`A slot file of ${image.length} bytes for a payload of ${payload.length}.`);
  }
  return image;
}
