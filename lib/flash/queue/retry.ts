/** Which failed flash may be begun again, and where. Pure. */

import type { ErrorCode } from '../../errors';
import type { Job } from '../job/job';
import { isPastReturn } from '../routes';
import type { EntryStart } from './entry';

/** What a second try would find unchanged: the device's firmware, the chosen images, this machine's set-up, a rival. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'address-invalid',
  'certificate-rejected',
  'device-contested',
  'device-not-supported',
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
  'finalstage-half-erased',
  'firmware-missing',
  'host-missing',
  'intermediate-unknown',
  'model-refused',
  'port-in-use',
  'port-of-other-host',
  'queue-lost',
  'queue-not-wired',
  'rehearsal-only',
  'tls-refused',
  'url-invalid',
  'wifi-credentials-missing',
  'wifi-credentials-unusable',
  'wifi-interface-missing',
  'wifi-interface-unusable',
  'wifi-not-permitted',
  'wifi-unavailable',
  'wifi-uplink',
]);

/**
 * Whether a failed flash may be begun again without asking a person. Never past the point of no return of its route: what
 * the device then needs is to be left alone, and to be looked at.
 */
export function mayTryAgain(code: ErrorCode, job: Job | undefined): boolean {
  if (code.startsWith('image-') || LASTING.has(code)) return false;
  // It has shown itself in its stock firmware since, so nothing was begun that is not undone.
  if (code === 'back-to-stock') return true;
  return job === undefined || !isPastReturn(job);
}

/** A device that has its upgrade shows FinalStage after every power-up; it never dials the cloud again. */
export function whereToBegin(job: Job | undefined): EntryStart {
  return job?.resumableStage ?? 'beginning';
}
