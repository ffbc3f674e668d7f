/** Whether an image may be put in a place: the last look before a device sees it. */

import { FlashError } from '../errors';
import type { ImageFacts, ImageKind, ImageRole } from './facts';
import { APP_OFFSET, FINAL_LIMIT, MAGIC_V1, SMALLEST_IMAGE, USER_LIMIT } from './format';
import { readImage } from './read';

/** What each kind of image is, in words, where it stands in the wrong place. */
const KIND_IN_WORDS: Record<ImageKind, string> = {
  user: 'it is an image for a slot (it begins with EA), such as the FinalStage pair',
  final: 'it is a final image (eboot at 0, application at 0x1000)',
  stock: "it is a dump of stock firmware (Espressif's boot loader and a user image at 0x1000)",
  plain: 'it has no application header (E9) at 0x1000',
};

/**
 * Examines an image for the place it is meant for.
 *
 * @throws FlashError with the first reason against it: image-compressed, image-wrong-chip, image-invalid,
 * image-too-large, image-wrong-slot, image-wrong-flash-mode, image-minimal
 */
export function checkImage(bytes: Uint8Array, role: ImageRole): ImageFacts {
  const wanted = role === 'final' ? 'final' : 'user';
  refuseCutOff(bytes, role);
  const facts = readImage(bytes, role);
  if (facts.kind !== wanted) throw invalid(role, KIND_IN_WORDS[facts.kind]);
  refuseSize(facts, role);
  refuseDamage(facts, role);
  if (role === 'final') refuseFinal(facts);
  else refuseSlot(facts, role);
  return facts;
}

/** A download that stopped before 0x1000 would otherwise be called an image without an application. */
function refuseCutOff(bytes: Uint8Array, role: ImageRole): void {
  if (role !== 'final' || bytes[0] !== MAGIC_V1 || bytes.length > APP_OFFSET) return;
  throw invalid(role, `the file has only ${bytes.length} bytes and ends before the application at 0x1000`);
}

function refuseSize(facts: ImageFacts, role: ImageRole): void {
  const limit = role === 'final' ? FINAL_LIMIT : USER_LIMIT;
  if (facts.size > limit) throw new FlashError('image-too-large', { what: role, size: facts.size, limit });
  if (facts.size < SMALLEST_IMAGE) {
    throw invalid(role, `the file has ${facts.size} bytes; FinalStage takes none under ${SMALLEST_IMAGE}`);
  }
}

function refuseDamage(facts: ImageFacts, role: ImageRole): void {
  for (const { checksum, offset } of facts.parts) {
    if (checksum.valid) continue;
    const [stored, computed] = [checksum.stored, checksum.computed].map((value) => value.toString(16).padStart(2, '0'));
    throw invalid(
      role,
      `the checksum of its part at byte ${offset} is ${stored} but should be ${computed}: it is damaged`,
    );
  }
  if (facts.crc === 'wrong') throw invalid(role, 'its CRC-32 does not fit its content: it is damaged or was changed');
}

/** An image that does not tell its slot is let through: only one clearly linked for the other slot is wrong. */
function refuseSlot(facts: ImageFacts, role: 'user1' | 'user2'): void {
  if (facts.slot === undefined || `user${facts.slot}` === role) return;
  throw new FlashError('image-wrong-slot', { what: role, actual: `user${facts.slot}` });
}

/** Sector 0 is what the boot ROM reads, and its mode byte is the only one that counts (image notes 1.4). */
function refuseFinal(facts: ImageFacts): void {
  if (facts.flashMode !== 'DOUT') {
    const mode = facts.flashMode ?? `number ${facts.flashModeByte}, which does not exist`;
    throw new FlashError('image-wrong-flash-mode', { what: 'final', mode });
  }
  if (facts.minimal) throw new FlashError('image-minimal', { what: 'final' });
}

function invalid(what: ImageRole, reason: string): FlashError {
  return new FlashError('image-invalid', { what, reason });
}
