/** Whether an image may become the new firmware: what FinalStage, the relocator, DIY mode, the boot ROM and the user's next day ask. */

import { examineRest, examineWhole } from './examine-common';
import { damageOf } from './core-words';
import type { ImageFacts } from './facts';
import { advice, doubt, refusal, type Finding } from './finding';
import { DIY_PROVEN, FLASH_BYTES, ONE_HOP_LIMIT, SECTOR_BYTES, USER_LIMIT } from './flash-map';
import { DOUT_BYTE, FLASH_SIZE_1MB, FLASH_SIZE_BYTES } from './format';
import type { Identity } from './identity';
import { layoutFor, payloadOf } from './one-hop/layout';
import { targetFacts, type ImageTarget } from './targets';
import { imageNamed } from './name';
import { wording, type Wording } from '../wordings/wording';

/** The SDK keeps its parameters in the last sectors of what the header calls the flash. */
const SYSTEM_SECTORS = 5;
const FREQUENCY = 40;

/** @param facts of an image of kind `final` */
export function examineFinal(bytes: Uint8Array, facts: ImageFacts, identity: Identity, target: ImageTarget): Finding[] {
  return [
    ...examineWhole(facts, target),
    ...examineCoreWords(facts, target),
    ...(target === 'one-hop' ? examinePacked(bytes) : []),
    ...examineFlashMode(facts, target),
    ...examineFlashSize(facts, target),
    ...examineBuild(facts, identity, target),
    ...examineLength(facts, target),
    ...examineFrequency(facts),
    ...examineRest(facts, identity),
  ];
}

/** A wrong checksum is damage enough. */
function examineCoreWords(facts: ImageFacts, target: ImageTarget): Finding[] {
  if (!facts.checksumValid) return [];
  const damage = damageOf(facts);
  if (damage) return [refusal(damage.code, { what: nameOn(target), reason: damage.reason })];
  const told = facts.coreWords?.state !== 'absent' || facts.ebootRelease !== undefined;
  return told ? [] : [advice('warn', 'image-unknown-loader')];
}

/** Packed with the relocator, it has to pass for an update of the stock firmware. */
function examinePacked(bytes: Uint8Array): Finding[] {
  const fitsAsItIs = layoutFor(bytes.length).imageLength <= USER_LIMIT;
  if (fitsAsItIs || bytes.length > ONE_HOP_LIMIT) return [];
  const size = layoutFor(payloadOf(bytes).bytes.length).imageLength;
  return size > USER_LIMIT
    ? [refusal('image-too-large', { what: wording('image-packed'), size, limit: USER_LIMIT })]
    : [];
}

/**
 * Sector 0 is what the boot ROM reads, and its mode byte is the only one that counts (docs/dev/esp8266-images.md#1.4).
 */
function examineFlashMode({ flashMode, flashModeByte }: ImageFacts, target: ImageTarget): Finding[] {
  if (flashModeByte === DOUT_BYTE) return [];
  const mode = flashMode ?? wording('mode-unknown', { number: flashModeByte });
  return [refusal('image-wrong-flash-mode', { what: nameOn(target), mode }, 'set-flash-mode-dout')];
}

/**
 * A header that says more flash than there is breaks every later update (tuya-convert#377, espurna#1959). One that says
 * less is only a doubt, as long as the image ends before the sectors where the SDK then keeps its parameters. Code that
 * was linked for a larger flash keeps its settings where there is none, so its header is not worth mending.
 */
function examineFlashSize(facts: ImageFacts, target: ImageTarget): Finding[] {
  const { flashSizeCode, linkedFlashBytes, size } = facts;
  const linked = linkedFlashBytes !== undefined && linkedFlashBytes > FLASH_BYTES;
  if (flashSizeCode === FLASH_SIZE_1MB) {
    return linked
      ? [
          advice('warn', 'image-linked-for-larger-flash', {
            linked: wording('megabytes', { count: linkedFlashBytes >> 20 }),
          }),
        ]
      : [];
  }
  const said = FLASH_SIZE_BYTES[flashSizeCode];
  const actual = facts.flashSize ?? wording('size-unknown', { code: flashSizeCode });
  const values = { what: nameOn(target), actual };
  const mend = linked ? undefined : 'set-flash-size-1mb';
  // An image that is written without a person watching must be right in all.
  const harmless =
    target !== 'one-hop' && said !== undefined && said < FLASH_BYTES && size <= said - SYSTEM_SECTORS * SECTOR_BYTES;
  return [harmless ? doubt('image-wrong-flash-size', values, mend) : refusal('image-wrong-flash-size', values, mend)];
}

function examineBuild({ eboot, minimal }: ImageFacts, { project, variant }: Identity, target: ImageTarget): Finding[] {
  const findings: Finding[] = [];
  if (minimal) findings.push(refusal('image-minimal', { what: nameOn(target) }));
  if (project === 'espurna' && variant === 'core') findings.push(advice('warn', 'image-core-build'));
  if (project === 'unknown') findings.push(advice('note', 'image-unknown-firmware'));
  if (eboot === 'raw') findings.push(advice('note', 'image-eboot-raw'));
  return findings;
}

/**
 * The device in DIY mode fills its last sector itself, and so does the relocator; FinalStage does not
 * (docs/dev/esp8266-images.md#3).
 */
function examineLength({ size, lengthMultipleOf4 }: ImageFacts, target: ImageTarget): Finding[] {
  const { limit } = targetFacts(target);
  if (target === 'diy') {
    const near = size > DIY_PROVEN && size <= limit;
    return near ? [advice('warn', 'image-near-limit', { size, proven: DIY_PROVEN, limit })] : [];
  }
  if (target === 'one-hop' || lengthMultipleOf4) return [];
  return [advice('warn', 'image-odd-length', { size, padded: Math.ceil(size / 4) * 4 }, 'pad-to-four')];
}

function examineFrequency({ flashFrequency }: ImageFacts): Finding[] {
  if (flashFrequency !== undefined && flashFrequency <= FREQUENCY) return [];
  const frequency =
    flashFrequency === undefined ? wording('frequency-unknown') : wording('megahertz', { count: flashFrequency });
  return [advice('warn', 'image-flash-frequency', { frequency })];
}

function nameOn(target: ImageTarget): Wording {
  return imageNamed(targetFacts(target).role);
}
