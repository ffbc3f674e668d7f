/** Which of the kept images are still referred to: the others may go, once a person has agreed. */

import { sourceOf, type CatalogImage } from './catalog';
import { addressKey } from './address-images';
import type { ImageLibrary } from './image-library';

/** A digest, alone or in a `store:` reference. */
const DIGEST = /(?<![\da-f])[\da-f]{64}(?![\da-f])/gi;
const CATALOG_NAME = /catalog:\s*([\w.-]+)/gi;
const ADDRESS = /https?:\/\/[^\s"'`<>]+/gi;

/**
 * The digests of all images that are referred to: by digest, by a name of the catalog, or by the address that brought
 * them. Any mention counts, also one in a function's code: an image too many costs room, one too few costs a flash.
 *
 * @param referrers flows, jobs and messages, as JSON carries them
 */
export async function usedImages({ catalog, store }: ImageLibrary, referrers: readonly unknown[]): Promise<Set<string>> {
  const texts = referrers.flatMap((referrer) => [...textsIn(referrer)]);
  const all = (pattern: RegExp, group = 0): string[] =>
    texts.flatMap((text) => [...text.matchAll(pattern)].map((match) => match[group] ?? ''));
  const { user1, user2 } = catalog.pair;
  const named = all(CATALOG_NAME, 1).flatMap((name) => catalog.find(name) ?? []);
  const images: CatalogImage[] = [user1, user2, ...named];
  const addresses = [...all(ADDRESS), ...texts.map((text) => text.trim())];
  const used = new Set(all(DIGEST).map((digest) => digest.toLowerCase()));
  for (const { sha256 } of images) if (sha256 !== null) used.add(sha256);
  for (const source of new Set([...images.map(sourceOf), ...addresses.map(addressKey)])) {
    const brought = await store.known(source);
    if (brought) used.add(brought.sha256);
  }
  return used;
}

/**
 * Removes those of the images that nothing refers to.
 *
 * @param agreed the digests that a person has agreed to
 * @param referrers called again for each image: a flow may be deployed meanwhile
 * @returns the digests of what was removed
 * @throws FlashError store-failed
 */
export async function removeUnused(
  library: ImageLibrary,
  agreed: readonly string[],
  referrers: () => readonly unknown[],
): Promise<string[]> {
  const removed: string[] = [];
  for (const { sha256 } of await library.store.list()) {
    if (!agreed.includes(sha256)) continue;
    if ((await usedImages(library, referrers())).has(sha256)) continue;
    await library.store.remove(sha256);
    removed.push(sha256);
  }
  return removed;
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) yield* textsIn(one);
}
