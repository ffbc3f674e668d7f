/**
 * The two words that the Arduino core writes into a final image when it builds it: its length, and a CRC-32 over so many
 * bytes, in which both words count as zeros (esp8266/Arduino tools/elf2bin.py). No boot loader reads them.
 *
 * Core 2.7 has them in the padding behind the boot loader, core 3 in the first bytes of the application's first segment,
 * over the zeros with which the checksum of that part was made. Before 2.7 there were none.
 */

import { EBOOT_ADDRESS } from './eboot';
import type { CoreState, CoreVersion, CoreWords, ImageFacts, ImagePart } from './facts';
import { APP_OFFSET } from './flash-map';
import { HEADER_BYTES, LARGEST_FLASH, SEGMENT_HEADER_BYTES } from './format';
import type { ImageReason } from '../wordings/image-file';
import { wording, type Wording, type WordingValues } from '../wordings/wording';

export const WORDS_OFFSET: Readonly<Record<CoreVersion, number>> = {
  '2.7': APP_OFFSET - 8,
  '3': APP_OFFSET + HEADER_BYTES + SEGMENT_HEADER_BYTES,
};
export const WORDS_BYTES = 8;

/** How `arduino signing` ends a file: an RSA signature of 2048 bits, and its length. */
const SIGNATURE_BYTES = 256;
const SIGNED_BYTES = SIGNATURE_BYTES + 4;

/** Polynomial 04C11DB7, most significant bit first. Signed, as the engine keeps such numbers out of the heap. */
const TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/**
 * The words of a final image, and what lies behind the image: behind the length that they tell where they are valid,
 * else behind the application.
 */
export function readCoreWords(bytes: Uint8Array, boot: ImagePart, app: ImagePart): CoreWords {
  const words = readWords(bytes, boot, app);
  const end = words.state === 'valid' ? words.length : app.end;
  return { ...words, behind: behindImage(bytes.subarray(end)) };
}

function readWords(bytes: Uint8Array, boot: ImagePart, app: ImagePart): CoreState {
  const places = placesOf(boot, app);
  const valid = places.find((core) => isValid(bytes, core, app));
  const core = valid ?? places.find((place) => isWrong(bytes, place, app));
  if (!core) return { state: 'absent' };
  return { state: valid ? 'valid' : 'wrong', core, length: wordsAt(bytes, core)[0] };
}

function placesOf(boot: ImagePart, app: ImagePart): CoreVersion[] {
  const places: CoreVersion[] = [];
  if (boot.end <= WORDS_OFFSET['2.7']) places.push('2.7');
  if ((app.segments[0]?.length ?? 0) >= WORDS_BYTES) places.push('3');
  return places;
}

function isValid(bytes: Uint8Array, core: CoreVersion, app: ImagePart): boolean {
  const [length, crc] = wordsAt(bytes, core);
  return length >= app.end && length <= bytes.length && coreCrc(bytes, core, length) === crc;
}

/** Whether there are words at all, although they do not fit: padding is one byte over and over. */
function isWrong(bytes: Uint8Array, core: CoreVersion, app: ImagePart): boolean {
  const words = bytesOfWords(bytes, core);
  return core === '2.7' ? words.some((byte) => byte !== words[0]) : isNoCode(bytes, app);
}

/** In the place of core 3 there may as well be code, unless one of the words fits or the checksum passed them over. */
function isNoCode(bytes: Uint8Array, app: ImagePart): boolean {
  const [length, crc] = wordsAt(bytes, '3');
  return isPassedOver(bytes, app) || length === app.end || crc === coreCrc(bytes, '3', app.end);
}

function isPassedOver(bytes: Uint8Array, app: ImagePart): boolean {
  return !app.checksum.valid && checksumBeforeWords(bytes, app) === app.checksum.stored;
}

/**
 * The application with its checksum as it was made: over zeros, where the words of core 3 stand. One that is right over
 * the bytes as they are is right, too.
 */
export function beforeCoreWords(bytes: Uint8Array, app: ImagePart, words: CoreWords): ImagePart {
  if (words.state === 'absent' || words.core !== '3' || !isPassedOver(bytes, app)) return app;
  return { ...app, checksum: { ...app.checksum, computed: app.checksum.stored, valid: true } };
}

/** Writes both words into an image that ends with its application. */
export function writeCoreWords(image: Buffer, core: CoreVersion, length = image.length): void {
  image.writeUInt32LE(length, WORDS_OFFSET[core]);
  image.writeUInt32LE(coreCrc(image, core, length), WORDS_OFFSET[core] + 4);
}

/**
 * What keeps a final image from being whole, as far as its words and its boot loader tell; undefined where nothing does.
 * Without the words it is damaged only where every build with its boot loader has them.
 */
export function damageOf(
  facts: ImageFacts,
): { code: 'image-invalid' | 'image-truncated'; reason: Wording } | undefined {
  const { size, coreWords: words, ebootRelease, segments } = facts;
  const invalid = (code: ImageReason, values?: WordingValues) =>
    ({ code: 'image-invalid', reason: wording(code, values) }) as const;
  if (segments[0]?.address === EBOOT_ADDRESS) return invalid('image-loader-twice');
  if (words?.state === 'wrong') {
    if (words.length > size && words.length <= LARGEST_FLASH) {
      return {
        code: 'image-truncated',
        reason: wording('image-core-cut', { size, built: words.length }),
      };
    }
    return invalid('image-crc');
  }
  if (words?.state === 'absent' && ebootRelease !== undefined && ebootRelease !== 'before-2.7') {
    return invalid('image-crc-gone', { core: ebootRelease });
  }
  if (words?.state === 'valid' && words.behind === 'other') {
    return invalid('image-bytes-behind', { count: size - words.length, length: words.length });
  }
  return undefined;
}

function behindImage(rest: Uint8Array): CoreWords['behind'] {
  if (rest.length === 0) return 'nothing';
  if (rest.every((byte) => byte === 0xff)) return 'erased';
  const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
  const signed = rest.length === SIGNED_BYTES && view.getUint32(SIGNATURE_BYTES, true) === SIGNATURE_BYTES;
  return signed ? 'signature' : 'other';
}

function checksumBeforeWords(bytes: Uint8Array, app: ImagePart): number {
  return bytesOfWords(bytes, '3').reduce((sum, byte) => sum ^ byte, app.checksum.computed);
}

function wordsAt(bytes: Uint8Array, core: CoreVersion): [length: number, crc: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(WORDS_OFFSET[core], true), view.getUint32(WORDS_OFFSET[core] + 4, true)];
}

function bytesOfWords(bytes: Uint8Array, core: CoreVersion): Uint8Array {
  return bytes.subarray(WORDS_OFFSET[core], WORDS_OFFSET[core] + WORDS_BYTES);
}

/** CRC-32 with the start FFFFFFFF and no final xor. */
function coreCrc(bytes: Uint8Array, core: CoreVersion, length: number): number {
  const words = WORDS_OFFSET[core];
  let crc = crcOver(bytes.subarray(0, words), -1);
  crc = crcOver(new Uint8Array(WORDS_BYTES), crc);
  return crcOver(bytes.subarray(words + WORDS_BYTES, length), crc) >>> 0;
}

function crcOver(bytes: Uint8Array, start: number): number {
  let crc = start;
  for (let at = 0; at < bytes.length; at++) crc = (crc << 8) ^ (TABLE[(crc >>> 24) ^ (bytes[at] ?? 0)] ?? 0);
  return crc;
}
