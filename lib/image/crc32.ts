/** CRC-32 as zlib has it, and the odd form in which Espressif's tools append it to a user image. */

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 (reflected, polynomial EDB88320) of the bytes, 0 to 2^32 - 1. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/**
 * The value that stands behind a user image: the complement where the CRC's top bit is set, else the CRC plus one
 * (docs/dev/esp8266-images.md#1.2).
 */
export function espressifCrc(bytes: Uint8Array): number {
  const crc = crc32(bytes);
  return crc >= 0x80000000 ? ~crc >>> 0 : crc + 1;
}
