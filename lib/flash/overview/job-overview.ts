import { roadOf, type Road } from '../../protocol/roads';
import type { Job, JobSnapshot } from '../job/job';
import type { StageName } from '../routes/stages';
import { announce, type AnnouncementName, type AnnouncementValues } from '../run/announcements';
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
  readonly lastRequest: LastRequest | undefined;
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
    lastRequest: lastRequestIn(evidence.all),
    canRetry: stage === 'failed' && canRetry,
    canForget: job.isForgettable,
  };
}

function sentencesOf({ name, values }: NonNullable<Job['said']>): { text: string; details?: string } {
  const { text, details } = announce(name, values);
  return details === undefined ? { text } : { text, details };
}
