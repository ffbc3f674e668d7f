import type { ErrorCode, ErrorValues } from '../../errors';
import { methodOf, type FlashMethod } from '../../protocol/compatibility';
import type { Job, JobSnapshot } from '../job/job';
import { reportLine } from '../job/report-line';
import type { StageName } from '../stages';
import { needsPerson, progressText, type ProgressTextName, type ProgressValues } from '../../progress-texts';
import { networkClosesAt } from '../run/network-closes';
import { waitEndOf } from '../run/wait-end';
import type { Verdict } from '../verdict/verdict';
import { isGivable } from '../next-step/give-wifi';
import type { NextStep } from '../next-step/next-steps';
import { lastRequestIn, type LastRequest } from './last-request';
import { projectOf, type InstalledFirmware } from './project-of';

/** A job as people look at it, for the sidebar: plain data for JSON, no secrets. */
export interface JobOverview extends Pick<
  JobSnapshot,
  'deviceid' | 'model' | 'romVersion' | 'stage' | 'percent' | 'startedAt' | 'error'
> {
  readonly id: string;
  /** Undefined until it is known what the device is. */
  readonly method: FlashMethod | undefined;
  /** The last stage entered, whether or not the job has ended there. */
  readonly lastStage: StageName;
  readonly endedAt: string | undefined;
  readonly verdict: Pick<Verdict, 'code' | 'confidence' | 'text' | 'values'> | undefined;
  /** The report of its stage, or of the step behind the flash; in a wait also what the person must do. */
  readonly says: { name: ProgressTextName; values: ProgressValues; text: string; details?: string } | undefined;
  /** Whether a person must do something now. */
  readonly isHandNeeded: boolean;
  /** When its stage gives up waiting, in ISO 8601; undefined where it does not wait. */
  readonly waitEndsAt: string | undefined;
  /** When the device closes the network that it opened for its set-up, in ISO 8601; undefined where it was not seen. */
  readonly networkClosesAt: string | undefined;
  /** The kind of the final image, if it is known. */
  readonly firmware: InstalledFirmware | undefined;
  /** Where the page of the new firmware was found. */
  readonly pageUrl: string | undefined;
  /** How it stands with the home Wi-Fi for the new firmware, once a person has asked for that. */
  readonly nextStep:
    { state: NextStep['state']; error?: { code: ErrorCode; text: string; values: ErrorValues } } | undefined;
  /** Whether the new firmware can be given the home Wi-Fi. */
  readonly canGiveWifi: boolean;
  readonly lastRequest: LastRequest | undefined;
  /** Its line for others, without anything personal; see `FlashReport`. */
  readonly line: string;
  readonly canCancel: boolean;
  readonly canRetry: boolean;
  readonly canForget: boolean;
}

/**
 * @param canRetry whether the message that started a failed job's last stage is still known
 * @param nextStep the step that was started behind the flash
 */
export function overviewOf(job: Job, canRetry: boolean, nextStep?: NextStep): JobOverview {
  const { id, evidence, lastStage } = job;
  const lastReport = job.lastReport ?? nextStep?.lastReport;
  const snapshot = job.snapshot();
  const { deviceid, model, romVersion, stage, percent, startedAt, stages, error } = snapshot;
  const isSeen = evidence.all.length > 0;
  const { code, confidence, text, values } = evidence.verdict();
  return {
    id,
    deviceid,
    model,
    romVersion,
    method: romVersion === null ? undefined : methodOf({ model: model ?? undefined, romVersion }).method,
    stage,
    lastStage,
    percent,
    startedAt,
    endedAt: job.isOpen ? undefined : (stages[lastStage]?.endedAt ?? undefined),
    ...(error ? { error } : {}),
    verdict: isSeen ? { code, confidence, text, values } : undefined,
    says: lastReport && { ...lastReport, ...sentencesOf(lastReport) },
    isHandNeeded: lastReport !== undefined && needsPerson(lastReport.name),
    waitEndsAt: waitEndOf(job)?.toISOString(),
    networkClosesAt: networkClosesAt(job)?.toISOString(),
    firmware: projectOf(job),
    pageUrl: nextStep?.url ?? pageOf(job),
    nextStep: nextStep && shownStep(nextStep),
    canGiveWifi: stage === 'done' && isGivable(projectOf(job)) && canBegin(nextStep),
    lastRequest: lastRequestIn(evidence.all),
    line: reportLine(snapshot),
    canCancel: job.running !== undefined || nextStep?.state === 'running',
    canRetry: stage === 'failed' && canRetry,
    canForget: job.isForgettable,
  };
}

function canBegin(nextStep: NextStep | undefined): boolean {
  return nextStep === undefined || nextStep.state === 'failed';
}

function shownStep({ state, error }: NextStep): JobOverview['nextStep'] {
  return error ? { state, error: { code: error.code, text: error.message, values: error.values } } : { state };
}

function pageOf(job: Job): string | undefined {
  const url = job.snapshot().stages.newfirmware?.['url'];
  return typeof url === 'string' ? url : undefined;
}

function sentencesOf({ name, values }: NonNullable<Job['lastReport']>): { text: string; details?: string } {
  const { text, details } = progressText(name, values);
  return details === undefined ? { text } : { text, details };
}
