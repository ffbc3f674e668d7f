/** The messages that a node puts out while a stage or a task runs, and at the end of a stage. */

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

/** What a progress message is about: the device, and the job as `msg.sonota` has it. */
export interface ProgressOf {
  readonly deviceid: string | null | undefined;
  readonly sonota: unknown;
}

/** Where a stage or a task is; of the message that came in it has the id alone. */
export function progressMessage(report: Report, { deviceid, sonota }: ProgressOf, pending: PendingMessage): Message {
  const { _msgid } = pending.message;
  const { text, details, stage = 'task' } = report;
  return {
    ...(_msgid === undefined ? {} : { _msgid }),
    topic: `${deviceid ?? 'unknown'}/${stage}`,
    payload: report.percent,
    text,
    ...(details === undefined ? {} : { details }),
    waiting: report.state === 'waiting',
    ...transferOf(report),
    deviceid,
    sonota,
  };
}

/** How far the image on the wire is, so that a flow can draw its speed. */
function transferOf({ name, values: { image, sent, size } }: Report): Message {
  if (sent === undefined || size === undefined) return {};
  // A role, for programs: `user1`, `user2` or `final`.
  const role = isWording(image) ? image.text : name.startsWith('user2') ? 'user2' : 'final';
  return { transfer: { image: role, sent, size } };
}
