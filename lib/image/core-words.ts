/**
 * The length and the CRC-32 that `elf2bin` of the Arduino core 3 writes into the first eight bytes of the application's
 * first segment, over the zeros with which it made the checksum of that part. eboot reads neither.
 */

import type { ImagePart } from './facts';
import { APP_OFFSET } from './flash-map';

/** Behind the part's header and its first segment's. */
const LENGTH_OFFSET = APP_OFFSET + 16;
const WORDS_BYTES = 8;

/** Polynomial 04C11DB7, most significant bit first. */
const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/**
 * The application with its checksum as it was made, where both words are there and the CRC-32 is right; else the part as
 * it was read.
 */
export function beforeCoreWords(bytes: Uint8Array, app: ImagePart): ImagePart {
  if (app.checksum.valid || (app.segments[0]?.length ?? 0) < WORDS_BYTES) return app;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(LENGTH_OFFSET, true);
  if (length < app.end || length > bytes.length) return app;
  if (coreCrc(bytes, length) !== view.getUint32(LENGTH_OFFSET + 4, true)) return app;
  const words = bytes.subarray(LENGTH_OFFSET, LENGTH_OFFSET + WORDS_BYTES);
  const computed = words.reduce((sum, byte) => sum ^ byte, app.checksum.computed);
  return { ...app, checksum: { ...app.checksum, computed, valid: app.checksum.stored === computed } };
}

/** CRC-32 with the start FFFFFFFF and no final xor; the words count as zeros. */
function coreCrc(bytes: Uint8Array, length: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < length; at++) {
    const isWord = at >= LENGTH_OFFSET && at < LENGTH_OFFSET + WORDS_BYTES;
    crc = (crc << 8) ^ (TABLE[(crc >>> 24) ^ (isWord ? 0 : (bytes[at] ?? 0))] ?? 0);
  }
  return crc >>> 0;
}
