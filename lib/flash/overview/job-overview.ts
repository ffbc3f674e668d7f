import { identify, type Project } from '../../image';
import { roadOf, type Road } from '../../protocol/roads';
import type { LoadedImage } from '../firmware/firmware';
import type { Job, JobSnapshot } from '../job/job';
import type { StageName } from '../routes/stages';
import { announce, type AnnouncementName, type AnnouncementValues } from '../run/announcements';
import { needsPerson } from '../run/person-needed';
import { waitEndOf } from '../run/wait-end';
import type { Verdict } from '../verdict/verdict';
import { lastRequestIn, type LastRequest } from './last-request';

/** A job as people look at it, for the sidebar: plain data for JSON, no secrets. */
export interface JobOverview extends Pick<
  JobSnapshot,
  'deviceid' | 'model' | 'romVersion' | 'stage' | 'percent' | 'startedAt' | 'error'
> {
  readonly id: string;
  /** Undefined until it is known what the device is. */
  readonly road: Road | undefined;
  /** The last stage entered, whether or not the job has ended there. */
  readonly lastStage: StageName;
  readonly endedAt: string | undefined;
  readonly verdict: Pick<Verdict, 'code' | 'confidence' | 'text' | 'values'> | undefined;
  /** What its stage says now, in a wait also what the person must do. */
  readonly says: { name: AnnouncementName; values: AnnouncementValues; text: string; details?: string } | undefined;
  /** Whether a person must do something now. */
  readonly isHandNeeded: boolean;
  /** When its stage gives up waiting, in ISO 8601; undefined where it does not wait. */
  readonly waitEndsAt: string | undefined;
  /** What the final image is, where that is known. */
  readonly firmware: Project | undefined;
  /** Where the page of the new firmware was found. */
  readonly pageUrl: string | undefined;
  readonly lastRequest: LastRequest | undefined;
  readonly canCancel: boolean;
  readonly canRetry: boolean;
  readonly canForget: boolean;
}

/** @param canRetry whether the message that a failed job began its last stage with is still known */
export function overviewOf(job: Job, canRetry: boolean): JobOverview {
  const { id, evidence, said, lastStage } = job;
  const { deviceid, model, romVersion, stage, percent, startedAt, stages, error } = job.snapshot();
  const isSeen = evidence.all.length > 0;
  const { code, confidence, text, values } = evidence.verdict();
  return {
    id,
    deviceid,
    model,
    romVersion,
    road: romVersion === null ? undefined : roadOf({ model: model ?? undefined, romVersion }).road,
    stage,
    lastStage,
    percent,
    startedAt,
    endedAt: job.isOpen ? undefined : (stages[lastStage]?.endedAt ?? undefined),
    ...(error ? { error } : {}),
    verdict: isSeen ? { code, confidence, text, values } : undefined,
    says: said && { ...said, ...sentencesOf(said) },
    isHandNeeded: said !== undefined && needsPerson(said.name),
    waitEndsAt: waitEndOf(job)?.toISOString(),
    firmware: projectOf(job),
    pageUrl: pageOf(job),
    lastRequest: lastRequestIn(evidence.all),
    canCancel: job.running !== undefined,
    canRetry: stage === 'failed' && canRetry,
    canForget: job.isForgettable,
  };
}

/** An image is large, and is looked at each time that somebody looks at its job. */
const projects = new WeakMap<LoadedImage, Project>();

function projectOf({ firmware: { final } }: Job): Project | undefined {
  if (!final) return undefined;
  const known = projects.get(final) ?? identify(final.bytes).project;
  projects.set(final, known);
  return known;
}

function pageOf(job: Job): string | undefined {
  const url = job.snapshot().stages.newfirmware?.['url'];
  return typeof url === 'string' ? url : undefined;
}

function sentencesOf({ name, values }: NonNullable<Job['said']>): { text: string; details?: string } {
  const { text, details } = announce(name, values);
  return details === undefined ? { text } : { text, details };
}
