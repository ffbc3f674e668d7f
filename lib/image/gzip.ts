/** Compressed files, as Tasmota offers them for its own updates (`tasmota.bin.gz`). */

/** Deflate cannot make more of a byte than this; a larger size at the end is none. */
const MOST_PER_BYTE = 1032;
/** A gzip file has 10 bytes of header, 2 of data at least, its CRC-32 and its size. */
const SMALLEST = 20;

export interface GzipFile {
  /** Bytes of what is inside, as its last four bytes say; undefined where they cannot be right. */
  readonly unpackedSize: number | undefined;
}

/** The header and trailer of a gzip file; undefined where it is none. Nothing is unpacked. */
export function gzipFile(bytes: Uint8Array): GzipFile | undefined {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return undefined;
  if (bytes.length < SMALLEST) return { unpackedSize: undefined };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(bytes.length - 4, true);
  // Cut off, its last four bytes are data. What does not even fit is most likely that.
  const possible = size >= bytes.length - SMALLEST && size <= bytes.length * MOST_PER_BYTE;
  return { unpackedSize: possible ? size : undefined };
}
