/**
 * The numbers of the ESP8266 image formats and of the roads they travel. Source: docs/dev/esp8266-images.md#1.1, #1.2,
 * #2.6, #3, #4.1.
 */

import type { FlashMode } from './facts';

export const MAGIC_V1 = 0xe9;
export const MAGIC_V2 = 0xea;
/** Second byte of a v2 image. It stands where v1 counts segments, but is always this. */
export const V2_MARK = 4;

export const HEADER_BYTES = 8;
export const SEGMENT_HEADER_BYTES = 8;
export const LINE_BYTES = 16;
export const CRC_BYTES = 4;
/** Where the irom data of a v2 image starts: behind its header and one segment header. */
export const IROM_OFFSET = HEADER_BYTES + SEGMENT_HEADER_BYTES;

/** The boot ROM counts further; no tool writes more, and esptool refuses more. */
export const MAX_SEGMENTS = 16;
export const CHECKSUM_SEED = 0xef;

/** Least that FinalStage takes (docs/dev/esp8266-images.md#3). */
export const SMALLEST_IMAGE = 4096;
/** No file for these chips reaches further; a length that does is damage, not a download cut short. */
export const LARGEST_FLASH = 16 * 1024 * 1024;

/** First address of the irom code of each slot: flash at 0x40200000, plus the slot, plus the v2 header. */
export const SLOT_IROM_ADDRESS = { 1: 0x40201010, 2: 0x40281010 } as const;

/** By header byte 2. */
export const FLASH_MODES: readonly FlashMode[] = ['QIO', 'QOUT', 'DIO', 'DOUT'];

/** By the high nibble of header byte 3; the second name of a size tells how the slots divide it. */
export const FLASH_SIZES: Readonly<Record<number, string>> = {
  0: '512KB',
  1: '256KB',
  2: '1MB',
  3: '2MB',
  4: '4MB',
  5: '2MB-c1',
  6: '4MB-c1',
  8: '8MB',
  9: '16MB',
};

/** By the high nibble of header byte 3, the bytes of the whole flash. */
export const FLASH_SIZE_BYTES: Readonly<Record<number, number>> = {
  0: 0x80000,
  1: 0x40000,
  2: 0x100000,
  3: 0x200000,
  4: 0x400000,
  5: 0x200000,
  6: 0x400000,
  8: 0x800000,
  9: 0x1000000,
};

/** Header byte 2 of an image that every Sonoff boots, and the nibble that says 1 MB. */
export const DOUT_BYTE = 3;
export const FLASH_SIZE_1MB = 2;

/** MHz by the low nibble of header byte 3. */
export const FLASH_FREQUENCIES: Readonly<Record<number, number>> = { 0: 40, 1: 26, 2: 20, 15: 80 };

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Data RAM, and instruction RAM (eboot itself loads to 0x4010F000). */
const DATA_RAM: Range = { from: 0x3ffe0000, to: 0x40000000 };
const INSTRUCTION_RAM: Range = { from: 0x40100000, to: 0x40110000 };
/** The flash as the CPU sees it. */
export const MAPPED_FLASH: Range = { from: 0x40200000, to: 0x40300000 };

function inRange(address: number, { from, to }: Range): boolean {
  return address >= from && address < to;
}

/** Whether an ESP8266 has this address at all, as the target of a segment. */
export function isLoadAddress(address: number): boolean {
  return [DATA_RAM, INSTRUCTION_RAM, MAPPED_FLASH].some((range) => inRange(address, range));
}

/** Whether code can be started at this address. */
export function isEntryAddress(address: number): boolean {
  return inRange(address, INSTRUCTION_RAM) || inRange(address, MAPPED_FLASH);
}

/** Whether this is flash that the CPU reads through its cache: such a segment is not copied anywhere. */
export function isMappedFlash(address: number): boolean {
  return inRange(address, MAPPED_FLASH);
}

/** Hexadecimal as the field writes addresses: `0x40100000`. */
export function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(8, '0')}`;
}
