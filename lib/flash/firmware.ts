/** One firmware to install: the FinalStage pair and the final image, every one examined before any device sees it. */

import { FlashError } from '../errors';
import { checkImage, type ImageFacts, type ImageRole } from '../image';
import { isEmptySource, readSource, type ImageSource, type SourceOptions } from './image-source';

export type { ImageSource } from './image-source';

/** As a form or a message names them; an empty string counts as not given. */
export interface FirmwareSources {
  user1?: ImageSource | undefined;
  user2?: ImageSource | undefined;
  final?: ImageSource | undefined;
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

export interface Firmware {
  readonly user1: LoadedImage;
  readonly user2: LoadedImage;
  readonly final: LoadedImage;
}

/**
 * Loads and examines all three images, one after the other; the first that is not right ends it.
 *
 * @param options `limitMs` holds for each fetch over the network (60 s unless told)
 * @throws FlashError firmware-missing before anything is read, else what `loadImage` throws
 */
export async function loadFirmware(sources: FirmwareSources, options: SourceOptions): Promise<Firmware> {
  const { user1, user2, final } = sources;
  if (isEmptySource(user1) && isEmptySource(user2)) {
    throw new FlashError('firmware-missing', { what: 'FinalStage pair (user1, user2)' });
  }
  if (isEmptySource(user1)) throw missing('user1');
  if (isEmptySource(user2)) throw missing('user2');
  if (isEmptySource(final)) throw missing('final');
  return {
    user1: await loadImage('user1', user1, options),
    user2: await loadImage('user2', user2, options),
    final: await loadImage('final', final, options),
  };
}

/**
 * Loads and examines one image for its place.
 *
 * @throws FlashError firmware-missing, image-unreadable, fetch-failed, cancelled, or why the image is refused
 * (`checkImage`)
 */
export async function loadImage(
  role: ImageRole,
  source: ImageSource | undefined,
  options: SourceOptions,
): Promise<LoadedImage> {
  if (isEmptySource(source)) throw missing(role);
  const { bytes, source: name } = await readSource(role, source, options);
  const facts = checkImage(bytes, role);
  return { role, bytes, sha256: facts.sha256, facts, source: name };
}

function missing(role: ImageRole): FlashError {
  return new FlashError('firmware-missing', { what: `${role} image` });
}
