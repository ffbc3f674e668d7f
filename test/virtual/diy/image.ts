const APP = 0x1000;

/**
 * A final image as the Arduino core builds it, as far as a boot looks at it: boot loader at 0, and at 0x1000 an application
 * of one segment with its checksum. `mark` stands in the segment.
 */
export function appImage(size: number, mark: string | Buffer = ''): Buffer {
  const image = Buffer.alloc(size, 0xff);
  for (let i = 0; i < APP; i++) image[i] = (i * 7 + (i >> 8)) & 0xff;
  image.set([0xe9, 1, 3, 0x20]);
  const start = APP + 16;
  // What is left behind the segment ends at a multiple of 16, and its last byte is the checksum.
  const length = ((size - start) & ~15) - 16;
  image.set([0xe9, 1, 3, 0x20, 0, 0, 0, 0, 0x10, 0x10, 0x20, 0x40], APP);
  image.writeUInt32LE(length, APP + 12);
  for (let i = 0; i < length; i++) image[start + i] = (i * 13 + (i >> 7)) & 0xff;
  image.fill(mark, start + 64, start + 64 + Buffer.byteLength(mark));
  let checksum = 0xef;
  for (const byte of image.subarray(start, start + length)) checksum ^= byte;
  const end = start + length;
  image.fill(0, end, end + 16);
  image[end + 15] = checksum;
  return image;
}
