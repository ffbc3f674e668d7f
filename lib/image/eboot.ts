/** The Arduino core's own boot loader, which stands in sector 0 of a final image (image notes 4.1). */

import type { EbootGeneration, ImagePart } from './facts';

export const EBOOT_ADDRESS = 0x4010f000;
/** Bytes of code: 0x568 up to core 2.6, 0xE00 since it unpacks gzip. */
export const EBOOT_BYTES: Readonly<Record<EbootGeneration, number>> = { raw: 0x568, gzip: 0xe00 };

/** Half-way between the two: an inflate of its own does not fit under it, and the plain copy needs no more. */
const SMALLEST_WITH_INFLATE = 0x9b0;

/** Which eboot this is, by its size; undefined where it is another boot loader. */
export function ebootGeneration(boot: ImagePart): EbootGeneration | undefined {
  const code = boot.segments.find((segment) => segment.address === EBOOT_ADDRESS);
  if (!code) return undefined;
  return code.length >= SMALLEST_WITH_INFLATE ? 'gzip' : 'raw';
}
