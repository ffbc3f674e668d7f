/** Facts read from an image's bytes alone. Plain data: it may go into a message as it is. */

import type { Descriptor } from './one-hop/descriptor';

/** The place an image is meant for: the FinalStage pair in the two slots, and the firmware that stays. */
export type ImageRole = 'user1' | 'user2' | 'final';

/** How an error names an image: one that is looked at for no place is the one that was given. */
export type ImageName = ImageRole | 'given';

export type FlashMode = 'QIO' | 'QOUT' | 'DIO' | 'DOUT';

/**
 * - `user`: v2 image (EA) for one slot of Espressif's boot loader
 * - `final`: eboot at 0 and an application header at 0x1000, as the Arduino core builds it
 * - `stock`: Espressif's boot loader at 0 and a user image at 0x1000: a dump of a device
 * - `plain`: a v1 image (E9) with nothing at 0x1000 that could be started
 */
export type ImageKind = 'user' | 'final' | 'stock' | 'plain';

/** `raw`: copies an update as it is. `gzip`: unpacks a compressed one, too. */
export type EbootGeneration = 'raw' | 'gzip';

/** Builds of the Arduino core by what they write into an image (core-words.ts). */
export type CoreVersion = '2.7' | '3';

/** Which releases of the Arduino core have this eboot, by the digest of its code. */
export type EbootRelease = 'before-2.7' | CoreVersion;

/** The length and the CRC-32 that the Arduino core writes; `length` in bytes, as the image tells it. */
export type CoreState =
  | { readonly state: 'valid' | 'wrong'; readonly core: CoreVersion; readonly length: number }
  | { readonly state: 'absent' };

export type CoreWords = CoreState & {
  /** `erased`: nothing but FF. `signature`: of a signed Arduino image, with its length behind it. */
  readonly behind: 'nothing' | 'erased' | 'signature' | 'other';
};

/** One segment: where it is loaded to, and where its data lies in the file (bytes). */
export interface Segment {
  readonly address: number;
  readonly offset: number;
  readonly length: number;
}

/** The xor checksum of a v1 image: what the file says, what its segments give, and where it stands (bytes). */
export interface Checksum {
  readonly stored: number;
  readonly computed: number;
  readonly valid: boolean;
  readonly offset: number;
}

/** One v1 image (E9) inside the file. `end` is the first byte behind its checksum. */
export interface ImagePart {
  readonly offset: number;
  readonly end: number;
  readonly entry: number;
  readonly segments: readonly Segment[];
  readonly checksum: Checksum;
}

/** How many words of the irom part point into it, if it were linked for slot 1 or slot 2. */
export interface SlotWords {
  readonly slot1: number;
  readonly slot2: number;
}

export interface ImageFacts {
  readonly kind: ImageKind;
  /** First byte: E9 is a v1 image, EA a v2 image. */
  readonly magic: 0xe9 | 0xea;
  readonly version: 1 | 2;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the whole file, 64 lower-case hex digits. */
  readonly sha256: string;
  /** From the header at 0; undefined where the byte is none of the four. Means nothing in a user image. */
  readonly flashMode: FlashMode | undefined;
  readonly flashModeByte: number;
  /** Such as `1MB`; undefined for a code that Espressif does not define. */
  readonly flashSize: string | undefined;
  /** High nibble of header byte 3. */
  readonly flashSizeCode: number;
  /** MHz; undefined for an undefined code. */
  readonly flashFrequency: number | undefined;
  /** Address at which it is started: the inner image's (user), the application's (final), else the header's. */
  readonly entry: number;
  /** Segments of what is started, in file order; the irom part of a user image is not among them. */
  readonly segments: readonly Segment[];
  /** Every checksum in the file is right. */
  readonly checksumValid: boolean;
  /** The v1 images in the file: the inner one (user), eboot and application (final), else the one at 0. */
  readonly parts: readonly ImagePart[];
  /**
   * Bytes behind the last part that belong to nothing: after the CRC-32 trailer of a user image, and after the length
   * that a final image tells, where there are such.
   */
  readonly trailing: number;
  /** The part that stays in flash and is mapped; address 0 where it does not tell. User and final images. */
  readonly irom?: Segment;
  /** User images: the slot it is linked for; undefined where its words do not tell, or where it is no slot. */
  readonly slot?: 1 | 2 | undefined;
  readonly slotWords?: SlotWords;
  /** User images: the CRC-32 over the file that newer tools append. No boot loader reads it. */
  readonly crc?: 'valid' | 'wrong' | 'absent';
  /** User images: what is in it, where it is a one-hop image. */
  readonly oneHop?: Descriptor;
  /** Final images: the boot loader in sector 0; undefined where it is not eboot. */
  readonly eboot?: EbootGeneration | undefined;
  /** Final images: the release that this eboot is of; undefined where it is of none. */
  readonly ebootRelease?: EbootRelease | undefined;
  /** Final images: the length and the CRC-32 in it. */
  readonly coreWords?: CoreWords;
  /** Final images: bytes of the flash that it was linked for; undefined where it does not tell. */
  readonly linkedFlashBytes?: number | undefined;
  /** Final images: the content names itself a build that only serves to fetch another. */
  readonly minimal?: boolean;
  /** FinalStage writes in words; a length that is no multiple of four loses its last bytes. */
  readonly lengthMultipleOf4: boolean;
}
