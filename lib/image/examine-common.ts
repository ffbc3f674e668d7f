/** What is asked of every image, whichever place it goes to. */

import type { ImageFacts } from './facts';
import { advice, refusal, type Finding } from './finding';
import type { Identity } from './identity';
import { targetFacts, type ImageTarget } from './targets';

/** Size and damage. */
export function examineWhole(facts: ImageFacts, target: ImageTarget): Finding[] {
  const { role, limit } = targetFacts(target);
  const findings: Finding[] = [];
  if (facts.size > limit) findings.push(refusal('image-too-large', { what: role, size: facts.size, limit }));
  for (const { checksum, offset } of facts.parts) {
    if (checksum.valid) continue;
    const [stored, computed] = [checksum.stored, checksum.computed].map((value) => value.toString(16).padStart(2, '0'));
    const reason = `the checksum of its part at byte ${offset} is ${stored} but should be ${computed}: it is damaged`;
    findings.push(refusal('image-invalid', { what: role, reason }));
  }
  return findings;
}

/** What lies behind the image, and whether it is one of ours for rehearsals. */
export function examineRest(facts: ImageFacts, identity: Identity): Finding[] {
  const findings: Finding[] = [];
  if (identity.project === 'rehearsal') findings.push(advice('warn', 'image-rehearsal'));
  if (facts.coreWords?.behind === 'signature') findings.push(advice('note', 'image-signed'));
  else if (facts.trailing > 0) findings.push(advice('note', 'image-trailing-bytes', { trailing: facts.trailing }));
  return findings;
}
