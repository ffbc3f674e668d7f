/** One firmware to install: the pair and the final image, every one examined before any device sees it. */

import { FlashError } from '../../errors';
import { checkForRoad, digestOf, packOneHop, roadOfRole, type ImageFacts, type ImageRole, type Road } from '../../image';
import { sourceOf } from './library/catalog';
import type { SourceBytes } from './library/fetch-here';
import type { ImageLibrary } from './library/image-library';
import { isEmptySource, readSource, type ImageSource, type SourceOptions } from './image-source';

export type { ImageSource } from './image-source';

/**
 * How the final image gets from the download into its place:
 * - `finalstage`: the pair holds FinalStage, which fetches the final image by itself
 * - `one-hop`: the image that the device downloads carries the final one within it, and puts it there at its first start
 */
export type Intermediate = 'finalstage' | 'one-hop';
export const INTERMEDIATES: readonly Intermediate[] = ['finalstage', 'one-hop'];

/** As a form or a message names them; an empty string counts as not given. */
export interface FirmwareSources {
  user1?: ImageSource | undefined;
  user2?: ImageSource | undefined;
  final?: ImageSource | undefined;
  /** FinalStage unless told; with one-hop the pair is not needed. */
  intermediate?: Intermediate | '' | undefined;
  /** The digests (sha256) seen when the sources were examined: another one is refused. */
  digests?: Partial<Record<ImageRole, string>> | undefined;
}

export interface LoadedImage {
  readonly role: ImageRole;
  readonly bytes: Buffer;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly facts: ImageFacts;
  /** For people: the path, the address without credentials and query, or `message`. */
  readonly source: string;
}

/** With one-hop, user1 and user2 are the same file, and the final image is in it. */
export interface Firmware {
  readonly user1: LoadedImage;
  readonly user2: LoadedImage;
  readonly final: LoadedImage;
}

/**
 * Loads and examines all three images, one after the other; the first that is not right ends it. An empty pair is the
 * catalog's FinalStage pair, fetched once; with one-hop it is made of the final image, whatever is named.
 *
 * @param options `limitMs` holds for each fetch over the network
 * @throws FlashError firmware-missing and intermediate-unknown before anything is read, else what `loadImage` throws
 */
export async function loadFirmware(sources: FirmwareSources, options: SourceOptions): Promise<Firmware> {
  if (intermediateOf(sources) === 'one-hop') return await loadOneHop(sources, options);
  const { user1, user2 } = pairOf(sources, options.library);
  const { final, digests } = sources;
  if (isEmptySource(user1)) throw missing('user1');
  if (isEmptySource(user2)) throw missing('user2');
  if (isEmptySource(final)) throw missing('final');
  return {
    // First what needs no network, so that nothing is fetched for a firmware that is refused anyway.
    final: await loadImage('final', final, { ...options, digest: digests?.final }),
    user1: await loadImage('user1', user1, { ...options, digest: digests?.user1 }),
    user2: await loadImage('user2', user2, { ...options, digest: digests?.user2 }),
  };
}

async function loadOneHop({ final, digests }: FirmwareSources, options: SourceOptions): Promise<Firmware> {
  const image = await loadImage('final', final, { ...options, digest: digests?.final }, 'one-hop');
  const packed = { bytes: packOneHop(image.bytes), source: `one hop of ${image.source}` };
  return { final: image, user1: examined('user1', packed), user2: examined('user2', packed) };
}

/** The place of an image, as the doctor knows it. */
export function roadFor(role: ImageRole, intermediate: Intermediate | undefined): Road {
  return role === 'final' && intermediate === 'one-hop' ? 'one-hop' : roadOfRole(role);
}

/**
 * What a flash needs that is resumed at FinalStage: the final image, and user2 where the sources name it or it is kept
 * here. Only a device whose stock firmware ran from user2 asks for that, and this machine may have no internet there.
 *
 * @throws FlashError what `loadImage` throws
 */
export async function loadForFinalStage(
  sources: FirmwareSources,
  options: SourceOptions,
): Promise<Pick<Firmware, 'final'> & Partial<Pick<Firmware, 'user2'>>> {
  const { digests } = sources;
  const final = await loadImage('final', sources.final, { ...options, digest: digests?.final });
  if (!isEmptySource(sources.user2)) {
    return { final, user2: await loadImage('user2', sources.user2, { ...options, digest: digests?.user2 }) };
  }
  const kept = await options.library?.keptUser2().catch(() => undefined);
  return kept ? { final, user2: examined('user2', kept) } : { final };
}

/** @throws FlashError `intermediate-unknown` */
export function intermediateOf({ intermediate }: FirmwareSources): Intermediate {
  if (intermediate === undefined || intermediate === null || intermediate === '') return 'finalstage';
  const known = INTERMEDIATES.find((one) => one === intermediate);
  if (known) return known;
  throw new FlashError('intermediate-unknown', { intermediate: String(intermediate).slice(0, 40) });
}

function pairOf(sources: FirmwareSources, library: ImageLibrary | undefined): Omit<FirmwareSources, 'final'> {
  if (!isEmptySource(sources.user1) || !isEmptySource(sources.user2)) return sources;
  if (library) {
    const { user1, user2 } = library.catalog.pair;
    return { user1: sourceOf(user1), user2: sourceOf(user2) };
  }
  throw new FlashError('firmware-missing', { what: 'FinalStage pair (user1, user2)' });
}

/**
 * Loads and examines one image for its place.
 *
 * @throws FlashError what `readSource` throws, image-changed, or why the image is refused (`checkForRoad`)
 */
export async function loadImage(
  role: ImageRole,
  source: ImageSource | undefined,
  options: SourceOptions,
  road: Road = roadOfRole(role),
): Promise<LoadedImage> {
  if (isEmptySource(source)) throw missing(role);
  const read = await readSource(role, source, options);
  if (options.digest !== undefined && digestOf(read.bytes) !== options.digest) {
    throw new FlashError('image-changed', { what: role });
  }
  return examined(role, read, road);
}

function examined(role: ImageRole, { bytes, source }: SourceBytes, road: Road = roadOfRole(role)): LoadedImage {
  const facts = checkForRoad(bytes, road);
  return { role, bytes, sha256: facts.sha256, facts, source };
}

function missing(role: ImageRole): FlashError {
  return new FlashError('firmware-missing', { what: `${role} image` });
}
