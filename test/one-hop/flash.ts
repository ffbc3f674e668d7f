/** The flash of a stock Sonoff with a one-hop image in one of its slots, and what it must be in the end. */

import { makeFinalImage, makeUserImage } from '../../lib/image';
import { seededRandom } from '../../lib/image/random';

export const FLASH_BYTES = 0x100000;
export const SECTOR_BYTES = 0x1000;
export const SLOT_ADDRESS = { 1: 0x1000, 2: 0x81000 } as const;

export const SETTINGS = [0xf4000, 0xfc000] as const;
/** What ITEAD tells the radio, and where the Arduino core keeps its calibration (issue 11, B.5). */
export const INIT_DATA = [0xfc000, 0xfd000] as const;
export const PARAMETERS = [0xfd000, 0x100000] as const;
/** Behind the largest slot 1 and in front of ITEAD's records: blank in each of the 20 real dumps. */
export const SPARE = [0x74000, 0x78000] as const;
/** The status register of the stand-in's chip. */
const STATUS = 0x0200;
/** Of firmware/one-hop/report.h. */
const PROOF = { given: 1, none: 3 } as const;
const MARK = Buffer.from('HOP1', 'latin1');

export interface StockOptions {
  /** The boot loader's version, and so the form of its flags. */
  readonly loader?: number;
  /** Which of the two parameter sectors is current. */
  readonly bank?: 0 | 1;
  /** The first two bytes of the parameters; by default as the stock firmware leaves them after an update. */
  readonly flags?: readonly [number, number];
  /** Whether no sector of the lower half is blank. */
  readonly full?: boolean;
}

/** A stock firmware in the other slot, records, parameters, and noise wherever nothing is known. */
export function stockFlash(slot: 1 | 2, image: Uint8Array, options: StockOptions = {}): Buffer {
  const { loader = 6, bank = 0, full = false } = options;
  const flash = noise(FLASH_BYTES);
  // Any boot loader does: the emulator knows it by its not changing.
  makeFinalImage({ size: 5120, seed: 99 }).copy(flash, 0, 0, SECTOR_BYTES);
  const other = otherSlot(slot);
  makeUserImage({ slot: other, size: 400_000, seed: 7 }).copy(flash, SLOT_ADDRESS[other]);
  flash.set(image, SLOT_ADDRESS[slot]);
  // As the firmware 2.0.4 fills up its last sector (docs/dev/esp8266-images.md#2.6).
  flash.fill(0xff, SLOT_ADDRESS[slot] + image.length, SLOT_ADDRESS[slot] + sectors(image.length));
  if (!full) flash.fill(0xff, ...SPARE);
  flash.fill(0, INIT_DATA[0], INIT_DATA[0] + 128);
  flash[INIT_DATA[0]] = 5;
  flash.set(options.flags ?? flagsFor(slot, loader), PARAMETERS[0] + bank * SECTOR_BYTES);
  flash.set(flagsFor(other, loader), PARAMETERS[0] + (1 - bank) * SECTOR_BYTES);
  // Which is current, then the SDK's own mark, counter and checksums.
  flash.fill(0xff, PARAMETERS[0] + 2 * SECTOR_BYTES, PARAMETERS[1]);
  flash.set([bank, 0xff, 0xff, 0xff, 0xaa, 0x55, 0xaa, 0x55], PARAMETERS[0] + 2 * SECTOR_BYTES);
  return flash;
}

export function otherSlot(slot: 1 | 2): 1 | 2 {
  return slot === 1 ? 2 : 1;
}

/** What `system_upgrade_reboot` of the SDK leaves for the boot loader (docs/dev/esp8266-images.md#2.2, #2.4). */
export function flagsFor(slot: 1 | 2, loader: number): [number, number] {
  if (loader <= 2) return [0xf0 | (slot - 1), 0xe0 | loader];
  return [0xf8 | 0x04 | (slot - 1), 0xe0 | loader];
}

/**
 * What the flash holds after everything went well: the final image, filled up to a sector; slot 2 with the same file and
 * the report behind it; settings, calibration and parameters erased; nothing else touched.
 */
export function afterInstall(before: Uint8Array, final: Uint8Array, slot: 1 | 2): Buffer {
  const after = Buffer.from(before);
  const isSpareBlank = after.subarray(SPARE[0], SPARE[0] + SECTOR_BYTES).every((byte) => byte === 0xff);
  reported(after, slot, isSpareBlank ? PROOF.given : PROOF.none);
  if (slot === 1) {
    const length = sectors(imageLength(before, 1));
    after.set(after.subarray(SLOT_ADDRESS[1], SLOT_ADDRESS[1] + length), SLOT_ADDRESS[2]);
  }
  after.fill(0xff, 0, sectors(final.length));
  after.set(final);
  after.fill(0xff, ...SETTINGS);
  after.fill(0xff, INIT_DATA[0], PARAMETERS[1]);
  return after;
}

/** The report behind the image: its mark, the status register, and how the proof went. */
function reported(flash: Buffer, slot: 1 | 2, proof: number): void {
  const at = SLOT_ADDRESS[slot] + imageLength(flash, slot);
  MARK.copy(flash, at);
  flash.writeUInt32LE(STATUS, at + 4);
  flash.writeUInt32LE(proof, at + 8);
}

/**
 * What the SDK of the new firmware finds of the parameters, which it starts with whether they are whole or not
 * (esp-open-rtos core/app_main.c).
 */
export function sdkFinds(flash: Buffer, before: Buffer): 'nothing' | 'the old ones' | 'a mixture' {
  const bank = flash[PARAMETERS[0] + 2 * SECTOR_BYTES] === 0 ? 0 : 1;
  const sector = (from: Buffer, number: number): Buffer => {
    const at = PARAMETERS[0] + number * SECTOR_BYTES;
    return from.subarray(at, at + SECTOR_BYTES);
  };
  const found = sector(flash, bank);
  if (found.every((byte) => byte === 0xff)) return 'nothing';
  // The first word is the boot loader's.
  const isOld = [0, 1].some((number) => found.subarray(4).equals(sector(before, number).subarray(4)));
  return isOld ? 'the old ones' : 'a mixture';
}

/** How the relocator says that it came to no good end: a number of firmware/one-hop/report.h; undefined if it did not. */
export function reportedEnd(flash: Buffer, slot: 1 | 2): number | undefined {
  const end = flash.readUInt32LE(SLOT_ADDRESS[slot] + imageLength(flash, slot) + 12);
  return end === 0xffffffff ? undefined : end;
}

/** Of the one-hop image in a slot: its inner image starts behind the irom, and has three segments. */
function imageLength(flash: Uint8Array, of: 1 | 2): number {
  const view = new DataView(flash.buffer, flash.byteOffset);
  const slot = SLOT_ADDRESS[of];
  let at = slot + 16 + view.getUint32(slot + 12, true) + 8;
  for (let segment = 0; segment < 3; segment++) at += 8 + view.getUint32(at + 4, true);
  // The descriptor is the last segment; the length of the whole is its fifth word.
  return view.getUint32(at - 40 + 16, true);
}

function sectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

function noise(length: number): Buffer {
  const random = seededRandom(42);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 4) bytes.writeUInt32LE(random(), at);
  return bytes;
}
