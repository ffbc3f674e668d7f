/** The places that an image can go to, and what each of them takes. */

import type { ImageRole } from './facts';
import { DIY_LIMIT, FINAL_LIMIT, ONE_HOP_LIMIT, USER1_OFFSET, USER2_OFFSET, USER_LIMIT, type Place } from './flash-map';

/**
 * - `cloud-user1`, `cloud-user2`: the stock firmware writes it into that slot, as an update of its own
 * - `finalstage`: FinalStage writes it over everything up to the middle of the flash
 * - `one-hop`: packed with a relocator, it goes into a slot as an update, and from there over everything before slot 2
 * - `diy`: a stock device in DIY mode takes it as its new firmware
 */
export type ImageTarget = 'cloud-user1' | 'cloud-user2' | 'finalstage' | 'one-hop' | 'diy';

export const IMAGE_TARGETS: readonly ImageTarget[] = ['cloud-user1', 'cloud-user2', 'finalstage', 'one-hop', 'diy'];

interface TargetFacts extends Place {
  /** How errors name the image. */
  readonly role: ImageRole;
}

const FACTS: Readonly<Record<ImageTarget, TargetFacts>> = {
  'cloud-user1': { role: 'user1', from: USER1_OFFSET, limit: USER_LIMIT, label: 'new-user1' },
  'cloud-user2': { role: 'user2', from: USER2_OFFSET, limit: USER_LIMIT, label: 'new-user2' },
  finalstage: { role: 'final', from: 0, limit: FINAL_LIMIT, label: 'new-firmware' },
  'one-hop': { role: 'final', from: 0, limit: ONE_HOP_LIMIT, label: 'new-firmware' },
  diy: { role: 'final', from: 0, limit: DIY_LIMIT, label: 'new-firmware' },
};

/** Where the image goes and how large it may be, in bytes. */
export function targetFacts(target: ImageTarget): TargetFacts {
  return FACTS[target];
}

/** The target of an image of the cloud method; DIY mode has only a final image, which is examined for its own. */
export function targetOfRole(role: ImageRole): ImageTarget {
  return role === 'final' ? 'finalstage' : `cloud-${role}`;
}
