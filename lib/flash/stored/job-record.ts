/** A job as it is kept on disk. */

import type { ImageRole } from '../../image';
import { FinalStageSession, type FinalStageSessionRecord } from '../job/finalstage-session';
import type { LoadedImage } from '../../firmware/firmware';
import { Job, type StoredJob } from '../job/job';
import type { Observation } from '../observation';
import type { Route } from '../routes';
import { UpgradeDownload, type UpgradeDownloadRecord } from '../job/upgrade-download';

/** An image by its digest; the bytes lie beside the file. */
export interface ImageReference {
  readonly sha256: string;
  readonly source: string;
}

export interface JobRecord extends StoredJob {
  readonly firmware: Partial<Record<ImageRole, ImageReference>>;
  readonly visit?: FinalStageSessionRecord | undefined;
  readonly download?: UpgradeDownloadRecord | undefined;
  readonly evidence: readonly Observation[];
}

const ROLES: readonly ImageRole[] = ['user1', 'user2', 'final'];

/** Images are asked for by open jobs, and by one that failed where a person may resume it. */
export function imagesOf(job: Job): LoadedImage[] {
  if (job.hasFetchedAll) return [];
  const mayAsk = job.isOpen || (job.stage === 'failed' && job.resumableStage !== undefined);
  return mayAsk ? Object.values(job.firmware) : [];
}

export function recordOf(job: Job): JobRecord {
  const { id, lastStage, finalStage: session, download, evidence } = job;
  const firmware = Object.fromEntries(imagesOf(job).map(({ role, sha256, source }) => [role, { sha256, source }]));
  return {
    id,
    lastStage,
    snapshot: job.snapshot(),
    firmware,
    visit: session?.record(),
    download: download?.record(),
    evidence: evidence.all,
  };
}

/** @param find an image that is still what it was, or undefined */
export function jobOf(
  record: JobRecord,
  find: (role: ImageRole, image: ImageReference, route: Route | undefined) => LoadedImage | undefined,
): Job {
  const job = Job.restore(record);
  job.evidence.restore(record.evidence);
  for (const role of ROLES) {
    const image = record.firmware[role];
    const loaded = image && find(role, image, job.route);
    if (loaded) job.firmware = { ...job.firmware, [role]: loaded };
  }
  if (!job.isOpen) return job;
  if (record.visit) {
    job.finalStage = FinalStageSession.restore(record.visit);
    noteInterrupted(job, record.visit);
  }
  if (record.download) job.download = UpgradeDownload.restore(record.download);
  return job;
}

/** A transfer that was on the wire when the process ended is reported immediately, whatever stage comes next. */
function noteInterrupted({ finalStage: session, evidence }: Job, { deliveries }: FinalStageSessionRecord): void {
  for (const image of ['user2', 'final'] as const) {
    const [before, now] = [deliveries[image], session?.deliveries[image]];
    if (!before || now?.state !== 'interrupted' || before.state === 'interrupted') continue;
    evidence.add({ kind: 'finalstage-ended', image, how: 'interrupted', bytes: now.sent });
  }
}
