/** Changes that are safe to make to an image, always to a copy. */

import { digestOf } from './digest';
import { FlashError } from '../errors';
import { damageOf, writeCoreWords } from './core-words';
import type { ImageFacts } from './facts';
import { FLASH_BYTES } from './flash-map';
import { DOUT_BYTE, FLASH_SIZE_1MB } from './format';
import { readImage } from './read';
import { imageNamed } from './name';
import { wording, type Wording } from '../wordings/wording';

export type MendName = 'set-flash-mode-dout' | 'set-flash-size-1mb' | 'pad-to-four';

export const MENDS: readonly MendName[] = ['set-flash-mode-dout', 'set-flash-size-1mb', 'pad-to-four'];

export interface Mended {
  /** A copy, never the bytes that were given. */
  readonly bytes: Buffer;
  /** Of the copy, 64 lower-case hex digits. */
  readonly sha256: string;
  /** Those that changed something, in the order of `MENDS`. */
  readonly applied: MendName[];
}

/** The content of erased flash. */
const ERASED = 0xff;

/**
 * Header bytes 2 and 3 at the start of the file stand under no checksum; the CRC-32 of the Arduino core follows them.
 *
 * @throws FlashError image-invalid where a mend is not safe: on anything but a sound final image, and for the flash
 * size of code that was linked for a larger flash; else what `readImage` throws
 */
export function mend(bytes: Uint8Array, mends: readonly MendName[]): Mended {
  const facts = readImage(bytes);
  refuseUnsafe(facts, mends);
  const applied: MendName[] = [];
  let copy: Buffer = Buffer.from(bytes);
  for (const name of MENDS) {
    if (!mends.includes(name)) continue;
    const next = changed(copy, name);
    if (!next.equals(copy)) applied.push(name);
    copy = next;
  }
  const words = facts.coreWords;
  if (applied.length > 0 && words?.state === 'valid') writeCoreWords(copy, words.core, words.length);
  return { bytes: copy, sha256: digestOf(copy), applied };
}

function refuseUnsafe(facts: ImageFacts, mends: readonly MendName[]): void {
  const refuse = (reason: Wording): never => {
    throw new FlashError('image-invalid', { what: imageNamed('given'), reason });
  };
  const unknown = mends.find((name) => !MENDS.includes(name));
  if (unknown !== undefined) refuse(wording('mend-unknown', { name: unknown }));
  if (facts.kind !== 'final') refuse(wording('mend-not-final'));
  if (!facts.checksumValid || damageOf(facts)) refuse(wording('mend-damaged'));
  if (mends.includes('set-flash-size-1mb') && (facts.linkedFlashBytes ?? 0) > FLASH_BYTES) {
    refuse(wording('mend-linked'));
  }
}

function changed(image: Buffer, name: MendName): Buffer {
  const copy = Buffer.from(image);
  switch (name) {
    case 'set-flash-mode-dout':
      copy[2] = DOUT_BYTE;
      return copy;
    case 'set-flash-size-1mb':
      copy[3] = (FLASH_SIZE_1MB << 4) | ((copy[3] ?? 0) & 0x0f);
      return copy;
    case 'pad-to-four':
      return Buffer.concat([copy, Buffer.alloc((4 - (copy.length % 4)) % 4, ERASED)]);
  }
}
