import { LOADER_MARK, STOCK_MARK, selectSlot, slotAddress, type Slot } from './boot';
import { FLASH_BYTES, FlashMemory, SECTOR_BYTES } from './flash-memory';

/**
 * A flash as it leaves the factory: loader, stock firmware in both halves, and other people's bytes everywhere else,
 * so that nothing can be written properly without an erase.
 */
export function factoryFlash(running: Slot): FlashMemory {
  const flash = new FlashMemory();
  const used = Buffer.alloc(FLASH_BYTES);
  for (let i = 0; i < used.length; i++) used[i] = (i * 0x9d + (i >> 8)) & 0xff;
  used.write('\xe9\x01\x03\x20', 0, 'latin1');
  LOADER_MARK.copy(used, 0x40);
  // As in all real dumps: nothing behind the largest slot 1, and init data for the radio
  // (docs/dev/esp8266-images.md#2.1).
  used.fill(0xff, 0x74000, 0x78000);
  used.fill(0, 0xfc000, 0xfc080);
  used[0xfc000] = 5;
  for (const slot of [1, 2] as const) userImage(STOCK_MARK).copy(used, slotAddress(slot));
  flash.program(0, used);
  selectSlot(flash, running);
  return flash;
}

/** Puts an intermediate firmware into `slot` and selects it, for a device that starts at FinalStage. */
export function installIntermediate(flash: FlashMemory, slot: Slot): void {
  flash.eraseSector(slotAddress(slot) / SECTOR_BYTES);
  flash.program(slotAddress(slot), userImage(Buffer.from('virtual sonoff: intermediate firmware')));
  selectSlot(flash, slot);
}

/**
 * The smallest user image that the boot loader accepts (docs/dev/esp8266-images.md#1.2), with `mark` in its irom part.
 */
function userImage(mark: Buffer): Buffer {
  const image = Buffer.alloc(16 + 256 + 32);
  image.write('\xea\x04\x00\x01', 0, 'latin1');
  image.writeUInt32LE(256, 12);
  mark.copy(image, 16);
  const inner = 16 + 256;
  image.write('\xe9\x01\x00\x20', inner, 'latin1');
  image.writeUInt32LE(0x40100000, inner + 8);
  image.writeUInt32LE(4, inner + 12);
  image.writeUInt32LE(0x01020408, inner + 16);
  image[inner + 31] = 0xef ^ 0x01 ^ 0x02 ^ 0x04 ^ 0x08;
  return image;
}
