/**
 * What a one-hop slot file says about itself: the last RAM segment of its inner image, which the relocator finds in its
 * memory. The same layout stands in firmware/one-hop/descriptor.h.
 */

/** `raw`: as it is. `deflate`: RFC 1951, without a header of zlib or gzip. */
export type Coding = 'raw' | 'deflate';

/** Lengths and offsets in bytes; offsets count from the start of the slot file. */
export interface Descriptor {
  /** Which build of the relocator it was written for: a CRC-32 over its segments. */
  readonly build: number;
  readonly coding: Coding;
  /** The whole slot file, with the CRC-32 in its last four bytes. */
  readonly imageLength: number;
  /** Where the descriptor itself lies. */
  readonly descriptorOffset: number;
  readonly payloadOffset: number;
  readonly payloadLength: number;
  /** The final image. */
  readonly finalLength: number;
  /** Its CRC-32, as zlib has it. */
  readonly finalCrc: number;
}

export const DESCRIPTOR_BYTES = 40;

/** With the version of this layout at its end. */
const MAGIC = Buffer.from('ONEHOP01', 'latin1');
const CODINGS: readonly Coding[] = ['raw', 'deflate'];

export function writeDescriptor(descriptor: Descriptor): Buffer {
  const bytes = Buffer.alloc(DESCRIPTOR_BYTES);
  MAGIC.copy(bytes);
  const words = [
    descriptor.build,
    CODINGS.indexOf(descriptor.coding),
    descriptor.imageLength,
    descriptor.descriptorOffset,
    descriptor.payloadOffset,
    descriptor.payloadLength,
    descriptor.finalLength,
    descriptor.finalCrc,
  ];
  words.forEach((word, index) => bytes.writeUInt32LE(word, MAGIC.length + 4 * index));
  return bytes;
}

/** Undefined where the bytes are no descriptor of this layout. */
export function readDescriptor(bytes: Uint8Array): Descriptor | undefined {
  if (bytes.length !== DESCRIPTOR_BYTES || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (index: number): number => view.getUint32(MAGIC.length + 4 * index, true);
  const coding = CODINGS[word(1)];
  if (coding === undefined) return undefined;
  return {
    build: word(0),
    coding,
    imageLength: word(2),
    descriptorOffset: word(3),
    payloadOffset: word(4),
    payloadLength: word(5),
    finalLength: word(6),
    finalCrc: word(7),
  };
}
