/** One firmware to install, every image of it examined before any device sees it. */

import { FlashError } from '../errors';
import { imageNamed, targetOfRole, type ImageFacts, type ImageRole, type ImageTarget } from '../image';
import { ExaminedImages } from './examined-images';
import { sourceOf } from './library/catalog';
import type { SourceBytes } from './library/fetch-here';
import type { ImageLibrary } from './library/image-library';
import { isEmptySource, readSource, type ImageSource, type SourceOptions } from './image-source';
import { wording } from '../wordings/wording';

export type { ImageSource } from './image-source';

/** How the final image gets into its place once the device has its upgrade, as a form or a message names it. */
export type Intermediate = 'finalstage' | 'one-hop';

/** The intermediates to choose from; an empty choice is FinalStage. */
export interface IntermediateChoice {
  readonly intermediate?: Intermediate | '' | null | undefined;
}

/** Which images a route serves, and where each of them goes in the device's flash. */
export interface ImagePlan {
  readonly images: Readonly<Partial<Record<ImageRole, ImageTarget>>>;
  /** The final image is packed: what the device downloads is made of it, and no other source is needed. */
  readonly isPacked?: true;
}

/** As a form or a message names them; an empty string counts as not given. */
export interface FirmwareSources extends IntermediateChoice {
  user1?: ImageSource | undefined;
  user2?: ImageSource | undefined;
  final?: ImageSource | undefined;
  /** The digests (sha256) seen when the sources were examined: another one is refused. */
  digests?: Partial<Record<ImageRole, string>> | undefined;
  /** Places whose address a person has typed: nothing else vouches for what it brings, so it needs such a digest. */
  mustBeConfirmed?: readonly ImageRole[];
}

/** The facts known of a source before it is read. */
interface ImageOptions extends SourceOptions {
  /** Whether it is refused without a digest. */
  mustBeConfirmed?: boolean | undefined;
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

/** The images of one firmware: those that its route serves, or those that are left of them. */
export type Firmware = Readonly<Partial<Record<ImageRole, LoadedImage>>>;

/** The images of the cloud method. Packed, user1 and user2 are the same file, and the final image is in it. */
export type WholeFirmware = Required<Firmware>;

/**
 * Loads and examines all images of a plan, one after the other; the first that is not right ends it. An empty pair is
 * the catalog's FinalStage pair, fetched once; where the plan packs the final image, the pair is made of it, whatever
 * is named.
 *
 * @param options `limitMs` holds for each fetch over the network
 * @throws FlashError `firmware-missing` before anything is read, else what `loadImage` throws
 */
export async function loadImages(plan: ImagePlan, sources: FirmwareSources, options: SourceOptions): Promise<Firmware> {
  const named = needsPair(plan) ? { ...sources, ...pairOf(sources, options.library) } : sources;
  const roles = NAMED_ORDER.filter((role) => needsSource(plan, role));
  for (const role of roles) if (isEmptySource(named[role])) throw missing(role);
  const loaded: Partial<Record<ImageRole, LoadedImage>> = {};
  for (const role of LOAD_ORDER.filter((one) => roles.includes(one))) {
    loaded[role] = await loadImage(role, named[role], optionsFor(role, sources, options), plan.images[role]);
  }
  return plan.isPacked && loaded.final ? await withPacked(loaded.final) : loaded;
}

const NAMED_ORDER: readonly ImageRole[] = ['user1', 'user2', 'final'];
/** First what needs no network, so that nothing is fetched for a firmware that is refused anyway. */
const LOAD_ORDER: readonly ImageRole[] = ['final', 'user1', 'user2'];

function needsPair(plan: ImagePlan): boolean {
  return needsSource(plan, 'user1') || needsSource(plan, 'user2');
}

/** Whether the image is one of its own, and not made of the final one. */
function needsSource({ images, isPacked }: ImagePlan, role: ImageRole): boolean {
  return images[role] !== undefined && (!isPacked || role === 'final');
}

async function withPacked(final: LoadedImage): Promise<WholeFirmware> {
  const { bytes } = await ExaminedImages.shared.packed(final.bytes);
  const packed = { bytes, source: `one hop of ${final.source}` };
  return { final, user1: await examined('user1', packed), user2: await examined('user2', packed) };
}

/** @throws FlashError `firmware-missing` */
export function requireWhole({ user1, user2, final }: Firmware): WholeFirmware {
  if (user1 && user2 && final) return { user1, user2, final };
  throw missing(user1 ? (user2 ? 'final' : 'user2') : 'user1');
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
): Promise<Pick<WholeFirmware, 'final'> & Pick<Firmware, 'user2'>> {
  const final = await loadImage('final', sources.final, optionsFor('final', sources, options));
  if (!isEmptySource(sources.user2)) {
    return { final, user2: await loadImage('user2', sources.user2, optionsFor('user2', sources, options)) };
  }
  const kept = await options.library?.keptUser2().catch(() => undefined);
  return kept ? { final, user2: await examined('user2', kept) } : { final };
}

function pairOf(sources: FirmwareSources, library: ImageLibrary | undefined): Omit<FirmwareSources, 'final'> {
  if (!isEmptySource(sources.user1) || !isEmptySource(sources.user2)) return sources;
  if (library) {
    const { user1, user2 } = library.catalog.pair;
    return { user1: sourceOf(user1), user2: sourceOf(user2) };
  }
  throw new FlashError('firmware-missing', { what: wording('no-pair') });
}

function optionsFor(
  role: ImageRole,
  { digests, mustBeConfirmed }: FirmwareSources,
  options: SourceOptions,
): ImageOptions {
  return { ...options, digest: digests?.[role], mustBeConfirmed: mustBeConfirmed?.includes(role) };
}

/**
 * Loads and examines one image for its place.
 *
 * @throws FlashError what `readSource` throws, image-changed, digest-unconfirmed, or why the image is refused (`checkForTarget`)
 */
export async function loadImage(
  role: ImageRole,
  source: ImageSource | undefined,
  { mustBeConfirmed = false, ...options }: ImageOptions,
  road: ImageTarget = targetOfRole(role),
): Promise<LoadedImage> {
  if (isEmptySource(source)) throw missing(role);
  const read = await readSource(role, source, options);
  const { sha256 } = ExaminedImages.shared.share(read.bytes);
  if (options.digest === undefined && mustBeConfirmed) {
    throw new FlashError('digest-unconfirmed', { what: imageNamed(role), digest: sha256 });
  }
  if (options.digest !== undefined && sha256 !== options.digest) throw new FlashError('image-changed', { what: imageNamed(role) });
  return await examined(role, read, road);
}

async function examined(role: ImageRole, read: SourceBytes, target: ImageTarget = targetOfRole(role)): Promise<LoadedImage> {
  const { bytes, sha256 } = ExaminedImages.shared.share(read.bytes);
  const facts = await ExaminedImages.shared.facts(bytes, target);
  return { role, bytes, sha256, facts, source: read.source };
}

function missing(role: ImageRole): FlashError {
  return new FlashError('firmware-missing', { what: wording(`no-${role}`) });
}
