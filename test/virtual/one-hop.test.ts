import assert from 'node:assert/strict';
import { makeFinalImage, packOneHop } from '../../lib/image';
import { boot, currentSlot, otherSlot, selectSlot, slotAddress, type Slot } from '../../lib/virtual/device/boot';
import { factoryFlash } from '../../lib/virtual/device/factory';
import { SECTOR_BYTES, type FlashMemory } from '../../lib/virtual/device/flash-memory';
import { relocate, type Relocator } from '../../lib/virtual/device/one-hop-model';
import { bootInEmulator, emulatorMissing } from '../one-hop/emulator';

const FINAL = makeFinalImage({ size: 100_004, redundancy: 0.4 });
const NOISE = makeFinalImage({ size: 60_000, segments: 2 });
const silent = (): void => undefined;

/** A stock device that has taken an update into its other slot, and is to start it. */
function upgraded(running: Slot, file: Buffer): FlashMemory {
  const flash = factoryFlash(running);
  const at = slotAddress(otherSlot(running));
  for (let offset = 0; offset < file.length; offset += SECTOR_BYTES) flash.eraseSector((at + offset) / SECTOR_BYTES);
  flash.program(at, file);
  selectSlot(flash, otherSlot(running));
  return flash;
}

/** Boots until something else than the relocator runs; what that is. */
async function bootThrough(flash: FlashMemory, relocator: Relocator): Promise<string> {
  for (let boots = 0; boots < 5; boots++) {
    const booted = boot(flash, silent);
    if (booted.firmware !== 'one-hop') return booted.firmware;
    if ((await relocator(flash, booted.slot)) === 'stopped') return 'stopped';
  }
  return 'restarts';
}

/** The flash with some bytes changed behind the relocator's back. */
function change(file: Buffer, offset: number): Buffer {
  const changed = Buffer.from(file);
  changed[offset]! ^= 0x40;
  return changed;
}

const packed = packOneHop(FINAL);
const CASES: { title: string; file: Buffer; final: Buffer; ends: string }[] = [
  { title: 'a deflated image', file: packed, final: FINAL, ends: 'new' },
  { title: 'an image that cannot be packed', file: packOneHop(NOISE), final: NOISE, ends: 'new' },
  { title: 'a bit that flipped in the payload', file: change(packed, 0x2000), final: FINAL, ends: 'stock' },
  { title: 'a bit that flipped at the very end', file: change(packed, packed.length - 1), final: FINAL, ends: 'stock' },
];

describe('virtual: the model of the relocator', () => {
  for (const { title, file, final, ends } of CASES) {
    for (const running of [1, 2] as const) {
      it(`${title}, stock in user${running}: ends in ${ends}`, async () => {
        const flash = upgraded(running, file);
        const stock = flash.read(slotAddress(running), 0x10000);
        assert.equal(await bootThrough(flash, relocate), ends);
        if (ends === 'stock') {
          assert.equal(currentSlot(flash), running);
          assert.ok(flash.read(slotAddress(running), 0x10000).equals(stock), 'stock was written to');
          return;
        }
        assert.ok(flash.read(0, final.length).equals(final));
        const rest = Math.ceil(final.length / SECTOR_BYTES) * SECTOR_BYTES - final.length;
        assert.ok(flash.read(final.length, rest).every((byte) => byte === 0xff));
        const erased = [...Array(12).keys()].map((n) => 0xf4 + n);
        for (const sector of erased) {
          assert.ok(
            flash.read(sector * SECTOR_BYTES, SECTOR_BYTES).every((byte) => byte === 0xff),
            `sector ${sector}`,
          );
        }
      });
    }
  }

  for (const [title, refusing, from2, from1] of [
    ['a write-protected lower half', [0x00, 0x7f], 'stock', 'stock'],
    ['a bad sector in the place of the application', [0x03, 0x03], 'stopped', 'stopped'],
    ['a bad sector 0', [0x00, 0x00], 'stopped', 'stopped'],
    ['a bad spare sector', [0x74, 0x74], 'stock', 'stock'],
    ['a bad first sector of slot 2', [0x81, 0x81], 'new', 'stock'],
    ['settings that do not let themselves be erased', [0xf5, 0xf5], 'new', 'new'],
  ] as const) {
    for (const running of [1, 2] as const) {
      const ends = running === 1 ? from2 : from1;
      it(`${title}, stock in user${running}: ends in ${ends}`, async () => {
        const flash = upgraded(running, packed);
        flash.refusing = refusing;
        const stock = flash.read(slotAddress(running), 0x70000);
        assert.equal(await bootThrough(flash, relocate), ends);
        if (ends === 'stock')
          assert.ok(flash.read(slotAddress(running), 0x70000).equals(stock), 'stock was written to');
      });
    }
  }

  describe('is the relocator, byte for byte', () => {
    before(function () {
      const reason = emulatorMissing();
      if (reason === undefined) return;
      console.log(`    the comparison with the emulator is skipped: ${reason}`);
      this.skip();
    });

    for (const { title, file } of CASES) {
      for (const running of [1, 2] as const) {
        it(`${title}, stock in user${running}`, async () => {
          const [model, emulated] = [upgraded(running, file), upgraded(running, file)];
          const ending = await bootThrough(model, relocate);
          const end = await bootThrough(emulated, async (flash) => {
            const booted = await bootInEmulator(flash.bytes);
            flash.bytes.set(booted.flash);
            return booted.ending === 'stopped' ? 'stopped' : 'reset';
          });
          assert.equal(end, ending);
          for (let sector = 0; sector < 256; sector++) {
            const [one, other] = [model, emulated].map((flash) => flash.read(sector * SECTOR_BYTES, SECTOR_BYTES));
            assert.ok(one!.equals(other!), `sector 0x${sector.toString(16)} differs`);
          }
        });
      }
    }
  });
});
