/** The flash of a stock Sonoff with a one-hop image in one of its slots, and what it must be in the end. */

import { makeFinalImage, makeUserImage } from '../../lib/image';
import { seededRandom } from '../../lib/image/random';

export const FLASH_BYTES = 0x100000;
export const SECTOR_BYTES = 0x1000;
export const SLOT_ADDRESS = { 1: 0x1000, 2: 0x81000 } as const;

const SETTINGS = [0xf4000, 0xfc000] as const;
export const PARAMETERS = [0xfd000, 0x100000] as const;

export interface StockOptions {
  /** The boot loader's version, and so the form of its flags. */
  readonly loader?: number;
  /** Which of the two parameter sectors is current. */
  readonly bank?: 0 | 1;
  /** The first two bytes of the parameters; by default as the stock firmware leaves them after an update. */
  readonly flags?: readonly [number, number];
}

/** A stock firmware in the other slot, records, parameters, and noise wherever nothing is known. */
export function stockFlash(slot: 1 | 2, image: Uint8Array, options: StockOptions = {}): Buffer {
  const { loader = 6, bank = 0 } = options;
  const flash = noise(FLASH_BYTES);
  // Any boot loader does: the emulator knows it by its not changing.
  makeFinalImage({ size: 5120, seed: 99 }).copy(flash, 0, 0, SECTOR_BYTES);
  const other = otherSlot(slot);
  makeUserImage({ slot: other, size: 400_000, seed: 7 }).copy(flash, SLOT_ADDRESS[other]);
  flash.set(image, SLOT_ADDRESS[slot]);
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

/** What `system_upgrade_reboot` of the SDK leaves for the boot loader (image notes 2.2 and 2.4). */
export function flagsFor(slot: 1 | 2, loader: number): [number, number] {
  if (loader <= 2) return [0xf0 | (slot - 1), 0xe0 | loader];
  return [0xf8 | 0x04 | (slot - 1), 0xe0 | loader];
}

/**
 * What the flash holds after everything went well: the final image, filled up to a sector; slot 2 with the same file;
 * settings and parameters erased; nothing else touched.
 */
export function afterInstall(before: Uint8Array, final: Uint8Array, slot: 1 | 2): Buffer {
  const after = Buffer.from(before);
  if (slot === 1) {
    const length = sectors(imageLength(before));
    after.set(before.subarray(SLOT_ADDRESS[1], SLOT_ADDRESS[1] + length), SLOT_ADDRESS[2]);
  }
  after.fill(0xff, 0, sectors(final.length));
  after.set(final);
  after.fill(0xff, ...SETTINGS);
  after.fill(0xff, ...PARAMETERS);
  return after;
}

/** Of the one-hop image in slot 1: its inner image starts behind the irom, and has three segments. */
function imageLength(flash: Uint8Array): number {
  const view = new DataView(flash.buffer, flash.byteOffset);
  const slot = SLOT_ADDRESS[1];
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
