import { clearParameters, currentSlot, otherSlot, selectSlot, type Slot, slotAddress, slotBytes } from './boot';
import { SECTOR_BYTES, type FlashMemory } from './flash-memory';
import { isWhole, oneHopIn, unpack, type OneHopFile } from './one-hop-file';
import { hasMagic } from './slot-image';

/**
 * What stands in for the relocator of a one-hop image: it changes the flash as one start of it does. `reset`: it has
 * restarted the device; `stopped`: it waits for a power-cycle.
 */
export type Relocator = (flash: FlashMemory, running: Slot) => Promise<'reset' | 'stopped'> | 'reset' | 'stopped';

/** Most that stock firmware takes as an update (docs/dev/esp8266-images.md#2.6). */
const LARGEST_FILE = 0x73000;
const SETTINGS_SECTORS = range(0xf4, 0xfb);
/** The stock firmware's init data, where the new one looks for its calibration. */
const CALIBRATION_SECTOR = 0xfc;
/** Where the stock firmware has nothing: one of them shows whether the lower half can be written. */
const SPARE_SECTORS = range(0x74, 0x77);

/** Its report behind the file: its mark, the chip's status register, and how the proof of the lower half went. */
const REPORT_MARK = Buffer.from('HOP1', 'latin1');
const STATUS = 0x0200;
const PROOF = { given: 1, refused: 2, 'no blank sector': 3 } as const;

/**
 * The contract of the relocator (docs/dev/esp8266-images.md#5.2; firmware/one-hop/main.c): from slot 1 it moves itself
 * to slot 2; in slot 2 it puts the final image to the beginning of the flash, sector 0 last. Whatever is wrong while
 * nothing of the other slot is changed makes it hand back to the firmware there; whatever is wrong later, wait.
 */
export const relocate: Relocator = (flash, running) => {
  const file = oneHopIn(slotBytes(flash, running));
  if (!file || !isPossible(file)) return handBack(flash);
  const source = ([2, 1] as const).find((slot) => isWhole(slotBytes(flash, slot), file));
  const image = source && unpack(slotBytes(flash, source), file);
  if (!source || !image) return handBack(flash);
  report(flash, slotAddress(source) + file.length, [REPORT_MARK.readUInt32LE(), STATUS]);

  if (source === 1) {
    if (!giveUp(flash, 2, file, source)) return handBack(flash);
    const moved = slotBytes(flash, 1).subarray(0, wholeSectors(file.length));
    if (!putSectors(flash, slotAddress(2), moved)) return 'stopped';
  }
  if (currentSlot(flash) !== 2) {
    selectSlot(flash, 2);
    if (currentSlot(flash) === 2) return 'reset';
  }
  if (!giveUp(flash, 1, file, 2)) return handBack(flash);
  if (!putSectors(flash, SECTOR_BYTES, image.subarray(SECTOR_BYTES))) return 'stopped';
  for (const sector of SETTINGS_SECTORS) flash.eraseSector(sector);
  if (!putSectors(flash, 0, image.subarray(0, SECTOR_BYTES))) return 'stopped';
  flash.eraseSector(CALIBRATION_SECTOR);
  clearParameters(flash);
  return 'reset';
};

function isPossible({ length, final }: OneHopFile): boolean {
  return length <= LARGEST_FILE && final.length >= SECTOR_BYTES + 4 && final.length <= slotAddress(2);
}

/** Where the firmware in the other slot is untouched as yet; where there is none, nothing can be done. */
function handBack(flash: FlashMemory): 'reset' | 'stopped' {
  const other = otherSlot(currentSlot(flash));
  if (!hasMagic(slotBytes(flash, other))) return 'stopped';
  selectSlot(flash, other);
  return currentSlot(flash) === other ? 'reset' : 'stopped';
}

/** Shows that the lower half can be written, then makes what is in a slot no image any more. False: all is as it was. */
function giveUp(flash: FlashMemory, slot: Slot, file: OneHopFile, source: Slot): boolean {
  const first = slotAddress(slot) / SECTOR_BYTES;
  if (!hasMagic(slotBytes(flash, slot)) || isWhole(slotBytes(flash, slot), file)) {
    if (hasMagic(slotBytes(flash, slot))) flash.eraseSector(first);
    return true;
  }
  const spare = SPARE_SECTORS.find((sector) => isBlank(flash, sector));
  const proof = spare === undefined ? 'no blank sector' : takesWrites(flash, spare) ? 'given' : 'refused';
  report(flash, slotAddress(source) + file.length + 8, [PROOF[proof]]);
  if (proof === 'refused') return false;
  flash.eraseSector(first);
  return !hasMagic(slotBytes(flash, slot));
}

function takesWrites(flash: FlashMemory, sector: number): boolean {
  const isWritten = putSectors(flash, sector * SECTOR_BYTES, Buffer.alloc(SECTOR_BYTES));
  flash.eraseSector(sector);
  return isWritten && isBlank(flash, sector);
}

/** Each word is written once. */
function report(flash: FlashMemory, address: number, words: readonly number[]): void {
  words.forEach((word, index) => {
    const at = address + 4 * index;
    if (flash.read(at, 4).readUInt32LE() !== 0xffffffff) return;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(word);
    flash.program(at, bytes);
  });
}

/** Erases and writes whole sectors, filled up with FF. False where one does not read back, which ends it. */
function putSectors(flash: FlashMemory, address: number, bytes: Buffer): boolean {
  for (let offset = 0; offset < bytes.length; offset += SECTOR_BYTES) {
    const at = address + offset;
    const part = bytes.subarray(offset, offset + SECTOR_BYTES);
    flash.eraseSector(at / SECTOR_BYTES);
    if (!isBlank(flash, at / SECTOR_BYTES)) return false;
    flash.program(at, part);
    if (!flash.read(at, part.length).equals(part)) return false;
  }
  return true;
}

function isBlank(flash: FlashMemory, sector: number): boolean {
  return flash.read(sector * SECTOR_BYTES, SECTOR_BYTES).every((byte) => byte === 0xff);
}

function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
