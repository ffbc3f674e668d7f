import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { makeFinalImage, packOneHop } from '../../../lib/image';
import { slotFile } from '../../../lib/image/one-hop/pack';
import { repetitive } from '../../image/helpers';
import { bootInEmulator } from '../emulator';
import {
  FLASH_BYTES,
  INIT_DATA,
  PARAMETERS,
  SETTINGS,
  SLOT_ADDRESS,
  afterInstall,
  flagsFor,
  otherSlot,
  stockFlash,
} from '../flash';
import { sweep } from './suite';

/** How the loader's flags say a slot: as the SDK sets them, and as the loader itself leaves them when the other failed. */
const FLAGS: [words: string, loader: number, slot: 1 | 2, flags: [number, number]][] = [
  ...[2, 4, 5, 6, 7].flatMap((loader) =>
    ([1, 2] as const).map((slot): (typeof FLAGS)[number] => ['set by the SDK', loader, slot, flagsFor(slot, loader)]),
  ),
  ['after a fallback from slot 2', 6, 1, [0xf9, 0xe6]],
  ['after a fallback from slot 1', 6, 2, [0xf8, 0xe6]],
  ['after a fallback from slot 2', 7, 1, [0xf9, 0xe7]],
  ['after a fallback from slot 1', 7, 2, [0xf8, 0xe7]],
];

sweep('the boot flags', () => {
  const final = repetitive(makeFinalImage({ size: 20_000 }));
  const file = packOneHop(final);

  for (const [words, loader, slot, flags] of FLAGS) {
    for (const bank of [0, 1] as const) {
      const hex = flags.map((byte) => byte.toString(16).toUpperCase()).join(' ');
      it(`of boot_v1.${loader}, ${hex} in sector ${'AB'[bank]} (${words}), name slot ${slot}`, async () => {
        const flash = stockFlash(slot, file, { loader, bank, flags });
        const installed = await bootInEmulator(flash, {}, { loader });
        assert.equal(installed.ending, 'new-firmware');
        assert(installed.flash.equals(afterInstall(flash, final, slot)));

        const change = { address: SLOT_ADDRESS[slot] + 0x600, length: 1, xor: 4 };
        const back = await bootInEmulator(flash, { change }, { loader });
        assert.deepEqual([back.ending, back.slot], ['other-firmware', otherSlot(slot)]);
      });
    }
  }

  it('are changed as the loader does it: a copy in the other sector, then which one is current', async () => {
    const flash = stockFlash(1, file, { loader: 7, bank: 0 });
    const change = { address: SLOT_ADDRESS[1] + 0x600, length: 1, xor: 4 };
    const { flash: after } = await bootInEmulator(flash, { change }, { loader: 7 });
    const [first, second, selector] = [0, 0x1000, 0x2000].map((offset) => PARAMETERS[0] + offset) as [
      number,
      number,
      number,
    ];
    assert(
      after.subarray(first, second).equals(flash.subarray(first, second)),
      'the one that was current is as it was',
    );
    const copy = Buffer.from(flash.subarray(first, second));
    copy.set(flagsFor(2, 7));
    assert(after.subarray(second, selector).equals(copy), 'the other one has all of it, with the new flags');
    const record = Buffer.alloc(0x1000, 0xff);
    record[0] = 1;
    assert(after.subarray(selector).equals(record));
  });

  for (const [code, megabytes, second] of [
    [3, 2, 0x81000],
    [4, 4, 0x81000],
    [5, 2, 0x101000],
    [6, 4, 0x101000],
  ] as const) {
    it(`stand at the end of a flash of ${megabytes} MB, divided as number ${code}`, async () => {
      for (const slot of [1, 2] as const) {
        const flash = largerFlash(stockFlash(slot, file), code, megabytes, second);
        const boot = await bootInEmulator(flash);
        assert.equal(boot.ending, 'new-firmware');
        assert(boot.flash.subarray(0, final.length).equals(final));
        // The new firmware takes it for 1 MB, and finds its settings and parameters there.
        assert(boot.flash.subarray(SETTINGS[0], FLASH_BYTES).every((byte) => byte === 0xff));
        const change = { address: (slot === 1 ? 0x1000 : second) + 0x600, length: 1, xor: 4 };
        const back = await bootInEmulator(flash, { change });
        assert.deepEqual([back.ending, back.slot], ['other-firmware', otherSlot(slot)]);
      }
    });
  }

  it('go back to stock where the final image is longer than 0x81000, however large the flash is', async () => {
    const long = repetitive(makeFinalImage({ size: 0x81010 }));
    const tooLong = slotFile(long, { coding: 'deflate', bytes: deflateRawSync(long, { level: 9 }) });
    for (const [code, megabytes] of [
      [5, 2],
      [6, 4],
    ] as const) {
      for (const slot of [1, 2] as const) {
        const boot = await bootInEmulator(largerFlash(stockFlash(slot, tooLong), code, megabytes, 0x101000));
        assert.deepEqual([boot.ending, boot.slot], ['other-firmware', otherSlot(slot)]);
      }
    }
  });

  for (const loader of [4, 6, 7]) {
    it(`are left to boot_v1.${loader} where the flash is divided in a way that no Sonoff has: stock runs again`, async () => {
      for (const code of [0, 1, 7, 8, 9, 15]) {
        for (const slot of [1, 2] as const) {
          const flash = stockFlash(slot, file, { loader });
          flash[3] = code << 4;
          const boot = await bootInEmulator(flash, {}, { loader });
          assert.deepEqual([boot.ending, boot.slot], ['other-firmware', otherSlot(slot)]);
          const expected = Buffer.from(flash.subarray(0, PARAMETERS[0]));
          expected.fill(0xff, SLOT_ADDRESS[slot], SLOT_ADDRESS[slot] + 0x1000);
          assert(boot.flash.subarray(0, PARAMETERS[0]).equals(expected), 'more than its own slot has changed');
        }
      }
    });
  }
});

/** The same device with a larger flash: slot 2 and the parameters are where its division says. */
function largerFlash(small: Buffer, code: number, megabytes: number, second: number): Buffer {
  const flash = Buffer.alloc(megabytes * 0x100000, 0xff);
  small.copy(flash);
  flash[3] = code << 4;
  small.copy(flash, second, SLOT_ADDRESS[2], PARAMETERS[0]);
  small.copy(flash, flash.length - 0x4000, INIT_DATA[0]);
  return flash;
}
