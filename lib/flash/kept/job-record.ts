/** A job as it is kept on disk, and what makes a file's content one. */

import { isIPv4 } from 'node:net';
import { ERROR_CODES } from '../../errors';
import type { ImageRole } from '../../image';
import { FinalStageVisit, type FinalStageVisitRecord } from '../job/finalstage-visit';
import { INTERMEDIATES, type Intermediate, type LoadedImage } from '../firmware/firmware';
import { Job, type KeptJob } from '../job/job';
import { STAGES } from '../job/stages';
import { isDigest } from '../firmware/store/firmware-store';
import type { TicketRecord } from './ticket-book';
import type { Observation } from '../verdict/observation';
import { UpgradeDownload, type UpgradeDownloadRecord } from '../job/upgrade-download';

/** An image by its digest; the bytes lie beside the file. */
export interface ImageReference {
  readonly sha256: string;
  readonly source: string;
}

export interface JobRecord extends KeptJob {
  readonly firmware: Partial<Record<ImageRole, ImageReference>>;
  readonly visit?: FinalStageVisitRecord | undefined;
  readonly download?: UpgradeDownloadRecord | undefined;
  readonly evidence: readonly Observation[];
}

const ROLES: readonly ImageRole[] = ['user1', 'user2', 'final'];

/** Images are asked for by open jobs, and by one that failed in FinalStage, when a person tries again there. */
export function imagesOf(job: Job): LoadedImage[] {
  if (job.intermediate === 'one-hop' && job.hasLeft('upgrade')) return [];
  const mayAsk = job.isOpen || (job.stage === 'failed' && job.lastStage === 'finalstage');
  return mayAsk ? Object.values(job.firmware) : [];
}

export function recordOf(job: Job): JobRecord {
  const { id, lastStage, visit, download, evidence } = job;
  const firmware = Object.fromEntries(imagesOf(job).map(({ role, sha256, source }) => [role, { sha256, source }]));
  return {
    id,
    lastStage,
    snapshot: job.snapshot(),
    firmware,
    visit: visit?.record(),
    download: download?.record(),
    evidence: evidence.all,
  };
}

/** @param find an image that is still what it was, or undefined */
export function jobOf(
  record: JobRecord,
  find: (role: ImageRole, image: ImageReference, intermediate: Intermediate | undefined) => LoadedImage | undefined,
): Job {
  const job = Job.restore(record);
  job.evidence.restore(record.evidence);
  for (const role of ROLES) {
    const image = record.firmware[role];
    const loaded = image && find(role, image, job.intermediate);
    if (loaded) job.firmware = { ...job.firmware, [role]: loaded };
  }
  if (!job.isOpen) return job;
  if (record.visit) {
    job.visit = FinalStageVisit.restore(record.visit);
    noteCutOff(job, record.visit);
  }
  if (record.download) job.download = UpgradeDownload.restore(record.download);
  return job;
}

/** What was on the wire when the process ended has ended with it: so it is told at once, whatever stage comes next. */
function noteCutOff({ visit, evidence }: Job, { deliveries }: FinalStageVisitRecord): void {
  for (const image of ['user2', 'final'] as const) {
    const [before, now] = [deliveries[image], visit?.deliveries[image]];
    if (!before || !now || before.state === now.state) continue;
    const how = now.state === 'acknowledged' ? 'acknowledged' : 'broken';
    evidence.add({ kind: 'finalstage-ended', image, how, bytes: now.sent });
  }
}

export function isJobRecord(value: unknown): value is JobRecord {
  if (!isObject(value) || !isObject(value['snapshot']) || !isObject(value['firmware'])) return false;
  const { id, lastStage, snapshot, firmware, visit, download, evidence } = value;
  return (
    typeof id === 'string' &&
    isOneOf(STAGES, lastStage) &&
    isSnapshot(snapshot) &&
    Object.entries(firmware).every(([role, image]) => isOneOf(ROLES, role) && isImageReference(image)) &&
    (visit === undefined || isVisit(visit)) &&
    (download === undefined || isDownload(download)) &&
    Array.isArray(evidence) &&
    evidence.every((seen) => isObject(seen) && isCount(seen['at']) && typeof seen['kind'] === 'string')
  );
}

export function isTicketRecord(value: unknown): value is TicketRecord {
  if (!isObject(value) || !isObject(value['message']) || !Array.isArray(value['left'])) return false;
  const { id, nodeId, stage, deviceid, jobId, outcome, images = {} } = value;
  return (
    [id, nodeId].every((one) => typeof one === 'string') &&
    isOneOf(STAGES, stage) &&
    [deviceid, jobId].every((one) => one === undefined || typeof one === 'string') &&
    isObject(images) &&
    Object.entries(images).every(([role, sha256]) => isOneOf(ROLES, role) && isDigest(String(sha256))) &&
    (outcome === undefined || isOutcome(outcome))
  );
}

function isSnapshot(value: Record<string, unknown>): boolean {
  const { deviceid, model, romVersion, ip, mac, stage, percent, startedAt, stages, intermediate, error } = value;
  return (
    [deviceid, model, romVersion, ip, mac].every((one) => one === null || typeof one === 'string') &&
    isOneOf([...STAGES, 'done', 'failed'], stage) &&
    isCount(percent) &&
    isTime(startedAt) &&
    isObject(stages) &&
    Object.entries(stages).every(([name, one]) => isOneOf(STAGES, name) && isStageRecord(one)) &&
    (intermediate === undefined || isOneOf(INTERMEDIATES, intermediate)) &&
    (error === undefined || isOneOf(ERROR_CODES, error))
  );
}

function isStageRecord(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { startedAt, endedAt, percent } = value;
  return isTime(startedAt) && (endedAt === null || isTime(endedAt)) && isCount(percent);
}

function isImageReference(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { sha256, source } = value;
  return typeof sha256 === 'string' && isDigest(sha256) && typeof source === 'string';
}

function isVisit(value: unknown): boolean {
  if (!isObject(value) || !isObject(value['deliveries'])) return false;
  const { since, peer, deliveries } = value;
  return (
    isTime(since) &&
    typeof peer === 'string' &&
    (isIPv4(peer) || peer === 'localhost') &&
    Object.entries(deliveries).every(([image, one]) => isOneOf(['user2', 'final'], image) && isDelivery(one))
  );
}

function isDelivery(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { size, sent, tries, state } = value;
  return (
    [size, sent, tries].every(isCount) && isOneOf(['flowing', 'stalled', 'broken', 'acknowledged', 'delivered'], state)
  );
}

function isDownload(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { role, size, sent, requests, otaClass, isTaken, isOffered } = value;
  return (
    (role === undefined || isOneOf(['user1', 'user2'], role)) &&
    [size, sent, requests].every(isCount) &&
    (otaClass === undefined || isOneOf(['range', 'no-range', 'finalstage'], otaClass)) &&
    [isTaken, isOffered].every((one) => typeof one === 'boolean')
  );
}

function isOutcome(value: unknown): boolean {
  if (!isObject(value)) return false;
  if ('code' in value) return isOneOf(ERROR_CODES, value['code']) && isObject(value['values']);
  return isObject(value['found']) && isObject(value['job']) && isSnapshot(value['job']);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOneOf(known: readonly string[], value: unknown): boolean {
  return typeof value === 'string' && known.includes(value);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
