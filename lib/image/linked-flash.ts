/**
 * The flash size that an Arduino image was linked for. The header may be changed afterwards, but the code continues to
 * keep its settings where the linker put them: in the fifth sector from the end, as the CPU sees the flash
 * (`_EEPROM_start` in esp8266/Arduino tools/sdk/ld/eagle.flash.*.ld).
 */

import type { ImagePart } from './facts';

/** Bytes of flash by the address that its linker script gives the settings. */
const SETTINGS_ADDRESSES: ReadonlyMap<number, number> = new Map([
  [0x4027b000, 0x80000],
  [0x402fb000, 0x100000],
  [0x403fb000, 0x200000],
  [0x405fb000, 0x400000],
  [0x409fb000, 0x800000],
  [0x411fb000, 0x1000000],
]);

/** Bytes of flash, undefined where no such address stands in the application, or more than one. */
export function linkedFlashBytes(bytes: Uint8Array, app: ImagePart): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Set<number>();
  for (const { offset, length } of app.segments) {
    for (let at = offset; at + 4 <= offset + length; at += 4) {
      // The lower half alone decides nearly always, and is cheaper than the look-up.
      if (view.getUint16(at, true) !== 0xb000) continue;
      const size = SETTINGS_ADDRESSES.get(view.getUint32(at, true));
      if (size !== undefined) found.add(size);
    }
  }
  return found.size === 1 ? [...found][0] : undefined;
}
