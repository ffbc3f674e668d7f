/** Images for the ESP32 family, which begin with E9 as well. */

import { APP_OFFSET } from './flash-map';
import { MAGIC_V1, isEntryAddress } from './format';

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
/** An ESP32 header goes on for 16 bytes: SPI pins, chip, revisions, and whether a digest follows. */
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
};

/** The partition table's place in a whole flash, and the mark of its first entry. */
const PARTITIONS_OFFSET = 0x8000;
const PARTITION_MARK = [0xaa, 0x50] as const;

export interface Esp32Image {
  /** Such as `ESP32-C3`; `ESP32` where the header names none that is known. */
  readonly chip: string;
  /** Boot loader, partition table and application in one file, as `*-factory.bin` has them. */
  readonly factory: boolean;
}

/** What an ESP32 file is; undefined where it is none. */
export function esp32Image(bytes: Uint8Array): Esp32Image | undefined {
  const [first, second] = PARTITION_MARK;
  const partitions = bytes[PARTITIONS_OFFSET] === first && bytes[PARTITIONS_OFFSET + 1] === second;
  if (isEsp32(bytes, 0)) return { chip: chipAt(bytes, 0), factory: partitions };
  // The ESP32 itself has its boot loader at 0x1000 and nothing before it; its followers have it at 0.
  const empty = bytes.length > APP_OFFSET && bytes.subarray(0, APP_OFFSET).every((byte) => byte === 0xff);
  if (empty && isEsp32(bytes, APP_OFFSET)) return { chip: chipAt(bytes, APP_OFFSET), factory: true };
  return undefined;
}

function isEsp32(bytes: Uint8Array, start: number): boolean {
  if (bytes[start] !== MAGIC_V1 || bytes.length < start + HEADER_BYTES + 4) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entry = view.getUint32(start + 4, true);
  const first = view.getUint32(start + 8, true);
  if (inEsp32(first)) return true;
  return !isEntryAddress(entry) && inEsp32(view.getUint32(start + HEADER_BYTES, true));
}

function chipAt(bytes: Uint8Array, start: number): string {
  const number = (bytes[start + CHIP_OFFSET] ?? 0) | ((bytes[start + CHIP_OFFSET + 1] ?? 0) << 8);
  return CHIPS[number] ?? 'ESP32';
}

function inEsp32(address: number): boolean {
  return ESP32_RANGES.some(([from, to]) => address >= from && address < to);
}
