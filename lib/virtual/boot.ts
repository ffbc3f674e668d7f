import { type FlashMemory, SECTOR_BYTES } from './flash-memory';

export type Slot = 1 | 2;

const SLOT_ADDRESS = { 1: 0x1000, 2: 0x81000 } as const;
/** The SDK's parameter sector, whose first two bytes are the loader's flags (ESP8266 notes 2.1, 2.2). */
const FLAGS_ADDRESS = 0xfd000;
const LOADER_VERSION = 6;
const CHECKSUM_SEED = 0xef;

/** What the firmware in a slot is known by. Neither is a format: they only let this device tell its own content apart. */
export const LOADER_MARK = Buffer.from('virtual sonoff: boot loader');
export const STOCK_MARK = Buffer.from('virtual sonoff: stock firmware');

export type BootResult =
  | { firmware: 'stock' | 'intermediate'; slot: Slot }
  | { firmware: 'new' }
  | { firmware: 'none'; reason: 'boot-loop' | 'no-loader' };

export function slotAddress(slot: Slot): number {
  return SLOT_ADDRESS[slot];
}

export function otherSlot(slot: Slot): Slot {
  return slot === 1 ? 2 : 1;
}

/** Sets the slot that the loader starts next, as the SDK's upgrade-and-reboot call does. */
export function selectSlot(flash: FlashMemory, slot: Slot): void {
  flash.eraseSector(FLAGS_ADDRESS / SECTOR_BYTES);
  flash.program(FLAGS_ADDRESS, Uint8Array.of(slot === 1 ? 0xfc : 0xfd, 0xe0 | LOADER_VERSION));
}

/** The slot that the loader will try. Erased flags carry another loader version, which means user1. */
export function selectedSlot(flash: FlashMemory): Slot {
  const [flags, version] = flash.read(FLAGS_ADDRESS, 2);
  return (version! & 0x1f) === LOADER_VERSION && (flags! & 0x03) === 1 ? 2 : 1;
}

/**
 * Starts the device from what its flash holds: a final image has replaced the loader in sector 0; otherwise the
 * loader checks the selected slot as ESP8266 notes 2.3 tell: it falls back to the other slot on a wrong magic, and is
 * caught in a boot loop by a wrong checksum.
 */
export function boot(flash: FlashMemory, log: (line: string) => void): BootResult {
  if (!Buffer.from(flash.bytes.buffer, 0, SECTOR_BYTES).includes(LOADER_MARK)) {
    return flash.bytes[0] === 0xe9 ? { firmware: 'new' } : { firmware: 'none', reason: 'no-loader' };
  }
  let slot = selectedSlot(flash);
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
  const start = flash.read(slotAddress(slot), SECTOR_BYTES);
  return { firmware: start.includes(STOCK_MARK) ? 'stock' : 'intermediate', slot };
}

/** The boot loader's check of a slot: outer magic EA 04, inner E9, XOR over the RAM segments; irom is never checked. */
export function inspectSlot(flash: FlashMemory, slot: Slot): 'good' | 'wrong-magic' | 'wrong-checksum' {
  const image = Buffer.from(flash.bytes.buffer, SLOT_ADDRESS[slot], 0x7b000);
  if (image[0] !== 0xea || image[1] !== 0x04) return 'wrong-magic';
  const inner = 16 + image.readUInt32LE(12);
  if (inner + 8 > image.length || image[inner] !== 0xe9) return 'wrong-magic';
  let checksum = CHECKSUM_SEED;
  let position = inner + 8;
  for (let segment = 0; segment < image[inner + 1]!; segment++) {
    if (position + 8 > image.length) return 'wrong-checksum';
    const end = position + 8 + image.readUInt32LE(position + 4);
    if (end > image.length) return 'wrong-checksum';
    for (const byte of image.subarray(position + 8, end)) checksum ^= byte;
    position = end;
  }
  const at = inner + ((position - inner) | 15);
  return image[at] === checksum ? 'good' : 'wrong-checksum';
}
