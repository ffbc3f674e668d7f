/** From the bytes of an image to its parts. */

import { FlashError } from '../errors';
import { WORDS_BYTES, damageOf } from './core-words';
import type { FlashBytes, ImageContent, PartContent } from './content';
import type { ImagePart } from './facts';
import { readImage } from './read';
import { imageNamed } from './name';
import { wording } from '../wordings/wording';

/**
 * The parts of a sound image, as copies. Bytes that belong to nothing are left out.
 *
 * @throws FlashError what `readImage` throws; image-invalid for a damaged image; image-stock-firmware for a dump,
 * which is more than one image
 */
export function takeApart(bytes: Uint8Array): ImageContent {
  const facts = readImage(bytes);
  const what = imageNamed('given');
  if (facts.kind === 'stock') {
    throw new FlashError('image-stock-firmware', { what, reason: wording('image-whole-dump') });
  }
  if (!facts.checksumValid || facts.crc === 'wrong' || damageOf(facts)) {
    throw new FlashError('image-invalid', { what, reason: wording('image-checksums') });
  }
  const parts = facts.parts.map((part) => contentOf(bytes, part));
  const [first, second] = parts;
  if (!first) throw new FlashError('image-invalid', { what, reason: wording('image-no-parts') });
  if (facts.kind === 'final' && second) {
    const core = facts.coreWords?.state === 'valid' ? facts.coreWords.core : 'none';
    if (core === '3') second.segments[0]?.data.fill(0, 0, WORDS_BYTES);
    return { kind: 'final', boot: first, app: second, core };
  }
  if (facts.kind === 'user') {
    const { offset, length } = facts.irom ?? { offset: 0, length: 0 };
    const irom = Buffer.from(bytes.subarray(offset, offset + length));
    const entry = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(4, true);
    return { kind: 'user', flash: flashBytes(bytes, 0), entry, irom, ram: first, crc: facts.crc === 'valid' };
  }
  return { kind: 'plain', ...first };
}

function contentOf(bytes: Uint8Array, { offset: start, entry, segments }: ImagePart): PartContent {
  return {
    flash: flashBytes(bytes, start),
    entry,
    segments: segments.map(({ address, offset, length }) => ({
      address,
      data: Buffer.from(bytes.subarray(offset, offset + length)),
    })),
  };
}

function flashBytes(bytes: Uint8Array, start: number): FlashBytes {
  return [bytes[start + 2] ?? 0, bytes[start + 3] ?? 0];
}
