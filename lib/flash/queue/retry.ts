/** Which failed flash may be begun again, and where. Pure. */

import type { ErrorCode } from '../../errors';
import type { Job } from '../job/job';
import { isPastReturn } from '../routes';
import type { EntryStart } from './entry';

/**
 * What a failure asks for: another try, a person who puts something right first, or nothing, because this device cannot be
 * flashed this way.
 */
export type Outlook = 'retry' | 'person' | 'never';

/** The device itself: its firmware, or what is left of it. */
const NEVER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'certificate-rejected',
  'device-not-supported',
  'finalstage-half-erased',
  'model-refused',
]);

/** What a second try would find unchanged: the chosen images, the flow, this machine's set-up, a rival. */
const PERSON: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'address-invalid',
  'cancel-nothing',
  'cancel-too-late',
  'cancelled',
  'device-contested',
  'digest-mismatch',
  'digest-unconfirmed',
  'diy-encrypted',
  'diy-id-needed',
  'diy-image-refused',
  'diy-message-refused',
  'diy-mode-missing',
  'diy-other-device',
  'diy-unlock-not-asked',
  'diy-unlock-not-taken',
  'diy-unlock-port',
  'diy-unlock-refused',
  'finalstage-interrupted',
  'finalstage-unconfirmed',
  'firmware-missing',
  'host-missing',
  'intermediate-unknown',
  'not-armed',
  'output-not-wired',
  'plain-port-off',
  'port-in-use',
  'port-of-other-host',
  'queue-lost',
  'queue-not-wired',
  'reference-ambiguous',
  'rehearsal-only',
  'road-unknown',
  'store-failed',
  'store-full',
  'tasmota-other-firmware',
  'tasmota-password-wrong',
  'tasmota-refused',
  'tasmota-setting-unusable',
  'template-unknown',
  'tls-refused',
  'topic-shared',
  'upgrade-malformed',
  'url-invalid',
  'value-invalid',
  'variable-unset',
  'version-refused',
  'wifi-action-unknown',
  'wifi-address-invalid',
  'wifi-address-needed',
  'wifi-credentials-missing',
  'wifi-credentials-unusable',
  'wifi-interface-missing',
  'wifi-interface-unusable',
  'wifi-network-missing',
  'wifi-not-permitted',
  'wifi-unavailable',
  'wifi-uplink',
]);

/** What a code asks for, as long as the final image has not begun to flow. */
export function outlookOf(code: ErrorCode): Outlook {
  if (NEVER.has(code)) return 'never';
  return code.startsWith('image-') || PERSON.has(code) ? 'person' : 'retry';
}

/**
 * Whether a failed flash may be begun again without asking a person. Never past the point of no return of its route: what
 * the device then needs is to be left alone, and to be looked at.
 */
export function mayTryAgain(code: ErrorCode, job: Job | undefined): boolean {
  if (outlookOf(code) !== 'retry') return false;
  // It has shown itself in its stock firmware since, so nothing was begun that is not undone.
  if (code === 'back-to-stock') return true;
  return job === undefined || !isPastReturn(job);
}

/** A device that has its upgrade shows FinalStage after every power-up; it never dials the cloud again. */
export function whereToBegin(job: Job | undefined): EntryStart {
  return job?.resumableStage ?? 'beginning';
}
