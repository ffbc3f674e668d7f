import type { FirmwareSources, Intermediate } from '../../lib/firmware/firmware';
import type { ImageSource } from '../../lib/firmware/image-source';
import type { ImageRole } from '../../lib/image';
import type { Values } from './values';

export const IMAGE_ROLES: readonly ImageRole[] = ['user1', 'user2', 'final'];

/** The images that a form or a message names or carries. @throws FlashError `value-invalid`, `variable-unset` */
export function readSources(values: Values): FirmwareSources {
  const images = Object.fromEntries(IMAGE_ROLES.map((role) => [role, readSource(values, role)]));
  const digests = values.object('digests');
  const seen = IMAGE_ROLES.map((role) => [role, digests?.text(role)?.toLowerCase()] as const);
  return {
    ...images,
    // Whatever else may stand there is refused when it is used.
    intermediate: values.text('intermediate')?.toLowerCase() as Intermediate | undefined,
    digests: Object.fromEntries(seen.filter(([, digest]) => digest !== undefined)),
  };
}

/** A path, an address, a name of ours, or the bytes; what is none of them is refused when it is read. */
export function readSource(values: Values, key: string): ImageSource | undefined {
  const given = values.raw(key);
  return typeof given === 'object' && given !== null ? (given as ImageSource) : values.text(key);
}
