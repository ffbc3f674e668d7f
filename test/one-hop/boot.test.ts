import assert from 'node:assert/strict';
import { makeFinalImage, packOneHop } from '../../lib/image';
import { repetitive } from '../image/helpers';
import { bootInEmulator, emulatorMissing } from './emulator';
import { afterInstall, stockFlash } from './flash';

describe('one-hop: a few boots in the emulator', () => {
  const missing = emulatorMissing();
  before(function () {
    if (!missing) return;
    this.test!.parent!.title += ` (skipped: ${missing})`;
    this.skip();
  });

  const final = repetitive(makeFinalImage({ size: 100_000 }));
  for (const slot of [1, 2] as const) {
    it(`puts the final image in place from slot ${slot}`, async () => {
      const flash = stockFlash(slot, packOneHop(final));
      const boot = await bootInEmulator(flash);
      assert.equal(boot.ending, 'new-firmware');
      assert.deepEqual(boot.flash.subarray(0, final.length), final);
      assert(boot.flash.equals(afterInstall(flash, final, slot)));
    });
  }

  it('gives the device back to the stock firmware where a byte of it is wrong', async () => {
    const flash = stockFlash(1, packOneHop(final));
    const change = { address: 0x1000 + 20_000, length: 1, xor: 0x08 };
    const boot = await bootInEmulator(flash, { change });
    assert.deepEqual([boot.ending, boot.slot], ['other-firmware', 2]);
  });
});
