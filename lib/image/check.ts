/** Whether an image may be put in a place: the last look before a device sees it. */

import { FlashError } from '../errors';
import { examine, type Examination } from './doctor';
import type { ImageFacts } from './facts';
import { isRefusal } from './finding';
import { targetFacts, type ImageTarget } from './targets';
import { imageNamed } from './name';
import { wording } from '../wordings/wording';

/**
 * Examines an image for its place.
 *
 * @throws FlashError with the first finding that refuses it: image-compressed, image-web-page, image-wrong-chip,
 * image-invalid, image-truncated, image-stock-firmware, image-too-large, image-wrong-slot, image-wrong-place,
 * image-wrong-flash-mode, image-wrong-flash-size, image-minimal
 */
export function checkForTarget(bytes: Uint8Array, target: ImageTarget): ImageFacts {
  return requireSound(examine(bytes, target));
}

/**
 * What `checkForTarget` makes of an examination.
 *
 * @throws as `checkForTarget`
 */
export function requireSound({ findings, facts, target }: Examination): ImageFacts {
  const reason = findings.find(isRefusal);
  if (reason) throw new FlashError(reason.code, reason.values);
  // An image without facts always has a finding that refuses it.
  if (!facts)
    throw new FlashError('image-invalid', {
      what: imageNamed(targetFacts(target).role),
      reason: wording('image-unreadable'),
    });
  return facts;
}
