/** From the bytes of a file to the facts about the ESP8266 image in it. */

import { digestOf } from './digest';
import { FlashError } from '../errors';
import { beforeCoreWords, readCoreWords } from './core-words';
import { espressifCrc } from './crc32';
import { ebootGeneration, ebootRelease } from './eboot';
import type { ImageFacts, ImageKind, ImageName, ImagePart, Segment } from './facts';
import { APP_OFFSET } from './flash-map';
import { refuseForeign } from './foreign';
import {
  CRC_BYTES,
  FLASH_FREQUENCIES,
  FLASH_MODES,
  FLASH_SIZES,
  HEADER_BYTES,
  IROM_OFFSET,
  LARGEST_FLASH,
  LINE_BYTES,
  MAGIC_V1,
  MAGIC_V2,
  SLOT_IROM_ADDRESS,
  V2_MARK,
  hex,
  isMappedFlash,
} from './format';
import { linkedFlashBytes } from './linked-flash';
import { placeElsewhere } from './linked-place';
import { isMinimalBuild } from './minimal';
import { oneHopDescriptor } from './one-hop/read';
import { readPart } from './part';
import { countSlotWords, slotOf } from './slot';
import { imageNamed } from './name';
import type { ImageReason } from '../wordings/image-file';
import { wording, type WordingValues } from '../wordings/wording';

/**
 * Reads an image of either version. Wrong checksums are facts; whether the image may be used is for `checkForTarget`.
 *
 * @param name of the image in an error
 * @throws FlashError image-invalid or image-truncated (`reason` says what is wrong), image-compressed, image-web-page
 * or image-wrong-chip
 */
export function readImage(bytes: Uint8Array, name: ImageName = 'given'): ImageFacts {
  refuseForeign(bytes, name);
  if (bytes[0] === MAGIC_V2) return readUserImage(bytes, name);
  if (bytes[0] === MAGIC_V1) return readFlashImage(bytes, name);
  const first = Buffer.from(bytes.subarray(0, 4)).toString('hex').toUpperCase();
  throw new FlashError('image-invalid', { what: imageNamed(name), reason: wording('image-magic', { first }) });
}

/** v2: an outer header, the irom part that stays in flash, a complete v1 image for the RAM, perhaps a CRC-32. */
function readUserImage(bytes: Uint8Array, name: ImageName): ImageFacts {
  const what = imageNamed(name);
  const size = bytes.length;
  const refuse = (reason: ImageReason, values?: WordingValues): never => {
    throw new FlashError('image-invalid', { what, reason: wording(reason, values) });
  };
  const cutOff = (reason: ImageReason, values?: WordingValues): never => {
    throw new FlashError('image-truncated', { what, reason: wording(reason, values) });
  };
  if (bytes.length < IROM_OFFSET) cutOff('image-header-cut', { size });
  if (bytes[1] !== V2_MARK) refuse('image-magic-user');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const address = view.getUint32(HEADER_BYTES, true);
  const length = view.getUint32(HEADER_BYTES + 4, true);
  if (address !== 0) refuse('irom-address', { address: hex(address) });
  if (length % LINE_BYTES !== 0) refuse('irom-length', { length, unit: LINE_BYTES });
  if (IROM_OFFSET + length > bytes.length) {
    const tell = IROM_OFFSET + length > LARGEST_FLASH ? refuse : cutOff;
    tell('irom-long', { size, end: IROM_OFFSET + length });
  }
  const inner = readPart(bytes, IROM_OFFSET + length, name, 'part-ram');
  const crc = crcState(bytes, inner.end);
  if (crc === 'cut') cutOff('image-crc-cut');
  const irom = bytes.subarray(IROM_OFFSET, IROM_OFFSET + length);
  const slotWords = countSlotWords(irom);
  const elsewhere = placeElsewhere(irom, bytes.subarray(inner.offset, inner.end));
  const slot = elsewhere === undefined ? slotOf(slotWords, length) : undefined;
  const oneHop = oneHopDescriptor(bytes, inner.segments);
  return {
    ...common(bytes, 'user', [inner]),
    trailing: bytes.length - inner.end - (crc === 'absent' ? 0 : CRC_BYTES),
    irom: { address: elsewhere ?? (slot ? SLOT_IROM_ADDRESS[slot] : 0), offset: IROM_OFFSET, length },
    slot,
    slotWords,
    crc: crc === 'cut' ? 'absent' : crc,
    ...(oneHop && { oneHop }),
  };
}

/** v1: what the boot ROM loads from flash 0. What stands at 0x1000 tells whether it is a whole firmware. */
function readFlashImage(bytes: Uint8Array, name: ImageName): ImageFacts {
  const boot = readPart(bytes, 0, name, 'part-boot');
  const next = boot.end <= APP_OFFSET ? bytes[APP_OFFSET] : undefined;
  if (next === MAGIC_V2 && bytes[APP_OFFSET + 1] === V2_MARK) return common(bytes, 'stock', [boot]);
  if (next !== MAGIC_V1) return common(bytes, 'plain', [boot]);
  const read = readPart(bytes, APP_OFFSET, name, 'part-application');
  const coreWords = readCoreWords(bytes, boot, read);
  const app = beforeCoreWords(bytes, read, coreWords);
  const irom = app.segments.find((segment) => isMappedFlash(segment.address));
  return {
    ...common(bytes, 'final', [boot, app]),
    trailing: bytes.length - (coreWords.state === 'valid' ? coreWords.length : app.end),
    ...(irom && { irom }),
    eboot: ebootGeneration(boot),
    ebootRelease: ebootRelease(bytes, boot),
    coreWords,
    linkedFlashBytes: linkedFlashBytes(bytes, app),
    minimal: isMinimalBuild(bytes),
  };
}

function common(bytes: Uint8Array, kind: ImageKind, parts: readonly [ImagePart, ...ImagePart[]]): ImageFacts {
  const started: { entry: number; segments: readonly Segment[]; end: number } = parts.at(-1) ?? parts[0];
  const flashModeByte = bytes[2] ?? 0;
  const sizeAndFrequency = bytes[3] ?? 0;
  return {
    kind,
    magic: bytes[0] === MAGIC_V2 ? MAGIC_V2 : MAGIC_V1,
    version: bytes[0] === MAGIC_V2 ? 2 : 1,
    size: bytes.length,
    sha256: digestOf(bytes),
    flashMode: FLASH_MODES[flashModeByte],
    flashModeByte,
    flashSize: FLASH_SIZES[sizeAndFrequency >> 4],
    flashSizeCode: sizeAndFrequency >> 4,
    flashFrequency: FLASH_FREQUENCIES[sizeAndFrequency & 15],
    entry: started.entry,
    segments: started.segments,
    checksumValid: parts.every((part) => part.checksum.valid),
    parts,
    trailing: bytes.length - started.end,
    lengthMultipleOf4: bytes.length % 4 === 0,
  };
}

/**
 * The CRC-32 of a user image stands right behind it. Tools before 2018 wrote none, and the slot cut out of a dump goes
 * on with erased flash (FF), so only what is there and does not fit is `wrong`.
 */
function crcState(bytes: Uint8Array, end: number): 'valid' | 'wrong' | 'absent' | 'cut' {
  const rest = bytes.subarray(end);
  if (rest.length === 0) return 'absent';
  if (rest.length < CRC_BYTES) return 'cut';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(end, true) === espressifCrc(bytes.subarray(0, end))) return 'valid';
  const behind = rest.subarray(CRC_BYTES);
  const erased = behind.length > 0 && rest.subarray(0, CRC_BYTES).every((byte) => byte === 0xff);
  return !erased && behind.every((byte) => byte === 0xff) ? 'wrong' : 'absent';
}
