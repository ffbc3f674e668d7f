/** The content for Home Assistant, as plain data. */

import { sentencesOf, type ErrorCode } from '../errors';
import type { JobSnapshot } from '../flash/job/job';

export interface Failure {
  readonly code: ErrorCode;
  /** The sentence of what happened. */
  readonly what?: string | undefined;
  /** Both sentences. */
  readonly text: string;
  /** The remedy alone. */
  readonly remedy?: string | undefined;
}

/** A Sonoff that was seen: in a scan, when it dialled in, or in a job. */
export interface ShownDevice {
  readonly deviceid: string;
  readonly model?: string | undefined;
  /** Of its station, as `AA:BB:CC:DD:EE:FF`. */
  readonly mac?: string | undefined;
  /** The page of the firmware that runs now, at home. */
  readonly page?: string | undefined;
  /** Of its stock firmware. */
  readonly romVersion?: string | undefined;
  /** The name of the firmware that we installed on it. */
  readonly installed?: string | undefined;
  /** As the installed firmware states it. */
  readonly installedVersion?: string | undefined;
  /** How its last flash failed; undefined if it did not, or if a newer flash has started. */
  readonly failure?: Failure | undefined;
}

/** The newest job of a device. */
export interface ShownJob extends JobSnapshot {
  /** Whether a stage of it runs, or has only just ended. */
  readonly isAtWork: boolean;
  /** The present report of its stage. */
  readonly report?: ShownReport | undefined;
  /** How it failed, in the person's language. */
  readonly failure?: Failure | undefined;
}

export interface ShownReport {
  /** Where a person is needed, what to do. */
  readonly text: string;
  /** For something outside: a person or the device. */
  readonly isWaiting: boolean;
  readonly isHandNeeded: boolean;
}

/** The queue as far as it is shown; `waiting` names devices. */
export interface ShownQueue {
  readonly isPaused: boolean;
  readonly waiting: readonly (string | undefined)[];
  readonly counts: { readonly waiting: number; readonly done: number; readonly failed: number };
  readonly percent: number;
}

/** The image that an installation would write. */
export interface ShownImage {
  readonly version?: string | undefined;
  readonly sha256?: string | undefined;
  /** Where it comes from, where that is a web address. */
  readonly url?: string | undefined;
}

/** A flash that failed, whether or not its device was known by then. */
export interface ShownFailure extends Failure {
  /** Tells one from another. */
  readonly id: number;
  readonly remedy: string;
  readonly deviceid: string | null;
}

/** A Sonoff in sight, in the person's language. */
export interface SonoffInSight {
  readonly deviceid: string | null;
  readonly name: string | null;
  readonly model: string | null;
  readonly version: string | null;
  readonly address: string | null;
  /** How it can be flashed; a name that stays the same in every language. */
  readonly method: string;
  /** The same for people, with the reason. */
  readonly text: string;
}

export interface Snapshot {
  readonly devices: readonly ShownDevice[];
  /** The newest of each device, and those whose device is not known yet. */
  readonly jobs: readonly ShownJob[];
  readonly queue?: ShownQueue | undefined;
  /** The firmware to choose from, by their names, and the chosen one. */
  readonly firmware: {
    readonly options: readonly string[];
    readonly chosen: string | undefined;
    /** Of the chosen one, where it could be looked at. */
    readonly image?: ShownImage | undefined;
  };
  /** Why the host does not listen, or listens without effect. */
  readonly trouble?: Failure | undefined;
  readonly arming: ShownArming;
  /** Since the last flash that ended well; the newest last. */
  readonly failures: readonly ShownFailure[];
  /** Every Sonoff in sight; undefined without a node that looks for them. */
  readonly sonoffs?: readonly SonoffInSight[] | undefined;
  /** A person has deleted the flasher in Home Assistant. */
  readonly isFlasherHidden?: boolean;
}

/** Which devices may be flashed from Home Assistant. */
export interface ShownArming {
  readonly isForAll: boolean;
  readonly devices: readonly string[];
}

export function jobOf(snapshot: Snapshot, deviceid: string): ShownJob | undefined {
  return snapshot.jobs.findLast((job) => job.deviceid === deviceid);
}

/** How a job failed, where it did. */
export function failureOf(job: ShownJob): Failure | undefined {
  return job.stage === 'failed' ? (job.failure ?? failureIn(job, sentencesOf)) : undefined;
}

/** @param sentences what happened and what to do, in a language */
export function failureIn(
  { stage, error = 'unexplained', verdict }: JobSnapshot,
  sentences: typeof sentencesOf,
): Failure | undefined {
  if (stage !== 'failed') return undefined;
  const explained = verdict?.code === error ? verdict : undefined;
  const { what, remedy } = sentences(error, explained?.values);
  // Without its values a sentence has gaps.
  if (!explained?.values) return { code: error, text: explained?.text ?? remedy, remedy };
  return { code: error, what, text: `${what} ${remedy}`, remedy };
}

/** The report of a job's stage, while it runs. */
export function reportOf(job: ShownJob | undefined): ShownReport | undefined {
  return job && isOpen(job) && job.isAtWork ? job.report : undefined;
}

export function isOpen(job: JobSnapshot): boolean {
  return job.stage !== 'done' && job.stage !== 'failed';
}
