/** The schema of a file of jobs. */

import { ERROR_CODES, type ErrorCode } from '../../errors';
import type { Delivery, FinalStageImage, FinalStageSessionRecord } from '../job/finalstage-session';
import type { JobSnapshot, StageRecord } from '../job/job';
import { STAGES, TASKS } from '../stages';
import { routeName } from '../routes/route-schema';
import type { UpgradeDownloadRecord } from '../job/upgrade-download';
import type { EntryStart, EntryState, QueueEntry, QueueRecord } from '../job/queue-entry';
import { NOTE_CODES, type NoteCode } from '../verdict/notes';
import { errorValues, observation } from '../verdict/observation-schema';
import type { Confidence } from '../verdict/rule';
import type { ImageRole } from '../../image';
import type { OtaClass } from '../../protocol/ota-request';
import type { ImageReference, JobRecord } from './job-record';
import {
  count,
  droppable,
  flag,
  ipv4,
  isoTime,
  jsonObject,
  list,
  matching,
  Mismatch,
  nullable,
  number,
  object,
  oneOf,
  optional,
  replaceable,
  salvagedList,
  salvagedRecord,
  text,
  word,
  type Schema,
} from '../../storage/schema';
import type { StoredOutcome, PendingMessageRecord } from './pending-messages';

export interface JobFileContent {
  readonly jobs: readonly JobRecord[];
  /** Pending messages, under their former name. */
  readonly tickets: readonly PendingMessageRecord[];
  readonly queue?: QueueRecord | undefined;
}

const id = text(200);
const fact = text(1000);
const stage = oneOf(STAGES);
const task = oneOf(TASKS);
const role = word<ImageRole>({ user1: true, user2: true, final: true });
const digest = matching(/^[\da-f]{64}$/, 'a digest');
/** A code of a newer version only shows that something failed. */
const code = replaceable<ErrorCode, ErrorCode>(oneOf(ERROR_CODES), 'unexplained');
const percent = number(0, 100);

const knownOfStage = object<Pick<StageRecord, 'startedAt' | 'endedAt' | 'percent'>>({
  startedAt: isoTime,
  endedAt: nullable(isoTime),
  percent,
});
/** Beside what all stages have, whatever each of them found. */
const stageRecord: Schema<StageRecord> = (value, onDropped) => ({
  ...jsonObject(value, onDropped),
  ...knownOfStage(value, onDropped),
});

const snapshot = object<JobSnapshot>({
  deviceid: nullable(fact),
  model: nullable(fact),
  romVersion: nullable(fact),
  ip: nullable(fact),
  mac: nullable(fact),
  stage: oneOf([...STAGES, 'done', 'failed']),
  percent,
  startedAt: isoTime,
  stages: salvagedRecord(stage, stageRecord),
  intermediate: optional(routeName),
  linkMac: optional(fact),
  bssid: optional(fact),
  error: optional(code),
  verdict: droppable(
    object<NonNullable<JobSnapshot['verdict']>>({
      code: oneOf<ErrorCode | NoteCode>([...ERROR_CODES, ...NOTE_CODES]),
      confidence: word<Confidence>({ certain: true, likely: true }),
      text: text(),
      values: optional(errorValues),
    }),
  ),
});

const knownDelivery = object<Delivery>({
  size: count,
  sent: count,
  tries: count,
  state: word<Delivery['state']>({
    flowing: true,
    stalled: true,
    broken: true,
    acknowledged: true,
    delivered: true,
    interrupted: true,
  }),
});
const delivery: Schema<Delivery> = (value, onDropped) => notBeyond(knownDelivery(value, onDropped));

const visit = object<FinalStageSessionRecord>({
  since: isoTime,
  peer: (value, onDropped) => (value === 'localhost' ? value : ipv4(value, onDropped)),
  deliveries: salvagedRecord(word<FinalStageImage>({ user2: true, final: true }), delivery),
});

const knownDownload = object<UpgradeDownloadRecord>({
  role: optional(role),
  size: count,
  sent: count,
  requests: count,
  otaClass: optional(word<OtaClass>({ range: true, 'no-range': true, finalstage: true })),
  isTaken: flag,
  isOffered: flag,
});
const download: Schema<UpgradeDownloadRecord> = (value, onDropped) => notBeyond(knownDownload(value, onDropped));
/** Where nothing of it can be read: the device may have been offered its image, and may be in FinalStage by now. */
const UNKNOWN_DOWNLOAD: UpgradeDownloadRecord = { size: 0, sent: 0, requests: 0, isTaken: false, isOffered: true };

const jobRecord = object<JobRecord>({
  id,
  lastStage: stage,
  snapshot,
  firmware: salvagedRecord(role, object<ImageReference>({ sha256: digest, source: text() })),
  visit: droppable(visit),
  download: optional(replaceable(download, UNKNOWN_DOWNLOAD)),
  evidence: salvagedList(observation),
});

/** By its own properties: an outcome that failed has a code. */
const outcome: Schema<StoredOutcome> = (value, onDropped) =>
  'code' in jsonObject(value, onDropped)
    ? object<Extract<StoredOutcome, { code: unknown }>>({ code, values: errorValues })(value, onDropped)
    : object<Extract<StoredOutcome, { found: unknown }>>({ found: jsonObject, job: snapshot })(value, onDropped);

const pendingMessageRecord = object<PendingMessageRecord>({
  id,
  nodeId: id,
  stage: task,
  deviceid: optional(fact),
  jobId: optional(id),
  message: jsonObject,
  left: list(text()),
  images: optional(salvagedRecord(role, digest)),
  outcome: optional(outcome),
});

const queueEntry = object<QueueEntry>({
  id,
  nodeId: optional(id),
  message: jsonObject,
  round: count,
  deviceid: optional(fact),
  state: word<EntryState>({ waiting: true, running: true, done: true, failed: true, skipped: true }),
  attempts: count,
  earlierAttempts: count,
  start: oneOf<EntryStart>(['beginning', ...STAGES]),
  jobId: optional(id),
  error: optional(code),
  text: optional(text()),
  values: optional(errorValues),
});

export const queueRecord = object<QueueRecord>({ isPaused: flag, entries: salvagedList(queueEntry) });

export const jobFileContent = object<JobFileContent>({
  jobs: salvagedList(jobRecord),
  tickets: salvagedList(pendingMessageRecord),
  queue: droppable(queueRecord),
});

/** Percentages are made of these two. */
function notBeyond<T extends { readonly size: number; readonly sent: number }>(transfer: T): T {
  if (transfer.sent > transfer.size) throw new Mismatch('has more sent than there is');
  return transfer;
}
