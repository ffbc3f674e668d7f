/** The inspection of a source for a form: the doctor's findings on the image here, or that it must be fetched first. */

import { asFlashError, FlashError, type ErrorCode, type ErrorValues } from '../errors';
import { flashPicture, imageNamed, mend, readImage, targetOfRole, type Examination, type Finding, type ImageRole, type ImageTarget, type MendName } from '../image';
import type { PictureSpeech } from '../image/picture-texts';
import { findingsInDiyMode } from './diy-findings';
import { ExaminedImages } from './examined-images';
import { hintsOf, sourceOf, type CatalogHints } from './library/catalog';
import type { FetchSettings } from './library/fetch-here';
import type { ImageLibrary } from './library/image-library';
import { readSource } from './image-source';

/** A file on a network disk may never answer. */
const READ_LIMIT_MS = 10_000;

/** Plain data, for an answer in JSON. No byte of the image is in it. */
export type Inspection =
  | ({ readonly state: 'examined' } & Examined)
  /** Fetched, but its digest is not confirmed as the publisher's yet. */
  | ({ readonly state: 'unconfirmed' } & Examined)
  /** An address, or an image of the catalog, that is not here; sizes in bytes where they are known. */
  | {
      readonly state: 'not-fetched';
      readonly from: string;
      readonly size: number | null;
      readonly sha256: string | null;
    }
  | { readonly state: 'unreadable'; readonly code: ErrorCode; readonly values: ErrorValues; readonly message: string };

interface Examined extends Pick<Examination, 'verdict' | 'findings' | 'identity' | 'sha256' | 'size'>, CatalogHints {
  /** The catalog's title, where it has the image by its name or its digest. */
  readonly title?: string;
  /** Further findings against the final image for a device in DIY mode. */
  readonly inDiyMode?: readonly Finding[];
  /** SVG. */
  readonly picture: string;
}

export interface InspectionTarget {
  readonly role: ImageRole;
  /** As it stands in the form; empty = the catalog's pair. */
  readonly source: string;
  /** The digest seen at an earlier examination. */
  readonly digest?: string | undefined;
  /** Where it goes in the device's flash; that of its role with FinalStage unless given. */
  readonly place?: ImageTarget | undefined;
  /** The language of the picture; English unless given. */
  readonly speak?: PictureSpeech | undefined;
}

/** Looks at what is on this machine; nothing is fetched. Never throws. */
export async function inspect(library: ImageLibrary, target: InspectionTarget): Promise<Inspection> {
  const { digest } = target;
  const source = meant(library, target);
  try {
    const kept = await library.peek(source, digest);
    if (kept === 'not-here') return notFetched(library, source);
    if (kept) return { state: kept.isConfirmed ? 'examined' : 'unconfirmed', ...(await examined(library, kept.bytes, target)) };
    const { bytes } = await readSource(target.role, source, { library, signal: AbortSignal.timeout(READ_LIMIT_MS) });
    return { state: 'examined', ...(await examined(library, bytes, target)) };
  } catch (thrown) {
    return unreadable(thrown);
  }
}

/**
 * Fetches what is not here, keeps it, and looks at it. Never throws.
 *
 * @param settings `onFetch` gets the progress
 */
export async function fetchAndInspect(
  library: ImageLibrary,
  target: InspectionTarget,
  settings: FetchSettings,
): Promise<Inspection> {
  try {
    const { bytes } = await readSource(target.role, meant(library, target), { ...settings, library });
    const isUnconfirmed = target.digest === undefined && /^\s*https?:/i.test(target.source);
    return { state: isUnconfirmed ? 'unconfirmed' : 'examined', ...(await examined(library, bytes, target)) };
  } catch (thrown) {
    if (thrown instanceof FlashError && thrown.code === 'digest-unconfirmed') return await inspect(library, target);
    return unreadable(thrown);
  }
}

/**
 * Keeps a mended copy of an image that is here.
 *
 * @returns the copy's digest
 * @throws FlashError what reading the source, mending it or keeping it throws
 */
export async function keepMended(
  library: ImageLibrary,
  target: InspectionTarget,
  mends: readonly MendName[],
  signal: AbortSignal,
): Promise<string> {
  const source = meant(library, target);
  const { bytes, source: name } = await readSource(target.role, source, { ...target, library, signal });
  return await library.store.keep(mend(bytes, mends).bytes, `mended copy of ${name}`, imageNamed(target.role));
}

/**
 * Keeps a file that a person has given from the machine in front of them.
 *
 * @param name of the file, for people
 * @returns its digest
 * @throws FlashError what no image can be (`readImage`), `store-full`, `store-failed`
 */
export async function keepUploaded(
  library: ImageLibrary,
  role: ImageRole,
  name: string,
  bytes: Buffer,
): Promise<string> {
  readImage(bytes, role);
  return await library.store.keep(bytes, name, imageNamed(role));
}

function meant(library: ImageLibrary, { role, source }: InspectionTarget): string {
  if (source.trim() !== '' || role === 'final') return source;
  return sourceOf(library.catalog.pair[role]);
}

function notFetched(library: ImageLibrary, source: string): Inspection {
  const image = library.catalogImage(source);
  const { url = source, size = null, sha256 = null } = image ?? {};
  return { state: 'not-fetched', from: url, size, sha256 };
}

async function examined(library: ImageLibrary, bytes: Buffer, target: InspectionTarget): Promise<Examined> {
  const image = await ExaminedImages.shared.examination(bytes, target.place ?? targetOfRole(target.role));
  const { verdict, findings, identity, sha256, size } = image;
  const named = library.catalogImage(meant(library, target));
  const title = (named ?? library.catalog.withDigest(sha256))?.title;
  const known = { ...(title && { title }), ...(named && hintsOf(named, image)) };
  const inDiyMode = target.role === 'final' ? await findingsInDiyMode(bytes, findings) : [];
  const more = { ...known, ...(inDiyMode.length > 0 && { inDiyMode }) };
  return { verdict, findings, identity, sha256, size, ...more, picture: flashPicture({ image, ...(target.speak && { speak: target.speak }) }) };
}

function unreadable(thrown: unknown): Inspection {
  const { code, values, message } = asFlashError(thrown);
  return { state: 'unreadable', code, values, message };
}
