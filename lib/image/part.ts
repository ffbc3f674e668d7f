/** The walk through one v1 image (E9), wherever in a file it stands. */

import { FlashError } from '../errors';
import type { ImagePart, Segment } from './facts';
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

/**
 * Reads the v1 image whose header stands at `start`.
 *
 * The checksum is the last byte of a 16-byte line, counted from this header, and there is always room for it: where
 * the data ends with a line, it stands in the next.
 *
 * @param what names the file in an error (`user1`), `name` this part of it (`the application`)
 * @throws FlashError image-truncated where the file ends too early, image-invalid where a field cannot be; a wrong
 * checksum is a fact
 */
export function readPart(bytes: Uint8Array, start: number, what: string, name: string): ImagePart {
  const refuse = (reason: string): never => {
    throw new FlashError('image-invalid', { what, reason });
  };
  const cutOff = (reason: string): never => {
    throw new FlashError('image-truncated', { what, reason });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start + HEADER_BYTES > bytes.length) cutOff(`the file ends (${bytes.length} bytes) before the header of ${name}`);
  const magic = view.getUint8(start);
  if (magic !== MAGIC_V1) refuse(`${name} begins with ${hexByte(magic)}, not with E9`);
  const count = view.getUint8(start + 1);
  if (count === 0) refuse(`${name} has no segments`);
  if (count > MAX_SEGMENTS) refuse(`${name} claims ${count} segments, at most ${MAX_SEGMENTS} are possible`);
  const entry = view.getUint32(start + 4, true);

  const segments: Segment[] = [];
  let computed = CHECKSUM_SEED;
  let end = start + HEADER_BYTES;
  for (let number = 1; number <= count; number++) {
    const offset = end + SEGMENT_HEADER_BYTES;
    if (offset > bytes.length) cutOff(`the file ends (${bytes.length} bytes) before segment ${number} of ${name}`);
    const address = view.getUint32(end, true);
    const length = view.getUint32(end + 4, true);
    if (!isLoadAddress(address)) {
      refuse(`segment ${number} of ${name} loads to ${hex(address)}, which an ESP8266 does not have`);
    }
    end = offset + length;
    if (end > bytes.length) {
      const tell = end > LARGEST_FLASH ? refuse : cutOff;
      tell(`the file has ${bytes.length} bytes, but segment ${number} of ${name} reaches to byte ${end}`);
    }
    computed ^= xorOf(bytes, offset, end);
    segments.push({ address, offset, length });
  }
  if (!isEntryAddress(entry)) refuse(`${name} starts at ${hex(entry)}, where an ESP8266 has no code`);

  const offset = start + ((end - start) | (LINE_BYTES - 1));
  if (offset >= bytes.length) cutOff(`the file ends (${bytes.length} bytes) before the checksum of ${name}`);
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
