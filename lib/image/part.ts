/** The walk through one v1 image (E9), wherever in a file it stands. */

import { FlashError } from '../errors';
import type { ImageReason } from '../wordings/image-file';
import { wording, type WordingValues } from '../wordings/wording';
import type { ImageName, ImagePart, Segment } from './facts';
import {
  CHECKSUM_SEED,
  HEADER_BYTES,
  LARGEST_FLASH,
  LINE_BYTES,
  MAGIC_V1,
  MAX_SEGMENTS,
  SEGMENT_HEADER_BYTES,
  hex,
  isEntryAddress,
  isLoadAddress,
} from './format';
import { imageNamed } from './name';

/** Where in a file the v1 image stands. */
export type PartName = 'part-application' | 'part-boot' | 'part-ram';

/**
 * Reads the v1 image whose header stands at `start`.
 *
 * The checksum is the last byte of a 16-byte line, counted from this header, and there is always room for it: where
 * the data ends with a line, it stands in the next.
 *
 * @param file names the file in an error, `part` this part of it
 * @throws FlashError image-truncated where the file ends too early, image-invalid where a field cannot be; a wrong
 * checksum is a fact
 */
export function readPart(bytes: Uint8Array, start: number, file: ImageName, place: PartName): ImagePart {
  const [what, part] = [imageNamed(file), wording(place)];
  const size = bytes.length;
  const refuse = (reason: ImageReason, values: WordingValues = {}): never => {
    throw new FlashError('image-invalid', { what, reason: wording(reason, { part, ...values }) });
  };
  const cutOff = (reason: ImageReason, values: WordingValues = {}): never => {
    throw new FlashError('image-truncated', { what, reason: wording(reason, { part, size, ...values }) });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start + HEADER_BYTES > bytes.length) cutOff('part-header-cut');
  const magic = view.getUint8(start);
  if (magic !== MAGIC_V1) refuse('part-magic', { first: hexByte(magic) });
  const count = view.getUint8(start + 1);
  if (count === 0) refuse('part-no-segments');
  if (count > MAX_SEGMENTS) refuse('part-many-segments', { count, limit: MAX_SEGMENTS });
  const entry = view.getUint32(start + 4, true);

  const segments: Segment[] = [];
  let computed = CHECKSUM_SEED;
  let end = start + HEADER_BYTES;
  for (let number = 1; number <= count; number++) {
    const offset = end + SEGMENT_HEADER_BYTES;
    if (offset > bytes.length) cutOff('part-segment-cut', { number });
    const address = view.getUint32(end, true);
    const length = view.getUint32(end + 4, true);
    if (!isLoadAddress(address)) {
      refuse('part-load-address', { number, address: hex(address) });
    }
    end = offset + length;
    if (end > bytes.length) {
      const tell = end > LARGEST_FLASH ? refuse : cutOff;
      tell('part-segment-long', { size, number, end });
    }
    computed ^= xorOf(bytes, offset, end);
    segments.push({ address, offset, length });
  }
  if (!isEntryAddress(entry)) refuse('part-entry', { address: hex(entry) });

  const offset = start + ((end - start) | (LINE_BYTES - 1));
  if (offset >= bytes.length) cutOff('part-checksum-cut');
  const stored = view.getUint8(offset);
  const checksum = { stored, computed, valid: stored === computed, offset };
  return { offset: start, end: offset + 1, entry, segments, checksum };
}

function xorOf(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum ^= bytes[i] ?? 0;
  return sum;
}

function hexByte(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}
