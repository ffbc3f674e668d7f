import assert from 'node:assert/strict';
import { buildImage, makeFinalImage, packOneHop, readImage, takeApart } from '../../../lib/image';
import { slotFile } from '../../../lib/image/one-hop/pack';
import { seededRandom } from '../../../lib/image/random';
import { repetitive } from '../../image/helpers';
import { bootAll, bootInEmulator, type Boot, type Case } from '../emulator';
import { PARAMETERS, SLOT_ADDRESS, afterInstall, otherSlot, stockFlash } from '../flash';
import { sweep, tell } from './suite';

/** Under which loaders, and of how many bytes one is flipped: in the payload, and in all else, which is the relocator. */
const LOADERS = [
  { loader: 6, inPayload: 37, inRest: 1 },
  { loader: 2, inPayload: 111, inRest: 7 },
  { loader: 7, inPayload: 111, inRest: 7 },
];

/** Everything but the boot flags is as it was. */
function assertUntouched(boot: Boot, before: Uint8Array, words: string): void {
  assert(boot.flash.subarray(0, PARAMETERS[0]).equals(before.subarray(0, PARAMETERS[0])), `${words}: ${boot.ending}`);
}

function changed(flash: Uint8Array, { change }: Case): Buffer {
  const copy = Buffer.from(flash);
  if (!change) return copy;
  const { address, length, and = 0xff, xor = 0 } = change;
  for (let at = address; at < address + length; at++) copy[at] = ((copy[at] ?? 0) & and) ^ xor;
  return copy;
}

/**
 * Plays cases of which none may do anything but give the device back, and counts how they end. A few crash: addresses of
 * segments and the entry stand under no checksum of the loader's, so it starts what it has loaded to a wrong place.
 */
async function playHarmless(flash: Buffer, slot: 1 | 2, loader: number, cases: Case[]): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  await bootAll(
    flash,
    cases,
    (boot, one) => {
      const words = JSON.stringify(one.change);
      assertUntouched(boot, changed(flash, one), words);
      assert.notEqual(boot.ending, 'new-firmware', words);
      if (boot.ending === 'other-firmware') assert.equal(boot.slot, otherSlot(slot), words);
      ends.set(boot.ending, (ends.get(boot.ending) ?? 0) + 1);
    },
    { loader },
  );
  return ends;
}

function inWords(ends: Map<string, number>): string {
  return [...ends].map(([ending, count]) => `${count} ${ending}`).join(', ');
}

sweep('a damaged slot file gives the device back to the stock firmware, or touches nothing', () => {
  const final = repetitive(makeFinalImage({ size: 20_000 }));
  const file = packOneHop(final);
  const { irom } = readImage(file);
  assert(irom);
  const payload = { from: irom.offset, to: irom.offset + irom.length };

  for (const { loader, inPayload, inRest } of LOADERS) {
    for (const slot of [1, 2] as const) {
      it(`one bit, in slot ${slot}, under boot_v1.${loader}`, async () => {
        const flash = stockFlash(slot, file, { loader });
        const random = seededRandom(loader * 2 + slot);
        const cases: Case[] = [];
        for (
          let at = 0;
          at < file.length;
          at += at >= payload.from && at + inPayload < payload.to ? inPayload : inRest
        ) {
          cases.push({ change: { address: SLOT_ADDRESS[slot] + at, length: 1, xor: 1 << (random() % 8) } });
        }
        const ends = await playHarmless(flash, slot, loader, cases);
        tell(`${cases.length} flipped bits: ${inWords(ends)}`);
        // What the loader itself finds, v1.2 does not fall back from.
        if (loader > 2) assert((ends.get('other-firmware') ?? 0) > 0.95 * cases.length);
      });

      it(`cut off, in slot ${slot}, under boot_v1.${loader}`, async () => {
        const flash = stockFlash(slot, file, { loader });
        const cases: Case[] = [];
        for (let length = 0; length < file.length; length += length < file.length - 64 ? 199 : 1) {
          const address = SLOT_ADDRESS[slot] + length;
          cases.push({ change: { address, length: file.length - length, and: 0, xor: 0xff } });
        }
        const ends = await playHarmless(flash, slot, loader, cases);
        tell(`${cases.length} lengths: ${inWords(ends)}`);
        // In the middle of the relocator the loader takes erased flash for a segment to be loaded to 0xFFFFFFFF.
        if (loader > 2) assert((ends.get('other-firmware') ?? 0) + (ends.get('crashed') ?? 0) === cases.length);
      });
    }
  }
});

sweep('a slot file that is whole and wrong', () => {
  const final = repetitive(makeFinalImage({ size: 20_000 }));
  const other = repetitive(makeFinalImage({ size: 30_000, seed: 5 }));

  /** Sealed again, so that loader and CRC-32 find nothing. */
  function sealed(image: Buffer, change: (descriptor: Buffer, irom: Buffer) => void): Buffer {
    const content = takeApart(image);
    assert(content.kind === 'user');
    const descriptor = content.ram.segments.at(-1)?.data;
    assert(descriptor);
    change(descriptor, content.irom);
    return buildImage(content);
  }

  async function assertGivesBack(file: Buffer, words: string): Promise<void> {
    for (const slot of [1, 2] as const) {
      const flash = stockFlash(slot, file);
      const boot = await bootInEmulator(flash);
      assert.deepEqual([boot.ending, boot.slot], ['other-firmware', otherSlot(slot)], words);
      assertUntouched(boot, flash, words);
    }
  }

  it('is given back: a descriptor that is of another layout, or that lies', async () => {
    const file = packOneHop(final);
    const words: [name: string, word: number, value: number][] = [
      ['the magic of another layout', 1, 0x3230504f],
      ['a coding that does not exist', 3, 7],
      ['too large for an update', 4, 0x73004],
      ['no length', 4, 0],
      ['an odd length', 4, file.length - 1],
      ['a descriptor that is elsewhere', 5, 0x40],
      ['a payload that starts later', 6, 0x14],
      ['a payload that ends earlier', 7, 1000],
      ['a payload that ends later', 7, 0x40000],
      ['a final image that is smaller', 8, 19_000],
      ['a final image that is larger', 8, 21_000],
      ['a final image that is too large', 8, 0x81004],
      ['a final image of one sector', 8, 4096],
      ['another CRC-32', 9, 0x12345678],
    ];
    for (const [name, word, value] of words) {
      await assertGivesBack(
        sealed(file, (descriptor) => descriptor.writeUInt32LE(value, 4 * word)),
        name,
      );
    }
  });

  it('is given back: a payload that is no deflate stream, or another one', async () => {
    const random = seededRandom(3);
    const file = packOneHop(final);
    for (let round = 0; round < 40; round++) {
      const bytes = sealed(file, (_, irom) => {
        const from = random() % 12_000;
        const count = 1 + (round % 4 === 0 ? random() % 4000 : random() % 3);
        for (let at = from; at < from + count; at++) irom[at] = round % 8 === 1 ? 0xff : random();
      });
      await assertGivesBack(bytes, `round ${round}`);
    }
  });

  it('of another build, in the other slot, counts for nothing: the one that was started is installed', async () => {
    const newer = sealed(slotFile(final, { coding: 'raw', bytes: final }), (descriptor) =>
      descriptor.writeUInt32LE(0x600dcafe, 8),
    );
    for (const [started, lying] of [
      [packOneHop(final), packOneHop(other)],
      [packOneHop(final), newer],
      [newer, packOneHop(final)],
    ] as const) {
      for (const slot of [1, 2] as const) {
        const flash = stockFlash(slot, started);
        flash.set(lying, SLOT_ADDRESS[otherSlot(slot)]);
        const boot = await bootInEmulator(flash);
        assert.equal(boot.ending, 'new-firmware');
        assert(boot.flash.equals(afterInstall(flash, final, slot)));
      }
    }
  });

  it('with nothing in the other slot to give back to waits, and has touched nothing at all', async () => {
    for (const slot of [1, 2] as const) {
      const flash = stockFlash(slot, packOneHop(final));
      flash.fill(0xff, SLOT_ADDRESS[otherSlot(slot)], SLOT_ADDRESS[otherSlot(slot)] + 0x1000);
      const change = { address: SLOT_ADDRESS[slot] + 0x800, length: 1, xor: 1 };
      const boot = await bootInEmulator(flash, { change });
      assert.equal(boot.ending, 'stopped');
      assert(boot.flash.equals(changed(flash, { change })));
    }
  });
});
