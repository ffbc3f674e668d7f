/** What becomes of a device whose flash does not take what is written, whatever the fault: never anything without an end. */

import assert from 'node:assert/strict';
import { bootAll, type Boot, type Case, type Ending, type Fault } from './emulator';
import {
  PARAMETERS,
  SECTOR_BYTES,
  SETTINGS,
  SLOT_ADDRESS,
  SPARE,
  otherSlot,
  sdkFinds,
  stockFlash,
  type StockOptions,
} from './flash';

/** Per power-on: four tries of a sector; sector 0 in five rounds, and then its former content. */
const MOST_ERASES = 24;
/** Pauses grow up to 64 s, and sector 0 has them all. */
const LONGEST_PAUSES_MS = 95_000;
const POWER_CYCLES = 2;

export interface FaultScene {
  readonly slot: 1 | 2;
  readonly loader: number;
  readonly final: Buffer;
  readonly file: Buffer;
  readonly stock?: StockOptions;
}

/**
 * Plays each fault from power-on, with two power-cycles where the relocator waits for them, and holds what must be true
 * of every one: the stock firmware runs again and is whole, or the new firmware does, or the relocator waits; no sector
 * is erased more than a few times.
 *
 * @param each is called with each end; the order is any
 */
export async function playFaults(
  { slot, loader, final, file, stock = {} }: FaultScene,
  faults: readonly Fault[],
  each: (ending: Ending, fault: Fault, words: string) => void,
): Promise<void> {
  const before = stockFlash(slot, file, { ...stock, loader });
  const cases: Case[] = faults.map((fault, seed) => ({ fault, seed: seed + 1, powerCycles: POWER_CYCLES }));
  await bootAll(
    before,
    cases,
    (boot, { fault }) => {
      assert(fault);
      const words = `${JSON.stringify({ ...fault, address: fault.address.toString(16) })}, slot ${slot}, v1.${loader}`;
      const { mostErased, pausedMs, ending } = boot;
      assert(mostErased.times <= MOST_ERASES * (1 + POWER_CYCLES), `${words}: ${mostErased.times} erases`);
      assert(pausedMs <= LONGEST_PAUSES_MS * (1 + POWER_CYCLES), `${words}: pauses of ${pausedMs} ms`);
      if (ending === 'other-firmware') {
        assert.equal(boot.slot, otherSlot(slot), words);
        assertStockIsWhole(boot, before, slot, words);
      } else if (ending === 'new-firmware') {
        assertInstalled(boot, fault, before, final, words);
      } else {
        assert(ending === 'stopped' || isHopeless(fault, ending), `${words}: ${ending}`);
      }
      // What fails for a moment only is no reason to give up.
      if (fault.count !== undefined && !fault.kinds.includes('forgets')) assert.equal(ending, 'new-firmware', words);
      each(ending, fault, words);
    },
    { loader },
  );
}

/** Everything that the stock firmware needs: all but the slot of the image, the flags, and the sectors that it left blank. */
function assertStockIsWhole({ flash }: Boot, before: Buffer, slot: 1 | 2, words: string): void {
  const [own, spare] = [SLOT_ADDRESS[slot], SPARE];
  for (let at = 0; at < PARAMETERS[0]; at += SECTOR_BYTES) {
    if ((at >= own && at < own + 0x73000) || (at >= spare[0] && at < spare[1])) continue;
    assert(
      flash.subarray(at, at + SECTOR_BYTES).equals(before.subarray(at, at + SECTOR_BYTES)),
      `${words}: sector 0x${at.toString(16)} of a device that was handed back has changed`,
    );
  }
}

/** Sector 0 itself, or the very code that is running, forgotten by the flash after it was read back. */
function isHopeless({ address, kinds }: Fault, ending: Ending): boolean {
  if (ending === 'dead') return address < SECTOR_BYTES;
  const isOwnCode = address >= SLOT_ADDRESS[2] && address < SETTINGS[0] && kinds.includes('forgets');
  return isOwnCode && (ending === 'crashed' || ending === 'loader-hangs');
}

/**
 * The new firmware is whole, and the SDK finds none or all of the old parameters; but what the flash forgets after it was
 * read back, no one can know.
 */
function assertInstalled(
  { flash }: Boot,
  { kinds, address }: Fault,
  before: Buffer,
  final: Buffer,
  words: string,
): void {
  const mended = Buffer.from(flash);
  if (kinds.includes('forgets')) {
    const from = address < PARAMETERS[0] ? final : before;
    mended.set(from.subarray(address, address + SECTOR_BYTES), address);
  }
  assert(mended.subarray(0, final.length).equals(final), `${words}: the new firmware is damaged`);
  assert.notEqual(sdkFinds(mended, before), 'a mixture', words);
}
