/**
 * Which slot a user image is linked for. No header says it, but its code and its tables hold addresses of its own
 * irom part, and those start at 0x40201010 in slot 1 and at 0x40281010 in slot 2.
 *
 * SonOTA's published pair has 519 : 3 such words in user1 and 30 : 492 in user2.
 */

import type { SlotWords } from './facts';
import { SLOT_IROM_ADDRESS } from './format';

/** Fewer words than this say nothing, whatever their majority. */
const FEWEST_WORDS = 16;
/** The winner must have this many times the words of the other slot, and of what chance alone would give. */
const MAJORITY = 4;

/** Counts the aligned words of the irom part that point into it, for either slot. */
export function countSlotWords(irom: Uint8Array): SlotWords {
  const view = new DataView(irom.buffer, irom.byteOffset, irom.byteLength);
  let slot1 = 0;
  let slot2 = 0;
  for (let offset = 0; offset + 4 <= irom.length; offset += 4) {
    const word = view.getUint32(offset, true);
    if (pointsInto(word, SLOT_IROM_ADDRESS[1], irom.length)) slot1++;
    if (pointsInto(word, SLOT_IROM_ADDRESS[2], irom.length)) slot2++;
  }
  return { slot1, slot2 };
}

/**
 * The slot that the words name clearly, else undefined. A large irom of compressed data holds a dozen such words by
 * chance, for either slot alike: an image that carries only a payload must not be called linked for one.
 */
export function slotOf({ slot1, slot2 }: SlotWords, iromBytes: number): 1 | 2 | undefined {
  const byChance = ((iromBytes / 4) * iromBytes) / 2 ** 32;
  const needed = FEWEST_WORDS + MAJORITY * byChance;
  if (slot1 >= needed && slot1 >= MAJORITY * slot2) return 1;
  if (slot2 >= needed && slot2 >= MAJORITY * slot1) return 2;
  return undefined;
}

function pointsInto(word: number, start: number, length: number): boolean {
  return word >= start && word < start + length;
}
