/** The image doctor: everything that is to say about a file before it may go to a device. */

import { digestOf } from './digest';
import { FlashError } from '../errors';
import { esp32Image } from './esp32';
import type { ImageFacts, ImageKind, ImageRole } from './facts';
import { examineFinal } from './examine-final';
import { examineUser } from './examine-user';
import { isRefusal, refusal, type Finding, type Refusal } from './finding';
import { APP_OFFSET } from './flash-map';
import { MAGIC_V1 } from './format';
import { gzipFile } from './gzip';
import { identify, type Identity } from './identity';
import { imageNamed } from './name';
import { finalOf } from './one-hop/read';
import { readImage } from './read';
import { targetFacts, type ImageTarget } from './targets';
import type { ImageReason } from '../wordings/image-file';
import { wording } from '../wordings/wording';

export type { Finding, FindingCode, Severity } from './finding';
export { mend, type MendName } from './mend';
export { IMAGE_TARGETS, type ImageTarget } from './targets';

/** Plain data: it may go into a message as it is. */
export interface Examination {
  readonly target: ImageTarget;
  /** In the order in which they matter: the first refusal is what a flash would be stopped with. */
  readonly findings: readonly Finding[];
  /** The worst severity; `ok` where there are only notes. */
  readonly verdict: 'refuse' | 'warn' | 'ok';
  /** Absent where the file is no ESP8266 image at all. */
  readonly facts?: ImageFacts;
  readonly identity: Identity;
  /** `ESP8266`, or such as `ESP32-C3`; absent where the file is no image at all. */
  readonly chip?: string;
  /** Bytes inside a gzip file, as far as it tells; absent for any other. */
  readonly unpackedSize?: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** The kind of an image that is in the wrong place, as a reason. */
const KIND_REASONS: Readonly<Record<Exclude<ImageKind, 'stock'>, ImageReason>> = {
  user: 'image-kind-user',
  final: 'image-kind-final',
  plain: 'image-kind-plain',
};

/** Examines an image for the place it is meant for. Never throws, whatever the bytes are. */
export function examine(bytes: Uint8Array, target: ImageTarget): Examination {
  const { role } = targetFacts(target);
  const read = readOrRefuse(bytes, role);
  const facts = 'kind' in read ? read : undefined;
  // A one-hop image is what it carries.
  const identity = identify((facts?.oneHop && finalOf(bytes, facts.oneHop)) ?? bytes, facts);
  const findings = 'kind' in read ? examineFacts(bytes, read, identity, target) : [read];
  const chip = facts ? 'ESP8266' : esp32Image(bytes)?.chip;
  const unpackedSize = gzipFile(bytes)?.unpackedSize;
  return {
    target,
    findings,
    verdict: verdictOf(findings),
    ...(facts && { facts }),
    identity,
    ...(chip !== undefined && { chip }),
    ...(unpackedSize !== undefined && { unpackedSize }),
    sha256: facts?.sha256 ?? digestOf(bytes),
    size: bytes.length,
  };
}

function readOrRefuse(bytes: Uint8Array, role: ImageRole): ImageFacts | Refusal {
  try {
    // A download that stopped before 0x1000 would otherwise be called an image without an application.
    if (role === 'final' && bytes[0] === MAGIC_V1 && bytes.length <= APP_OFFSET) {
      const reason = wording('image-application-cut', { size: bytes.length });
      return refusal('image-truncated', { what: imageNamed(role), reason });
    }
    return readImage(bytes, role);
  } catch (thrown) {
    if (thrown instanceof FlashError) return refusal(thrown.code, thrown.values);
    // A fault of the reader must not open the way to a device, nor end the examination.
    return refusal('image-invalid', {
      what: imageNamed(role),
      reason: wording('image-unreadable-because', { message: String(thrown) }),
    });
  }
}

function examineFacts(bytes: Uint8Array, facts: ImageFacts, identity: Identity, target: ImageTarget): Finding[] {
  const { role } = targetFacts(target);
  const wanted: ImageKind = role === 'final' ? 'final' : 'user';
  const stock = stockReason(facts, identity);
  if (stock) return [refusal('image-stock-firmware', { what: imageNamed(role), reason: wording(stock) })];
  if (facts.kind !== wanted && facts.kind !== 'stock') {
    return [refusal('image-invalid', { what: imageNamed(role), reason: wording(KIND_REASONS[facts.kind]) })];
  }
  const examineKind = role === 'final' ? examineFinal : examineUser;
  const findings = examineKind(bytes, facts, identity, target);
  return [...findings.filter(isRefusal), ...ofSeverity(findings, 'warn'), ...ofSeverity(findings, 'note')];
}

/** A dump holds two slots and the device's own records; a single slot of it belongs to another device. */
function stockReason(facts: ImageFacts, identity: Identity): ImageReason | undefined {
  if (facts.kind === 'stock') return 'image-dump';
  return identity.project === 'itead-stock' ? 'image-itead' : undefined;
}

function ofSeverity(findings: readonly Finding[], severity: Finding['severity']): Finding[] {
  return findings.filter((finding) => finding.severity === severity);
}

function verdictOf(findings: readonly Finding[]): Examination['verdict'] {
  if (findings.some(isRefusal)) return 'refuse';
  return findings.some(({ severity }) => severity === 'warn') ? 'warn' : 'ok';
}
