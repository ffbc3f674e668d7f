import { type FlashMemory, SECTOR_BYTES } from '../device/flash-memory';

const MAGIC = 0xe9;
const CHECKSUM_SEED = 0xef;
/** Where the Arduino boot loader starts the application (docs/dev/esp8266-images.md#4.1). */
const APP_ADDRESS = SECTOR_BYTES;

/**
 * Whether the application behind a new boot loader is whole: its segments give the checksum that stands behind them. The
 * boot loader does not look, but half of an image runs nowhere.
 */
export function appStarts(flash: FlashMemory): boolean {
  const app = flash.read(APP_ADDRESS, flash.bytes.length - APP_ADDRESS);
  if (app[0] !== MAGIC) return false;
  let checksum = CHECKSUM_SEED;
  let position = 8;
  for (let segment = 0; segment < app[1]!; segment++) {
    if (position + 8 > app.length) return false;
    const start = position + 8;
    const end = start + app.readUInt32LE(position + 4);
    if (end > app.length) return false;
    for (const byte of app.subarray(start, end)) checksum ^= byte;
    position = end;
  }
  return app[position | 15] === checksum;
}
