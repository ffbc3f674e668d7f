/**
 * Images that are valid in every field and do nothing: firmware for rehearsals and tests, in the layout that the
 * real tools write. Their code is noise; a real device must never get one.
 */

import { espressifCrc } from './crc32';
import type { FlashMode } from './facts';
import {
  APP_OFFSET,
  CHECKSUM_SEED,
  CRC_BYTES,
  FLASH_MODES,
  FLASH_SIZES,
  HEADER_BYTES,
  IROM_OFFSET,
  LINE_BYTES,
  MAGIC_V1,
  MAGIC_V2,
  SEGMENT_HEADER_BYTES,
  SLOT_IROM_ADDRESS,
  SMALLEST_IMAGE,
  V2_MARK,
} from './format';
import { seededRandom } from './random';

export interface ImageOptions {
  /** Bytes wanted. The image has the largest size not above it that its format allows (16 n, or 16 n + 4 with CRC-32). */
  size?: number;
  /** The same seed gives the same bytes. */
  seed?: number;
  flashMode?: FlashMode;
  /** As esptool names it, such as `1MB` or `4MB`. */
  flashSize?: string;
  /** Stands, zero-terminated, in the part that stays in flash, as a build's own strings do. */
  text?: string;
}

export interface UserImageOptions extends ImageOptions {
  slot: 1 | 2;
  /** Whether the CRC-32 that tools since 2018 write stands behind the image. */
  crcTrailer?: boolean;
}

const TEXT_ADDRESS = 0x40100000;
const DATA_ADDRESS = 0x3ffe8000;
const RODATA_ADDRESS = 0x3ffe8400;
/** As in the eboot of the Arduino core before 2.6. */
const EBOOT_ADDRESS = 0x4010f000;
const EBOOT_BYTES = 0x568;
/** What the Arduino core fills the rest of sector 0 with. */
const SECTOR_FILL = 0xaa;
/** One word in so many of the irom part is an address in it, so that even the smallest image tells its slot. */
const POINTER_EVERY = 16;

const SMALLEST_FINAL = APP_OFFSET + 1024;
const LARGEST = 4 * 1024 * 1024;

interface SegmentData {
  readonly address: number;
  readonly data: Buffer;
}

/**
 * A v2 image for one slot, as esptool writes it. Default: 32 KiB, DOUT, 1MB, with CRC-32.
 *
 * @throws RangeError for a size under 4096 bytes (4100 with CRC-32) or a flash size that does not exist
 */
export function makeUserImage(options: UserImageOptions): Buffer {
  const { slot, size = 32768, seed = slot, text = '', crcTrailer = true } = options;
  const trailer = crcTrailer ? CRC_BYTES : 0;
  const body = wholeLines(size, SMALLEST_IMAGE + trailer, trailer);
  const random = seededRandom(seed);
  const [mode, sizeAndFrequency] = flashBytes(options);

  const ram = ramBytes(body);
  const inner = part(mode, sizeAndFrequency, TEXT_ADDRESS + 4, [
    { address: TEXT_ADDRESS, data: noise(ram / 2, random) },
    { address: DATA_ADDRESS, data: noise(ram / 2, random) },
  ]);
  const irom = iromData(body - IROM_OFFSET - inner.length, SLOT_IROM_ADDRESS[slot], text, random);
  const header = Buffer.alloc(IROM_OFFSET);
  header.set([MAGIC_V2, V2_MARK, mode, sizeAndFrequency]);
  header.writeUInt32LE(TEXT_ADDRESS + 4, 4);
  header.writeUInt32LE(irom.length, HEADER_BYTES + 4);
  const image = Buffer.concat([header, irom, inner]);
  if (!crcTrailer) return image;
  const crc = Buffer.alloc(CRC_BYTES);
  crc.writeUInt32LE(espressifCrc(image));
  return Buffer.concat([image, crc]);
}

/**
 * A final image: eboot in sector 0, the application behind it, as the Arduino core writes them. Default: 64 KiB, DOUT,
 * 1MB.
 *
 * @throws RangeError for a size under 5120 bytes or a flash size that does not exist
 */
export function makeFinalImage(options: ImageOptions = {}): Buffer {
  const { size = 65536, seed = 1, text = '' } = options;
  const app = wholeLines(size, SMALLEST_FINAL, 0) - APP_OFFSET;
  const random = seededRandom(seed);
  const [mode, sizeAndFrequency] = flashBytes(options);

  const sector = Buffer.alloc(APP_OFFSET, SECTOR_FILL);
  const eboot = part(mode, sizeAndFrequency, EBOOT_ADDRESS, [
    { address: EBOOT_ADDRESS, data: noise(EBOOT_BYTES, random) },
  ]);
  eboot.copy(sector);

  const ram = ramBytes(app);
  const others = HEADER_BYTES + 4 * SEGMENT_HEADER_BYTES + ram;
  const iromLength = app - wholePart(others);
  return Buffer.concat([
    sector,
    part(mode, sizeAndFrequency, TEXT_ADDRESS + 4, [
      { address: SLOT_IROM_ADDRESS[1], data: iromData(iromLength, SLOT_IROM_ADDRESS[1], text, random) },
      { address: TEXT_ADDRESS, data: noise(ram / 2, random) },
      { address: DATA_ADDRESS, data: noise(ram / 4, random) },
      { address: RODATA_ADDRESS, data: noise(ram / 4, random) },
    ]),
  ]);
}

/** A complete v1 image: header, segments, zeros, checksum as the last byte of a line. */
function part(mode: number, sizeAndFrequency: number, entry: number, segments: readonly SegmentData[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.set([MAGIC_V1, segments.length, mode, sizeAndFrequency]);
  header.writeUInt32LE(entry, 4);
  const pieces: Buffer[] = [header];
  let checksum = CHECKSUM_SEED;
  for (const { address, data } of segments) {
    const head = Buffer.alloc(SEGMENT_HEADER_BYTES);
    head.writeUInt32LE(address);
    head.writeUInt32LE(data.length, 4);
    pieces.push(head, data);
    for (const byte of data) checksum ^= byte;
  }
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const image = Buffer.concat(pieces, wholePart(length));
  image[image.length - 1] = checksum;
  return image;
}

/** Bytes of a v1 image whose header and segments have `length`: the checksum always has a place behind them. */
function wholePart(length: number): number {
  return (length | (LINE_BYTES - 1)) + 1;
}

/** Noise with addresses of its own in it, as code has, and the text at its start. */
function iromData(length: number, address: number, text: string, random: () => number): Buffer {
  const data = noise(length, random);
  for (let offset = 0; offset + 4 <= length; offset += 4 * POINTER_EVERY) {
    data.writeUInt32LE(address + 4 * (random() % (length / 4)), offset);
  }
  if (text) data.write(`${text}\0`, 4, 'latin1');
  return data;
}

function noise(length: number, random: () => number): Buffer {
  const data = Buffer.alloc(length);
  for (let offset = 0; offset + 4 <= length; offset += 4) data.writeUInt32LE(random(), offset);
  return data;
}

/** An eighth for the RAM, as in real builds, in whole lines for each of its segments. */
function ramBytes(total: number): number {
  const share = Math.min(Math.floor(total / 8), 0x1000);
  return share - (share % (4 * LINE_BYTES));
}

function wholeLines(size: number, smallest: number, trailer: number): number {
  if (!Number.isInteger(size) || size < smallest || size > LARGEST) {
    throw new RangeError(`An image of ${size} bytes cannot be made; ${smallest} to ${LARGEST} can.`);
  }
  return size - trailer - ((size - trailer) % LINE_BYTES);
}

function flashBytes({ flashMode = 'DOUT', flashSize = '1MB' }: ImageOptions): [mode: number, sizeAndFrequency: number] {
  const code = Object.entries(FLASH_SIZES).find(([, name]) => name === flashSize)?.[0];
  if (code === undefined) throw new RangeError(`There is no flash size ${flashSize}.`);
  return [FLASH_MODES.indexOf(flashMode), Number(code) << 4];
}
