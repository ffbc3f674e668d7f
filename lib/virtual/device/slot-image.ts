/** An image for a slot, as far as the boot loader looks at it (docs/dev/esp8266-images.md#1.2, #2.3). */

/** Where the data of a RAM segment lies in a slot. */
export interface RamSegment {
  readonly offset: number;
  readonly length: number;
}

interface InnerImage {
  readonly segments: readonly RamSegment[];
  /** A segment reaches beyond the slot. */
  readonly isCut: boolean;
  readonly checksumOffset: number;
}

/** The segments of a slot's image that the loader puts into RAM; undefined where its magic is wrong. */
export function innerImage(image: Buffer): InnerImage | undefined {
  if (!hasMagic(image)) return undefined;
  const inner = 16 + image.readUInt32LE(12);
  if (inner + 8 > image.length || image[inner] !== 0xe9) return undefined;
  const segments: RamSegment[] = [];
  let position = inner + 8;
  let isCut = false;
  for (let segment = 0; segment < image[inner + 1]! && !isCut; segment++) {
    const offset = position + 8;
    const length = offset <= image.length ? image.readUInt32LE(position + 4) : Infinity;
    isCut = offset + length > image.length;
    if (!isCut) segments.push({ offset, length });
    position = offset + length;
  }
  return { segments, isCut, checksumOffset: inner + ((position - inner) | 15) };
}

/** Whether a slot starts as an image for a slot does. */
export function hasMagic(image: Buffer): boolean {
  return image[0] === 0xea && image[1] === 0x04;
}
