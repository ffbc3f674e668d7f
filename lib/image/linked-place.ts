/**
 * The place in the flash a user image is linked for, read from its functions. Tables and code hold the addresses of
 * functions in the irom part, and a function starts with `addi a1, a1, -n`: such addresses lead to that instruction
 * where the part is taken to start where the linker put it, and nearly nowhere else.
 *
 * In 136 published images at least 96 words do so at the true place, and 2.3 to 14 times as many as at any other;
 * those for rBoot have 8 to 22 times as many at their own place as at a slot.
 */

import { SECTOR_BYTES } from './flash-map';
import { IROM_OFFSET, SLOT_IROM_ADDRESS, isMappedFlash } from './format';

/** The first bytes of `addi a1, a1, -n`. */
const ADDI_A1 = Buffer.from([0x12, 0xc1]);
/** Fewer words than this say nothing, whatever their majority. */
const FEWEST_WORDS = 16;
/** A place that is no slot must have this many times the words of either slot. */
const MAJORITY = 4;

/**
 * The first address of the irom part, where the image is clearly linked for a place that is no slot; else undefined.
 *
 * @param ram the image behind the irom part, whose tables lead into it, too
 */
export function placeElsewhere(irom: Uint8Array, ram: Uint8Array): number | undefined {
  const counts = countPlaces(functionsOf(irom), [...mappedWords(irom), ...mappedWords(ram)]);
  const [address, count] = [...counts].reduce((most, place) => (place[1] > most[1] ? place : most), [0, 0]);
  const slots = Math.max(counts.get(SLOT_IROM_ADDRESS[1]) ?? 0, counts.get(SLOT_IROM_ADDRESS[2]) ?? 0);
  return count >= FEWEST_WORDS && count >= MAJORITY * slots ? address : undefined;
}

/** How many words lead to a function, by the address at which the irom part would have to start for it. */
function countPlaces(functions: ReadonlyMap<number, readonly number[]>, words: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const word of words) {
    for (const offset of functions.get((word - IROM_OFFSET) % SECTOR_BYTES) ?? []) {
      const address = word - offset;
      if (isMappedFlash(address)) counts.set(address, (counts.get(address) ?? 0) + 1);
    }
  }
  return counts;
}

/** Offsets of functions, by their place in a sector: an image starts with one, so it cannot move them in it. */
function functionsOf(irom: Uint8Array): Map<number, number[]> {
  const bytes = Buffer.from(irom.buffer, irom.byteOffset, irom.byteLength);
  const functions = new Map<number, number[]>();
  for (let offset = bytes.indexOf(ADDI_A1); offset >= 0; offset = bytes.indexOf(ADDI_A1, offset + 1)) {
    const place = offset % SECTOR_BYTES;
    functions.set(place, [...(functions.get(place) ?? []), offset]);
  }
  return functions;
}

function mappedWords(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words: number[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; offset += 4) {
    const word = view.getUint32(offset, true);
    if (isMappedFlash(word)) words.push(word);
  }
  return words;
}
