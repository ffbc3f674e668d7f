/**
 * Images that are valid in every field and do nothing: firmware for rehearsals and tests, in the layout that the
 * real tools write. Their code is noise; a real device must never get one.
 */

import { buildImage, partBytes } from './build';
import type { FlashBytes, PartContent, SegmentContent, WordsOfCore } from './content';
import { WORDS_BYTES } from './core-words';
import { EBOOT_ADDRESS, EBOOT_BYTES } from './eboot';
import type { EbootGeneration, FlashMode } from './facts';
import { APP_OFFSET } from './flash-map';
import {
  CRC_BYTES,
  FLASH_FREQUENCIES,
  FLASH_MODES,
  FLASH_SIZES,
  HEADER_BYTES,
  IROM_OFFSET,
  LINE_BYTES,
  SEGMENT_HEADER_BYTES,
  SLOT_IROM_ADDRESS,
  SMALLEST_IMAGE,
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
  /** MHz: 20, 26, 40 or 80. */
  flashFrequency?: number;
  /** How many segments the started part has: 1 to 12; in a final image one of them is its irom. */
  segments?: number;
  /** Stands, zero-terminated, in the part that stays in flash, as a build's own strings do. */
  text?: string;
}

export interface FinalImageOptions extends ImageOptions {
  /** How much of the code in flash repeats itself, 0 to 1, so that it can be packed; about 0.3 in real firmware. */
  redundancy?: number;
  /** By default the one that came with `core`. */
  eboot?: EbootGeneration;
  /** As which version of the Arduino core writes it; `none`: as those before 2.7, without length and CRC-32. */
  core?: WordsOfCore;
}

export interface UserImageOptions extends ImageOptions {
  slot: 1 | 2;
  /** Whether the CRC-32 that tools since 2018 write stands behind the image. */
  crcTrailer?: boolean;
}

const TEXT_ADDRESS = 0x40100000;
const DATA_ADDRESS = 0x3ffe8000;
/** Room for the data of each segment behind the first: instruction and data RAM take turns. */
const RAM_STEP = 0x1000;
/** One word in so many of the irom part is an address in it, so that even the smallest image tells its slot. */
const POINTER_EVERY = 16;

/** The eboot of core 3 has its texts in a segment of their own. */
const EBOOT_RODATA: SegmentContent = { address: 0x3fff20b8, data: Buffer.alloc(0x28) };

/** The size of a block that is repeated. */
const BLOCK_BYTES = 1024;

const SMALLEST_FINAL = APP_OFFSET + 1024;
const LARGEST = 4 * 1024 * 1024;
const MOST_SEGMENTS = 12;

/**
 * A v2 image for one slot, as esptool writes it. Default: 32 KiB, DOUT, 1MB, 40 MHz, two segments, with CRC-32.
 *
 * @throws RangeError for a size under 4096 bytes (4100 with CRC-32), or for segments or a flash that cannot be
 */
export function makeUserImage(options: UserImageOptions): Buffer {
  const { slot, size = 32768, seed = slot, segments = 2, text = '', crcTrailer = true } = options;
  const trailer = crcTrailer ? CRC_BYTES : 0;
  const body = wholeLines(size, SMALLEST_IMAGE + trailer, trailer);
  const random = seededRandom(seed);
  const flash = flashBytes(options);
  const entry = TEXT_ADDRESS + 4;

  const count = segmentCount(segments, 1);
  const ram: PartContent = { flash, entry, segments: ramSegments(ramBytes(body), count, random) };
  const iromBytes = body - IROM_OFFSET - bytesOf(ram);
  const irom = iromData(iromBytes, SLOT_IROM_ADDRESS[slot], text, random);
  return buildImage({ kind: 'user', flash, entry, irom, ram, crc: crcTrailer });
}

/**
 * A final image: eboot in sector 0, the application behind it, as the Arduino core writes them. Default: 64 KiB, DOUT,
 * 1MB, 40 MHz, four segments, core 2.7.
 *
 * @throws RangeError for a size under 5120 bytes, or for segments or a flash that cannot be
 */
export function makeFinalImage(options: FinalImageOptions = {}): Buffer {
  const { size = 65536, seed = 1, segments = 4, text = '', core = '2.7', redundancy = 0 } = options;
  const { eboot = core === 'none' ? 'raw' : 'gzip' } = options;
  const app = wholeLines(size, SMALLEST_FINAL, 0) - APP_OFFSET;
  const random = seededRandom(seed);
  const flash = flashBytes(options);
  const code = { address: EBOOT_ADDRESS, data: noise(EBOOT_BYTES[eboot], random) };

  const count = segmentCount(segments, 2);
  const entry = TEXT_ADDRESS + 4;
  const ram: PartContent = { flash, entry, segments: ramSegments(ramBytes(app), count - 1, random) };
  // The checksum's line is the same one, whether irom stands before these segments or not: it has whole lines.
  const iromBytes = app - partBytes(unpadded(ram) + SEGMENT_HEADER_BYTES);
  const data = repetitive(iromData(iromBytes, SLOT_IROM_ADDRESS[1], text, random), redundancy);
  if (core === '3') data.fill(0, 0, WORDS_BYTES);
  const irom = { address: SLOT_IROM_ADDRESS[1], data };
  return buildImage({
    kind: 'final',
    boot: { flash, entry: EBOOT_ADDRESS, segments: core === '3' ? [code, EBOOT_RODATA] : [code] },
    app: { ...ram, segments: [irom, ...ram.segments] },
    core,
  });
}

/** Code and data in turn, each a whole number of words; what does not divide is the last one's. */
function ramSegments(total: number, count: number, random: () => number): SegmentContent[] {
  const share = Math.floor(total / count / 4) * 4;
  return Array.from({ length: count }, (_, index) => ({
    address: (index % 2 ? DATA_ADDRESS : TEXT_ADDRESS) + (index >> 1) * RAM_STEP,
    data: noise(index === count - 1 ? total - share * (count - 1) : share, random),
  }));
}

function unpadded({ segments }: PartContent): number {
  return segments.reduce((sum, { data }) => sum + SEGMENT_HEADER_BYTES + data.length, HEADER_BYTES);
}

function bytesOf(part: PartContent): number {
  return partBytes(unpadded(part));
}

/** Noise with addresses of its own in it, as code has, and the text at its start. */
function iromData(length: number, address: number, text: string, random: () => number): Buffer {
  const data = noise(length, random);
  for (let offset = 0; offset + 4 <= length; offset += 4 * POINTER_EVERY) {
    data.writeUInt32LE(address + 4 * (random() % (length / 4)), offset);
  }
  if (text) data.write(`${text}\0`, WORDS_BYTES, 'latin1');
  return data;
}

/** Lets so much of the data be as its second block is; its first holds the text. */
function repetitive(data: Buffer, redundancy: number): Buffer {
  for (let block = 2; (block + 1) * BLOCK_BYTES <= data.length; block++) {
    const isRepeated = Math.floor(block * redundancy) > Math.floor((block - 1) * redundancy);
    if (isRepeated) data.copy(data, block * BLOCK_BYTES, BLOCK_BYTES, 2 * BLOCK_BYTES);
  }
  return data;
}

function noise(length: number, random: () => number): Buffer {
  const data = Buffer.alloc(length);
  for (let offset = 0; offset + 4 <= length; offset += 4) data.writeUInt32LE(random(), offset);
  return data;
}

/** An eighth for the RAM, as in real builds, in whole lines. */
function ramBytes(total: number): number {
  const share = Math.min(Math.floor(total / 8), 0x1000);
  return share - (share % (4 * LINE_BYTES));
}

function segmentCount(count: number, least: number): number {
  if (Number.isInteger(count) && count >= least && count <= MOST_SEGMENTS) return count;
  throw new RangeError(`An image of ${count} segments cannot be made; ${least} to ${MOST_SEGMENTS} can.`);
}

function wholeLines(size: number, smallest: number, trailer: number): number {
  if (!Number.isInteger(size) || size < smallest || size > LARGEST) {
    throw new RangeError(`An image of ${size} bytes cannot be made; ${smallest} to ${LARGEST} can.`);
  }
  return size - trailer - ((size - trailer) % LINE_BYTES);
}

function flashBytes(options: ImageOptions): FlashBytes {
  const { flashMode = 'DOUT', flashSize = '1MB', flashFrequency = 40 } = options;
  const size = codeOf(FLASH_SIZES, flashSize);
  if (size === undefined) throw new RangeError(`There is no flash size ${flashSize}.`);
  const frequency = codeOf(FLASH_FREQUENCIES, flashFrequency);
  if (frequency === undefined) throw new RangeError(`There is no flash frequency of ${flashFrequency} MHz.`);
  return [FLASH_MODES.indexOf(flashMode), (size << 4) | frequency];
}

function codeOf<T>(names: Readonly<Record<number, T>>, name: T): number | undefined {
  const code = Object.entries(names).find(([, value]) => value === name)?.[0];
  return code === undefined ? undefined : Number(code);
}
