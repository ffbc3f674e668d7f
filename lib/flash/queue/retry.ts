/** Which failed flash may be restarted, and where. Pure. */

import { explanationOf, type ErrorCode, type Outlook } from '../../errors';
import type { Job } from '../job/job';
import { isPastReturn } from '../routes';
import type { EntryStart } from '../job/queue-entry';

/** The outlook of a code, before the final image has started to flow. */
export function outlookOf(code: ErrorCode): Outlook {
  // An image is examined the same way every time.
  return explanationOf(code).outlook ?? (code.startsWith('image-') ? 'person' : 'retry');
}

/**
 * Whether a failed flash may be restarted without asking a person. Never past the point of no return of its route: what
 * the device then needs is to be left alone, and to be looked at.
 */
export function mayTryAgain(code: ErrorCode, job: Job | undefined): boolean {
  if (outlookOf(code) !== 'retry') return false;
  // It has shown itself in its stock firmware since, so nothing was started that is not undone.
  if (code === 'back-to-stock') return true;
  return job === undefined || !isPastReturn(job);
}

/** A device that has its upgrade shows FinalStage after every power-up; it never dials the cloud again. */
export function whereToBegin(job: Job | undefined): EntryStart {
  return job?.resumableStage ?? 'beginning';
}
