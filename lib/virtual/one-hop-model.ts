import { currentSlot, otherSlot, selectSlot, type Slot, slotAddress, slotBytes } from './boot';
import { SECTOR_BYTES, type FlashMemory } from './flash-memory';
import { isWhole, oneHopIn, unpack, type OneHopFile } from './one-hop-file';
import { hasMagic } from './slot-image';

/**
 * What stands in for the relocator of a one-hop image: it changes the flash as one start of it does. `reset`: it has
 * restarted the device; `stopped`: it waits for a power-cycle.
 */
export type Relocator = (flash: FlashMemory, running: Slot) => Promise<'reset' | 'stopped'> | 'reset' | 'stopped';

/** Most that stock firmware takes as an update (ESP8266 notes 2.6). */
const LARGEST_FILE = 0x73000;
/** Settings, then the SDK's parameters; the sector between them holds what the radio was trimmed to. */
const ERASED_SECTORS = [...range(0xf4, 0xfb), ...range(0xfd, 0xff)];

/**
 * The contract of the relocator (ESP8266 notes 5.2) on a flash that never fails: from slot 1 it moves itself to slot 2;
 * in slot 2 it puts the final image to the beginning of the flash, sector 0 last. Whatever is wrong before the first
 * write makes it hand back to the firmware in the other slot.
 */
export const relocate: Relocator = (flash, running) => {
  const file = oneHopIn(slotBytes(flash, running));
  if (!file || !isPossible(file)) return handBack(flash);
  const source = ([2, 1] as const).find((slot) => isWhole(slotBytes(flash, slot), file));
  const image = source && unpack(slotBytes(flash, source), file);
  if (!source || !image) return handBack(flash);

  if (source === 1) putSectors(flash, slotAddress(2), slotBytes(flash, 1).subarray(0, wholeSectors(file.length)));
  if (currentSlot(flash) !== 2) {
    selectSlot(flash, 2);
    return 'reset';
  }
  putSectors(flash, 0, image);
  for (const sector of ERASED_SECTORS) flash.eraseSector(sector);
  return 'reset';
};

function isPossible({ length, final }: OneHopFile): boolean {
  return length <= LARGEST_FILE && final.length >= SECTOR_BYTES + 4 && final.length <= slotAddress(2);
}

/** The other slot is untouched as yet; where there is nothing in it, nothing can be done. */
function handBack(flash: FlashMemory): 'reset' | 'stopped' {
  const other = otherSlot(currentSlot(flash));
  if (!hasMagic(slotBytes(flash, other))) return 'stopped';
  selectSlot(flash, other);
  return 'reset';
}

/** Erases and writes whole sectors, filled up with FF. */
function putSectors(flash: FlashMemory, address: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; offset += SECTOR_BYTES) {
    flash.eraseSector((address + offset) / SECTOR_BYTES);
    flash.program(address + offset, bytes.subarray(offset, offset + SECTOR_BYTES));
  }
}

function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
