import assert from 'node:assert/strict';
import { boot, inspectSlot, currentSlot, selectSlot } from '../../lib/virtual/device/boot';
import { factoryFlash, installIntermediate } from '../../lib/virtual/device/factory';
import { FLASH_BYTES, FlashMemory } from '../../lib/virtual/device/flash-memory';
import { finalImage, userImage } from './images';

const silent = (): void => undefined;

describe('virtual Sonoff: flash memory', () => {
  it('programs by clearing bits only', () => {
    const flash = new FlashMemory();
    flash.program(0x2000, Uint8Array.of(0b1111_0000));
    flash.program(0x2000, Uint8Array.of(0b1010_1010));
    assert.equal(flash.bytes[0x2000], 0b1010_0000);
  });

  it('erases whole sectors to FF and nothing beside them', () => {
    const flash = new FlashMemory();
    flash.program(0, Buffer.alloc(0x4000));
    flash.eraseSector(2);
    assert.ok(flash.read(0x2000, 0x1000).every((byte) => byte === 0xff));
    assert.equal(flash.bytes[0x1fff], 0);
    assert.equal(flash.bytes[0x3000], 0);
  });

  it('has 1 MiB and no more', () => {
    const flash = new FlashMemory();
    assert.equal(flash.bytes.length, FLASH_BYTES);
    assert.throws(() => flash.eraseSector(256), RangeError);
    assert.throws(() => flash.eraseSector(-1), RangeError);
    assert.throws(() => flash.program(FLASH_BYTES - 1, Buffer.alloc(2)), RangeError);
  });

  it('leaves the factory full, so that a write without an erase is seen', () => {
    const flash = factoryFlash(1);
    const image = userImage(4096);
    flash.program(0x81000, image);
    assert.notDeepEqual(flash.read(0x81000, image.length), image);
  });
});

describe('virtual Sonoff: boot', () => {
  for (const slot of [1, 2] as const) {
    it(`starts stock from user${slot}`, () => {
      assert.deepEqual(boot(factoryFlash(slot), silent), { firmware: 'stock', slot });
    });
  }

  it('starts what was written into the other slot', () => {
    const flash = factoryFlash(1);
    installIntermediate(flash, 2);
    assert.deepEqual(boot(flash, silent), { firmware: 'intermediate', slot: 2 });
  });

  it('falls back to the other slot where the magic is wrong', () => {
    const flash = factoryFlash(1);
    flash.eraseSector(0x81);
    flash.program(0x81000, finalImage(4096));
    selectSlot(flash, 2);
    assert.deepEqual(boot(flash, silent), { firmware: 'stock', slot: 1 });
    assert.equal(currentSlot(flash), 1);
  });

  it('is caught in a boot loop where the checksum is wrong', () => {
    const flash = factoryFlash(1);
    const image = userImage(4096);
    image[4096 - 32 + 17]! ^= 1;
    flash.eraseSector(0x81);
    flash.program(0x81000, image);
    selectSlot(flash, 2);
    assert.equal(inspectSlot(flash, 2), 'wrong-checksum');
    assert.deepEqual(boot(flash, silent), { firmware: 'none', reason: 'boot-loop' });
  });

  it('starts user1 where the flags are erased', () => {
    const flash = factoryFlash(2);
    flash.eraseSector(0xfd);
    assert.equal(currentSlot(flash), 1);
  });

  it('is the new firmware when sector 0 is, and dead when sector 0 is erased', () => {
    const flash = factoryFlash(1);
    flash.eraseSector(0);
    assert.deepEqual(boot(flash, silent), { firmware: 'none', reason: 'no-loader' });
    flash.program(0, finalImage(4096));
    assert.deepEqual(boot(flash, silent), { firmware: 'new' });
  });
});
