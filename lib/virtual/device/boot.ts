import { type FlashMemory, SECTOR_BYTES } from './flash-memory';
import { oneHopIn } from './one-hop-file';
import { innerImage } from './slot-image';

export type Slot = 1 | 2;

const SLOT_ADDRESS = { 1: 0x1000, 2: 0x81000 } as const;
/** The part of a slot that the loader looks at: it ends where the SDK's last sectors start. */
const SLOT_BYTES = 0x7b000;
/**
 * The SDK's two parameter sectors, whose first two bytes are the loader's flags, and behind them the sector whose first
 * byte says which is current (docs/dev/esp8266-images.md#2.1, #2.2).
 */
const PARAMETER_SECTORS = [0xfd, 0xfe] as const;
const SELECTOR_SECTOR = 0xff;
const LOADER_VERSION = 6;
const CHECKSUM_SEED = 0xef;

/** The marks of the firmware in a slot. Neither is a format: they only let this device tell its own content apart. */
export const LOADER_MARK = Buffer.from('virtual sonoff: boot loader');
export const STOCK_MARK = Buffer.from('virtual sonoff: stock firmware');

export type BootResult =
  | { firmware: 'stock' | 'intermediate' | 'one-hop'; slot: Slot }
  | { firmware: 'new' }
  | { firmware: 'none'; reason: 'boot-loop' | 'no-loader' };

export function slotAddress(slot: Slot): number {
  return SLOT_ADDRESS[slot];
}

export function otherSlot(slot: Slot): Slot {
  return slot === 1 ? 2 : 1;
}

/** All that a slot holds. */
export function slotBytes(flash: FlashMemory, slot: Slot): Buffer {
  return flash.read(SLOT_ADDRESS[slot], SLOT_BYTES);
}

/**
 * Sets the slot that the loader starts next, as the SDK's upgrade-and-reboot call and the loader itself do: the other
 * parameter sector gets a copy with new flags, then becomes the current one.
 */
export function selectSlot(flash: FlashMemory, slot: Slot): void {
  const current = currentParameters(flash);
  const other = 1 - current;
  const parameters = flash.read(PARAMETER_SECTORS[current] * SECTOR_BYTES, SECTOR_BYTES);
  parameters.set([slot === 1 ? 0xfc : 0xfd, 0xe0 | LOADER_VERSION]);
  flash.eraseSector(PARAMETER_SECTORS[other]!);
  flash.program(PARAMETER_SECTORS[other]! * SECTOR_BYTES, parameters);
  flash.eraseSector(SELECTOR_SECTOR);
  flash.program(SELECTOR_SECTOR * SECTOR_BYTES, Uint8Array.of(other));
}

/** Leaves nothing of the parameters, as the new firmware's SDK finds them on a blank chip. */
export function clearParameters(flash: FlashMemory): void {
  for (const sector of [...PARAMETER_SECTORS, SELECTOR_SECTOR]) flash.eraseSector(sector);
}

/** The slot that the loader will try. Erased flags carry another loader version, which means user1. */
export function currentSlot(flash: FlashMemory): Slot {
  const [flags, version] = flash.read(PARAMETER_SECTORS[currentParameters(flash)] * SECTOR_BYTES, 2);
  return (version! & 0x1f) === LOADER_VERSION && (flags! & 0x03) === 1 ? 2 : 1;
}

function currentParameters(flash: FlashMemory): 0 | 1 {
  return flash.bytes[SELECTOR_SECTOR * SECTOR_BYTES] === 0 ? 0 : 1;
}

/**
 * Starts the device from what its flash holds: a final image has replaced the loader in sector 0; otherwise the
 * loader checks the selected slot as docs/dev/esp8266-images.md#2.3 tell: it falls back to the other slot on a wrong
 * magic, and is caught in a boot loop by a wrong checksum.
 */
export function boot(flash: FlashMemory, log: (line: string) => void): BootResult {
  if (!Buffer.from(flash.bytes.buffer, 0, SECTOR_BYTES).includes(LOADER_MARK)) {
    return flash.bytes[0] === 0xe9 ? { firmware: 'new' } : { firmware: 'none', reason: 'no-loader' };
  }
  let slot = currentSlot(flash);
  let verdict = inspectSlot(flash, slot);
  if (verdict === 'wrong-magic') {
    log(`user${slot} has a wrong magic; the boot loader falls back to the other slot`);
    slot = otherSlot(slot);
    selectSlot(flash, slot);
    verdict = inspectSlot(flash, slot);
  }
  if (verdict !== 'good') {
    log(`user${slot} does not start: ${verdict}`);
    return { firmware: 'none', reason: 'boot-loop' };
  }
  const image = slotBytes(flash, slot);
  if (oneHopIn(image)) return { firmware: 'one-hop', slot };
  return { firmware: image.subarray(0, SECTOR_BYTES).includes(STOCK_MARK) ? 'stock' : 'intermediate', slot };
}

/** The boot loader's check of a slot: outer magic EA 04, inner E9, XOR over the RAM segments; irom is never checked. */
export function inspectSlot(flash: FlashMemory, slot: Slot): 'good' | 'wrong-magic' | 'wrong-checksum' {
  const image = slotBytes(flash, slot);
  const inner = innerImage(image);
  if (!inner) return 'wrong-magic';
  if (inner.isCut) return 'wrong-checksum';
  let checksum = CHECKSUM_SEED;
  for (const { offset, length } of inner.segments) {
    for (const byte of image.subarray(offset, offset + length)) checksum ^= byte;
  }
  return image[inner.checksumOffset] === checksum ? 'good' : 'wrong-checksum';
}
