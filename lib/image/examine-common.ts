/** The examination that every image gets, whichever place it goes to. */

import type { ImageFacts } from './facts';
import { advice, refusal, type Finding } from './finding';
import type { Identity } from './identity';
import { targetFacts, type ImageTarget } from './targets';
import { imageNamed } from './name';
import { wording } from '../wordings/wording';

/** Size and damage. */
export function examineWhole(facts: ImageFacts, target: ImageTarget): Finding[] {
  const { role, limit } = targetFacts(target);
  const findings: Finding[] = [];
  if (facts.size > limit)
    findings.push(refusal('image-too-large', { what: imageNamed(role), size: facts.size, limit }));
  for (const { checksum, offset } of facts.parts) {
    if (checksum.valid) continue;
    const [stored, computed] = [hexByte(checksum.stored), hexByte(checksum.computed)];
    const reason = wording('image-checksum', { offset, stored, computed });
    findings.push(refusal('image-invalid', { what: imageNamed(role), reason }));
  }
  return findings;
}

/** The bytes behind the image, and whether it is one of ours for rehearsals. */
export function examineRest(facts: ImageFacts, identity: Identity): Finding[] {
  const findings: Finding[] = [];
  if (identity.project === 'rehearsal') findings.push(advice('warn', 'image-rehearsal'));
  if (facts.coreWords?.behind === 'signature') findings.push(advice('note', 'image-signed'));
  else if (facts.trailing > 0) findings.push(advice('note', 'image-trailing-bytes', { trailing: facts.trailing }));
  return findings;
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}
