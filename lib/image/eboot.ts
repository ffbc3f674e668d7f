/** The Arduino core's own boot loader, which stands in sector 0 of a final image (docs/dev/esp8266-images.md#4.1). */

import { digestOf } from './digest';
import type { EbootGeneration, EbootRelease, ImagePart } from './facts';

export const EBOOT_ADDRESS = 0x4010f000;
/** Bytes of code: 0x568 up to core 2.6, 0xE00 since it unpacks gzip. */
export const EBOOT_BYTES: Readonly<Record<EbootGeneration, number>> = { raw: 0x568, gzip: 0xe00 };

/** Half-way between the two: its own inflate does not fit under it, and the plain copy needs nothing beyond it. */
const SMALLEST_WITH_INFLATE = 0x9b0;

/** Which eboot this is, by its size; undefined where it is another boot loader. */
export function ebootGeneration(boot: ImagePart): EbootGeneration | undefined {
  const code = boot.segments.find((segment) => segment.address === EBOOT_ADDRESS);
  if (!code) return undefined;
  return code.length >= SMALLEST_WITH_INFLATE ? 'gzip' : 'raw';
}

/**
 * By the SHA-256 of its code: the section .text of bootloaders/eboot/eboot.elf in each release of esp8266/Arduino. The
 * first is that of 2.1 to 2.6.2, the second of 2.6.3; then 2.7.0, 2.7.1, 2.7.2, 2.7.3 and 2.7.4; 3.0.x, 3.1.x.
 */
const RELEASES: Readonly<Record<string, EbootRelease>> = {
  '9e02acf82912fbc5906674fadd55cd65a6c8ecf94e9df719e9dfe421533e8129': 'before-2.7',
  '0469d378892f35e91852a49ca935941d358b806e9b6dd218c466849c083a7afd': 'before-2.7',
  aca5da0bdb4c4879cf97f2ba0abbcbce74d17e222c7c2a6a6122451f2c5cb1e1: '2.7',
  '09738a0b17375135d3f00b1a1c569d3cd0711da778c1f30b0c8d5828236068f5': '2.7',
  '5d066299e25e4ffe67de601bee42de6a0ef9920c125675d5bf5ad9aa8b90f14e': '2.7',
  dc678378cdeb972476e5ef1800d72ff7a4fcab3be8840999390c6aab01ebd8b6: '2.7',
  '552014b583947a9f1e682b05dea9aef041c244978b31884335f160899da5e5b4': '3',
  '9bd6982832d8876986134cad572d7cbf425ff426fc3743c1e05c5dddd245ab9f': '3',
};

/** The releases whose eboot this is; undefined where it is none of theirs. */
export function ebootRelease(bytes: Uint8Array, boot: ImagePart): EbootRelease | undefined {
  const code = boot.segments.find((segment) => segment.address === EBOOT_ADDRESS);
  return code && RELEASES[digestOf(bytes.subarray(code.offset, code.offset + code.length))];
}
