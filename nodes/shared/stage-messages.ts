/** The messages that a node of a stage puts out. */

import type { JobSnapshot } from '../../lib/flash/job/job';
import type { Message, PendingMessage, StageOutcome } from '../../lib/flash/job/pending-message';
import type { Report } from '../../lib/flash/run/report';
import { isWording } from '../../lib/wordings/wording';

/** The message that came in, with what the stage found; every foreign property is kept. */
export function resultMessage({ found, job }: StageOutcome, { message }: PendingMessage): Message {
  // Several messages may have joined in one run: each gets facts of its own.
  return Object.assign(message, {
    deviceid: job.deviceid,
    payload: structuredClone(found),
    sonota: structuredClone(job),
  });
}

/** Where a stage is; of the message that came in it has the id alone. */
export function progressMessage(report: Report, job: JobSnapshot, ticket: PendingMessage): Message {
  const { _msgid } = ticket.message;
  const { text, details } = report;
  return {
    ...(_msgid === undefined ? {} : { _msgid }),
    topic: `${job.deviceid ?? 'unknown'}/${report.stage}`,
    payload: report.percent,
    text,
    ...(details === undefined ? {} : { details }),
    waiting: report.state === 'waiting',
    ...transferOf(report),
    deviceid: job.deviceid,
    sonota: job,
  };
}

/** How far the image on the wire is, so that a flow can draw its speed. */
function transferOf({ name, values: { image, sent, size } }: Report): Message {
  if (sent === undefined || size === undefined) return {};
  // A role, for programs: `user1`, `user2` or `final`.
  const role = isWording(image) ? image.text : name.startsWith('user2') ? 'user2' : 'final';
  return { transfer: { image: role, sent, size } };
}
