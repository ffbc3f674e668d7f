/**
 * A one-hop slot file as the relocator in it reads it: an image for a slot whose last RAM segment describes the payload
 * in its irom part. Read here independently, so that the packer has a second opinion.
 */

import { inflateRawSync } from 'node:zlib';
import { innerImage, type RamSegment } from './slot-image';

export interface OneHopFile {
  /** Bytes of the description, to be compared with those in the other slot. */
  readonly description: Buffer;
  readonly descriptionOffset: number;
  /** Of the whole file, the CRC-32 at its end included. */
  readonly length: number;
  readonly coding: 'raw' | 'deflate' | 'unknown';
  readonly payload: { readonly offset: number; readonly length: number };
  readonly final: { readonly length: number; readonly crc: number };
}

const MARK = 'ONEHOP01';
const DESCRIPTION_BYTES = 40;

/** The descriptor of a slot's image; undefined where it is no one-hop image. `slot` is all that the slot holds. */
export function oneHopIn(slot: Buffer): OneHopFile | undefined {
  const last: RamSegment | undefined = innerImage(slot)?.segments.at(-1);
  if (last?.length !== DESCRIPTION_BYTES) return undefined;
  const description = Buffer.from(slot.subarray(last.offset, last.offset + DESCRIPTION_BYTES));
  if (description.toString('latin1', 0, MARK.length) !== MARK) return undefined;
  // The first word is the build of the relocator, which counts only as a part of the whole description.
  const word = (index: number): number => description.readUInt32LE(MARK.length + 4 * index);
  return {
    description,
    coding: ({ 0: 'raw', 1: 'deflate' } as const)[word(1)] ?? 'unknown',
    length: word(2),
    descriptionOffset: word(3),
    payload: { offset: word(4), length: word(5) },
    final: { length: word(6), crc: word(7) },
  };
}

/** Whether a slot holds this very file, whole, by the CRC-32 at its end as Espressif's tools write it. */
export function isWhole(slot: Buffer, { description, descriptionOffset, length }: OneHopFile): boolean {
  if (slot[0] !== 0xea || slot[1] !== 0x04 || length < 8 || length > slot.length) return false;
  if (!description.equals(slot.subarray(descriptionOffset, descriptionOffset + DESCRIPTION_BYTES))) return false;
  const crc = crc32(slot.subarray(0, length - 4));
  return slot.readUInt32LE(length - 4) === (crc >= 0x80000000 ? ~crc >>> 0 : crc + 1);
}

/** The final image in a slot; undefined where it does not come out as it went in. */
export function unpack(slot: Buffer, { coding, payload, final }: OneHopFile): Buffer | undefined {
  const packed = slot.subarray(payload.offset, payload.offset + payload.length);
  const image = coding === 'deflate' ? inflated(packed, final.length) : packed;
  if (coding === 'unknown' || image?.length !== final.length || crc32(image) !== final.crc) return undefined;
  return Buffer.from(image);
}

function inflated(packed: Buffer, most: number): Buffer | undefined {
  try {
    return inflateRawSync(packed, { maxOutputLength: most });
  } catch {
    return undefined;
  }
}

/** As zlib has it. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
