/**
 * The images that esptool was asked about. Each is made from its options wherever it is needed, so that no binary
 * has to be kept; the digest beside esptool's answer tells that it is still the same image.
 */

import { createHash } from 'node:crypto';
import {
  makeFinalImage,
  makeUserImage,
  readImage,
  type FinalImageOptions,
  type UserImageOptions,
} from '../../../lib/image';

export type EsptoolCase = (
  | { readonly kind: 'user'; readonly options: UserImageOptions }
  /** `final`: esptool reads the boot loader at 0. `app`: the application of such an image, cut out. */
  | { readonly kind: 'final' | 'app'; readonly options: FinalImageOptions }
) & {
  /** `checksum`: its byte is wrong. `data`: a byte that it covers is. */
  readonly broken?: 'checksum' | 'data';
};

/** The output of esptool's `image-info`, in the words of this project. */
export interface EsptoolAnswer {
  readonly version: 1 | 2;
  readonly entry: number;
  readonly flashMode: string;
  readonly flashSize: string;
  /** MHz. */
  readonly flashFrequency: number;
  /** In file order; a v2 image's irom is the first. `offset` is that of the data, in bytes. */
  readonly segments: readonly { readonly length: number; readonly address: number; readonly offset: number }[];
  readonly checksum: { readonly stored: number; readonly valid: boolean; readonly computed: number };
}

export interface EsptoolFixture {
  readonly case: EsptoolCase;
  readonly sha256: string;
  readonly answer: EsptoolAnswer;
}

export interface EsptoolFixtures {
  readonly esptool: string;
  readonly fixtures: readonly EsptoolFixture[];
}

const MODES = ['QIO', 'QOUT', 'DIO', 'DOUT'] as const;
const SIZES = ['512KB', '256KB', '1MB', '2MB', '4MB', '2MB-c1', '4MB-c1', '8MB', '16MB'] as const;
const FREQUENCIES = [40, 26, 20, 80] as const;

/** Every number of segments, mode, size and frequency, both versions, sound and broken in either way. */
export function esptoolCases(): EsptoolCase[] {
  const cases: EsptoolCase[] = [];
  for (let segments = 1; segments <= 12; segments++) {
    const look = {
      seed: 100 + segments,
      segments,
      flashMode: pick(MODES, segments),
      flashSize: pick(SIZES, segments),
      flashFrequency: pick(FREQUENCIES, segments >> 1),
    };
    const slot = segments % 2 ? 1 : 2;
    cases.push({ kind: 'user', options: { ...look, slot, size: 5000 + 777 * segments, crcTrailer: segments % 3 > 0 } });
    if (segments > 1) cases.push({ kind: 'app', options: { ...look, size: 9000 + 555 * segments } });
  }
  for (const [index, broken] of (['checksum', 'data', 'checksum', 'data'] as const).entries()) {
    const look = { seed: 200 + index, segments: 2 + 3 * index, size: 8192 };
    cases.push({ kind: 'user', options: { ...look, slot: index < 2 ? 1 : 2 }, broken });
    cases.push({ kind: 'app', options: look, broken });
  }
  cases.push(
    { kind: 'final', options: { seed: 300, core: 'none' } },
    { kind: 'final', options: { seed: 301, core: '2.7' } },
    { kind: 'final', options: { seed: 303, core: '3' } },
    // esptool knows nothing of the words in it: it finds the checksum wrong.
    { kind: 'app', options: { seed: 304, core: '3' } },
  );
  cases.push({ kind: 'final', options: { seed: 302 }, broken: 'checksum' });
  return cases;
}

/** The image of a case. */
export function esptoolImage({ kind, options, broken }: EsptoolCase): Buffer {
  const whole = kind === 'user' ? makeUserImage(options) : makeFinalImage(options);
  const image = kind === 'app' ? whole.subarray(0x1000) : whole;
  const part = readImage(image).parts[0];
  const first = part?.segments[0];
  if (!part || !first) throw new Error('an image without parts');
  if (broken === 'checksum') flip(image, part.checksum.offset);
  if (broken === 'data') flip(image, first.offset + 5);
  return image;
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function flip(image: Buffer, offset: number): void {
  image[offset] = (image[offset] ?? 0) ^ 0x10;
}

function pick<T>(values: readonly T[], index: number): T {
  const value = values[index % values.length];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}
