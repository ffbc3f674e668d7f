/**
 * The parts that an image is made of, without anything that follows from them (lengths, checksums, padding): what a
 * writer needs, and all that a reader finds. `buildImage` and `takeApart` are each other's inverse.
 */

import type { CoreVersion } from './facts';

/** Header bytes 2 and 3: flash mode, flash size and frequency. Espressif's tools put other values into v2 headers. */
export type FlashBytes = readonly [modeByte: number, sizeAndFrequency: number];

export interface SegmentContent {
  readonly address: number;
  readonly data: Buffer;
}

/** Which length and CRC-32 stand in a final image: none, or as this version of the Arduino core writes them. */
export type WordsOfCore = 'none' | CoreVersion;

/** One v1 image (E9). */
export interface PartContent {
  readonly flash: FlashBytes;
  readonly entry: number;
  readonly segments: readonly SegmentContent[];
}

export interface PlainContent extends PartContent {
  readonly kind: 'plain';
}

export interface UserContent {
  readonly kind: 'user';
  /** Of the outer header, which no boot loader reads. */
  readonly flash: FlashBytes;
  readonly entry: number;
  /** The code that stays in flash: a multiple of 16 bytes. */
  readonly irom: Buffer;
  readonly ram: PartContent;
  /** Whether the CRC-32 of newer tools stands behind it. */
  readonly crc: boolean;
}

export interface FinalContent {
  readonly kind: 'final';
  /** eboot: with its header and checksum it must fit into the first sector. */
  readonly boot: PartContent;
  /** For the words of core 3 its first segment starts with eight zeros. */
  readonly app: PartContent;
  readonly core: WordsOfCore;
}

export type ImageContent = PlainContent | UserContent | FinalContent;
