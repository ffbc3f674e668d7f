/** Whether an image may go into one of the two slots: what stock firmware and Espressif's boot loader ask of it. */

import { examineRest, examineWhole } from './examine-common';
import type { ImageFacts } from './facts';
import { advice, refusal, type Finding } from './finding';
import { IROM_OFFSET, MAPPED_FLASH, SMALLEST_IMAGE, hex } from './format';
import type { Identity } from './identity';
import type { Descriptor } from './one-hop/descriptor';
import { finalOf } from './one-hop/read';
import { targetFacts, type ImageTarget } from './targets';
import { imageNamed } from './name';
import { wording } from '../wordings/wording';

/**
 * The flash mode of a user image is not looked at: nothing reads it (docs/dev/esp8266-images.md#1.4).
 *
 * @param facts of an image of kind `user`
 */
export function examineUser(bytes: Uint8Array, facts: ImageFacts, identity: Identity, target: ImageTarget): Finding[] {
  const { role } = targetFacts(target);
  const findings = examineWhole(facts, target);
  if (facts.size < SMALLEST_IMAGE) {
    const reason = wording('image-small', { size: facts.size, limit: SMALLEST_IMAGE });
    findings.push(refusal('image-invalid', { what: imageNamed(role), reason }));
  }
  if (facts.crc === 'wrong') {
    findings.push(refusal('image-invalid', { what: imageNamed(role), reason: wording('image-crc') }));
  }
  findings.push(
    ...(facts.oneHop
      ? examineOneHop(bytes, facts.oneHop, target)
      : [...examineSlot(facts, target), ...examineIdentity(facts, identity, target)]),
  );
  if (facts.crc === 'absent') findings.push(advice('note', 'image-without-crc'));
  return [...findings, ...examineRest(facts, identity)];
}

/** It runs from either slot, and is as good as the final image in it. */
function examineOneHop(bytes: Uint8Array, descriptor: Descriptor, target: ImageTarget): Finding[] {
  const { finalLength, imageLength } = descriptor;
  if (imageLength === bytes.length && finalOf(bytes, descriptor)) {
    return [advice('note', 'image-one-hop', { size: finalLength })];
  }
  const reason = wording('image-one-hop-damaged', { size: finalLength });
  return [refusal('image-invalid', { what: imageNamed(targetFacts(target).role), reason })];
}

/** An image that does not tell its slot is let through: only one clearly linked for the other slot is wrong. */
function examineSlot({ slot, irom }: ImageFacts, target: ImageTarget): Finding[] {
  const { role } = targetFacts(target);
  if (slot === undefined && irom && irom.address !== 0) {
    const place = irom.address - IROM_OFFSET - MAPPED_FLASH.from;
    return [refusal('image-wrong-place', { what: imageNamed(role), place: hex(place) })];
  }
  if (slot === undefined) return [advice('warn', 'image-slot-untold', { place: role })];
  return `user${slot}` === role ? [] : [refusal('image-wrong-slot', { what: imageNamed(role), actual: `user${slot}` })];
}

/**
 * Only the builds of 2018 have a CRC-32, and only they continue where they find an application at 0x1000, as an
 * interrupted transfer leaves it (docs/dev/esp8266-images.md#1.3, #3).
 */
function examineIdentity({ crc }: ImageFacts, { project }: Identity, target: ImageTarget): Finding[] {
  if (project === 'espressif-at') {
    const reason = wording('image-espressif-at');
    return [refusal('image-invalid', { what: imageNamed(targetFacts(target).role), reason })];
  }
  if (project === 'e2a') return crc === 'absent' ? [advice('warn', 'image-old-finalstage')] : [];
  return project === 'rehearsal' ? [] : [advice('warn', 'image-not-finalstage')];
}
