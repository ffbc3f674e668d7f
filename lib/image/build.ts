/** From the parts of an image to its bytes. */

import { espressifCrc } from './crc32';
import type { FinalContent, ImageContent, PartContent, UserContent } from './content';
import { WORDS_BYTES, WORDS_OFFSET, writeCoreWords } from './core-words';
import { APP_OFFSET } from './flash-map';
import {
  CHECKSUM_SEED,
  CRC_BYTES,
  HEADER_BYTES,
  IROM_OFFSET,
  LINE_BYTES,
  MAGIC_V1,
  MAGIC_V2,
  MAX_SEGMENTS,
  SEGMENT_HEADER_BYTES,
  V2_MARK,
} from './format';

/** The fill of the rest of sector 0 by the Arduino core. */
const SECTOR_FILL = 0xaa;

/**
 * The image with its lengths, padding, checksums and CRC-32.
 *
 * @throws RangeError where the format cannot hold it: no or more than 16 segments, an irom that is no multiple of 16
 * bytes, a boot loader that is larger than a sector, no room for the words of the Arduino core
 */
export function buildImage(content: ImageContent): Buffer {
  if (content.kind === 'user') return buildUser(content);
  if (content.kind === 'final') return buildFinal(content);
  return buildPart(content);
}

function buildUser({ flash, entry, irom, ram, crc }: UserContent): Buffer {
  if (irom.length % LINE_BYTES !== 0) throw new RangeError(`An irom of ${irom.length} bytes is no multiple of 16.`);
  const header = Buffer.alloc(IROM_OFFSET);
  header.set([MAGIC_V2, V2_MARK, ...flash]);
  header.writeUInt32LE(entry, 4);
  header.writeUInt32LE(irom.length, HEADER_BYTES + 4);
  const image = Buffer.concat([header, irom, buildPart(ram)]);
  if (!crc) return image;
  const trailer = Buffer.alloc(CRC_BYTES);
  trailer.writeUInt32LE(espressifCrc(image));
  return Buffer.concat([image, trailer]);
}

function buildFinal({ boot, app, core }: FinalContent): Buffer {
  const loader = buildPart(boot);
  if (loader.length > APP_OFFSET) throw new RangeError(`A boot loader of ${loader.length} bytes fits into no sector.`);
  const sector = Buffer.alloc(APP_OFFSET, SECTOR_FILL);
  loader.copy(sector);
  const image = Buffer.concat([sector, buildPart(app)]);
  if (core === 'none') return image;
  const room = core === '3' ? app.segments[0]?.data.subarray(0, WORDS_BYTES) : undefined;
  const taken = core === '3' ? room?.length !== WORDS_BYTES || room.some(Boolean) : loader.length > WORDS_OFFSET[core];
  if (taken) throw new RangeError(`There is no room for the words of the Arduino core ${core}.`);
  writeCoreWords(image, core);
  return image;
}

/** A complete v1 image: header, segments, zeros, checksum as the last byte of a line. */
function buildPart({ flash, entry, segments }: PartContent): Buffer {
  if (segments.length < 1 || segments.length > MAX_SEGMENTS) {
    throw new RangeError(`An image has 1 to ${MAX_SEGMENTS} segments, not ${segments.length}.`);
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.set([MAGIC_V1, segments.length, ...flash]);
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
  const image = Buffer.concat(pieces, partBytes(length));
  image[image.length - 1] = checksum;
  return image;
}

/** Bytes of a v1 image whose header and segments have `length`: the checksum always has a place behind them. */
export function partBytes(length: number): number {
  return (length | (LINE_BYTES - 1)) + 1;
}
