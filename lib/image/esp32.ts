/** Images for the ESP32 family, which start with E9 as well. */

import {
  HEADER_BYTES as HEADER_V1_BYTES,
  MAGIC_V1,
  SEGMENT_HEADER_BYTES,
  isEntryAddress,
  isLoadAddress,
} from './format';

/**
 * Where ESP32 chips load segments to and an ESP8266 has nothing: cached data and code, and their own RAM (ESP32
 * Technical Reference, System and Memory; the S2, S3 and C3 tables of the same document series).
 */
const ESP32_RANGES: readonly (readonly [from: number, to: number])[] = [
  [0x3c000000, 0x3f800000],
  [0x3fc80000, 0x3ffe0000],
  [0x40020000, 0x40100000],
  [0x40370000, 0x40400000],
  [0x42000000, 0x44000000],
];
/** An ESP32 header continues for 16 bytes: SPI pins, chip, revisions, and whether a digest follows. */
const HEADER_BYTES = 24;
const CHIP_OFFSET = 12;
/** Chip by the number in its extended header (esp-idf components/bootloader_support, esp_chip_id_t). */
const CHIPS: Readonly<Record<number, string>> = {
  0: 'ESP32',
  2: 'ESP32-S2',
  5: 'ESP32-C3',
  9: 'ESP32-S3',
  12: 'ESP32-C2',
  13: 'ESP32-C6',
  16: 'ESP32-H2',
  18: 'ESP32-P4',
  20: 'ESP32-C61',
  23: 'ESP32-C5',
  25: 'ESP32-H21',
  28: 'ESP32-H4',
};

/** Where the boot loader is: at 0x1000 (ESP32, S2) or 0x2000 (P4, C5) behind nothing, else at 0. */
const LOADER_OFFSETS = [0, 0x1000, 0x2000];
/** The partition table's place in a whole flash, and the mark of its first entry. */
const PARTITIONS_OFFSET = 0x8000;
const PARTITION_MARK = [0xaa, 0x50] as const;

export interface Esp32Image {
  /** Such as `ESP32-C3`; `ESP32` where the header names none that is known. */
  readonly chip: string;
  /** Boot loader, partition table and application in one file, as `*-factory.bin` has them. */
  readonly factory: boolean;
}

/** The kind of an ESP32 file; undefined where it is none. */
export function esp32Image(bytes: Uint8Array): Esp32Image | undefined {
  const start = LOADER_OFFSETS.find((offset) => isEsp32(bytes, offset) && isErased(bytes.subarray(0, offset)));
  if (start === undefined) return undefined;
  const [first, second] = PARTITION_MARK;
  const partitions = bytes[PARTITIONS_OFFSET] === first && bytes[PARTITIONS_OFFSET + 1] === second;
  return { chip: chipAt(bytes, start), factory: partitions || start > 0 };
}

function isErased(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0xff);
}

function isEsp32(bytes: Uint8Array, start: number): boolean {
  if (bytes[start] !== MAGIC_V1 || bytes.length < start + HEADER_BYTES + SEGMENT_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (inEsp32(view.getUint32(start + HEADER_V1_BYTES, true))) return true;
  const segment = view.getUint32(start + HEADER_BYTES, true);
  if (!isEntryAddress(view.getUint32(start + 4, true)) && inEsp32(segment)) return true;
  // An ESP8266 image has the address of its first segment where these have their pins.
  if (isLoadAddress(view.getUint32(start + HEADER_V1_BYTES, true))) return false;
  return CHIPS[view.getUint16(start + CHIP_OFFSET, true)] !== undefined && hasSegments(view, start);
}

/** Whether as many segments as the header says stand behind it in the file. */
function hasSegments(view: DataView, start: number): boolean {
  const count = view.getUint8(start + 1);
  let at = start + HEADER_BYTES;
  for (let number = 1; number <= count && at + SEGMENT_HEADER_BYTES <= view.byteLength; number++) {
    at += SEGMENT_HEADER_BYTES + view.getUint32(at + 4, true);
    if (number === count) return at <= view.byteLength;
  }
  return false;
}

function chipAt(bytes: Uint8Array, start: number): string {
  const number = (bytes[start + CHIP_OFFSET] ?? 0) | ((bytes[start + CHIP_OFFSET + 1] ?? 0) << 8);
  return CHIPS[number] ?? 'ESP32';
}

function inEsp32(address: number): boolean {
  return ESP32_RANGES.some(([from, to]) => address >= from && address < to);
}
