/** The images that are known by name; facts only, no image is in the package. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlashMode } from '../../image';

/** The package's own catalog; found from the compiled file, in dist/lib/. */
export const CATALOG_FILE = join(__dirname, '..', '..', '..', '..', 'firmware', 'catalog.json');

export interface CatalogImage {
  /** The name behind `catalog:`. */
  readonly name: string;
  readonly title: string;
  readonly project: string;
  readonly version: string | null;
  /** SPDX; null where the publisher states none. */
  readonly licence: string | null;
  readonly url: string;
  /** Bytes; null = not known. */
  readonly size: number | null;
  /** Null = not known: the first download shows it for a person to confirm. */
  readonly sha256: string | null;
  /** The source of the digest. */
  readonly digestSource: string | null;
  /** Digest of a public mirror's file, where the publisher's is not known: a hint for the person who confirms one. */
  readonly mirrorSha256?: string;
  /** At one image of the catalog: the one to take where nothing speaks for another. */
  readonly recommended?: true;
  readonly flashMode: FlashMode | null;
  /** The roads that it fits. */
  readonly roads: readonly ('cloud-user1' | 'cloud-user2' | 'finalstage' | 'diy')[];
  readonly notes: string;
}

interface CatalogFile {
  /** Names of the images that stand in for an empty pair. */
  readonly pair: { readonly user1: string; readonly user2: string };
  readonly images: readonly CatalogImage[];
}

let ofPackage: Catalog | undefined;

export class Catalog {
  constructor(private readonly file: CatalogFile) {}

  /** The package's own, read once; a test holds it to its schema. */
  static ofPackage(): Catalog {
    ofPackage ??= new Catalog(JSON.parse(readFileSync(CATALOG_FILE, 'utf8')) as CatalogFile);
    return ofPackage;
  }

  get images(): readonly CatalogImage[] {
    return this.file.images;
  }

  /** The pair that an empty choice stands for. */
  get pair(): { user1: CatalogImage; user2: CatalogImage } {
    const [user1, user2] = [this.find(this.file.pair.user1), this.find(this.file.pair.user2)];
    if (!user1 || !user2) throw new Error("the catalog's pair is not among its images");
    return { user1, user2 };
  }

  /** The one to take where nothing speaks for another. */
  get recommended(): CatalogImage | undefined {
    return this.file.images.find(({ recommended }) => recommended);
  }

  find(name: string): CatalogImage | undefined {
    return this.file.images.find((image) => image.name === name.toLowerCase());
  }

  /** The image with that content, whatever name it came under. */
  withDigest(sha256: string): CatalogImage | undefined {
    return this.file.images.find((image) => image.sha256 === sha256);
  }
}

/** How what came under a catalog's name stands to what the catalog knows of it. */
export interface CatalogHints {
  /** Only where the publisher's digest is not known, and a mirror's is. */
  readonly mirror?: 'same' | 'different';
  /** Bytes; only where the file has another size. */
  readonly expectedSize?: number;
}

/** @param file what is here of it */
export function hintsOf(image: CatalogImage, file: { readonly sha256: string; readonly size: number }): CatalogHints {
  const { sha256, mirrorSha256, size } = image;
  return {
    ...(sha256 === null && mirrorSha256 && { mirror: mirrorSha256 === file.sha256 ? 'same' : 'different' }),
    ...(size !== null && size !== file.size && { expectedSize: size }),
  };
}

/** How a catalog image is written in a form, and known in the store. */
export function sourceOf(image: CatalogImage): string {
  return `catalog:${image.name}`;
}
