import { createHash } from 'node:crypto';

/** A user image that the boot loader accepts: EA 04, irom, then E9 with one RAM segment and its checksum. */
export function userImage(size: number, fill = 0x5a): Buffer {
  const irom = size - 16 - 32;
  if (irom % 16 !== 0) throw new RangeError('A user image has whole lines of 16 bytes');
  const image = Buffer.alloc(size, fill);
  image.set([0xea, 0x04, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0]);
  image.writeUInt32LE(irom, 12);
  for (let i = 16; i < 16 + irom; i++) image[i] = (fill + i * 7) & 0xff;
  const inner = 16 + irom;
  image.fill(0, inner);
  image.set([0xe9, 1, 0, 0x20], inner);
  image.writeUInt32LE(0x40104000, inner + 8);
  image.writeUInt32LE(4, inner + 12);
  image.set([1, 2, 3, 4], inner + 16);
  image[inner + 31] = 0xef ^ 1 ^ 2 ^ 3 ^ 4;
  return image;
}

export function finalImage(size: number, fill = 0x33): Buffer {
  const image = Buffer.alloc(size);
  for (let i = 0; i < size; i++) image[i] = (fill + i * 11 + (i >> 8)) & 0xff;
  image.set([0xe9, 0x01, 0x03, 0x20]);
  return image;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
