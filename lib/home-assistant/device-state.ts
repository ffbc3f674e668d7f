/** The states of a Sonoff's entities. */

import type { ErrorCode } from '../errors';
import { STAGES } from '../flash/stages';
import type { Phrase } from './phrases';
import type { StateNames } from './states';
import { cut } from './text';
import {
  failureOf,
  isOpen,
  jobOf,
  reportOf,
  type Failure,
  type ShownDevice,
  type ShownJob,
  type Snapshot,
} from './snapshot';

/** The stages of a device. */
export const DEVICE_STAGES = ['idle', 'queued', ...STAGES, 'done', 'failed'] as const;

export type DeviceStage = (typeof DEVICE_STAGES)[number];

/** Where there is no error; an empty text would leave the sensor as it was. */
export const NO_ERROR = 'none';

/** Longer than any name, so that none of them can be taken for a newer or older version of the other. */
const STOCK = 'ITEAD';

/**
 * The state of the update entity. Home Assistant checks it against a closed schema and drops the whole message at one
 * key that it does not know. It keeps the old value of a key that is left out, so the two of the progress are always
 * there: one that stays true would refuse every later install.
 */
export interface UpdateState {
  readonly installed_version: string;
  readonly latest_version: string;
  /** Before an installation what it would do, in it what a person must do. */
  readonly release_summary: string;
  /** Of the image. Left out where there is none: the schema takes nothing but an address, not even an empty text. */
  readonly release_url?: string;
  readonly in_progress: boolean;
  /** Null while the duration is unknown. */
  readonly update_percentage: number | null;
}

export function updateState(device: ShownDevice, snapshot: Snapshot, words: UpdateWords): UpdateState {
  const job = jobOf(snapshot, device.deviceid);
  const isAtWork = job !== undefined && isOpen(job) && job.isAtWork;
  const isQueued = !isAtWork && isWaiting(device, snapshot);
  const installed = device.installed ?? stockVersion(device);
  const isOffered = isAtWork || isQueued || isArmed(device, snapshot);
  const url = whole(snapshot.firmware.image?.url);
  return {
    installed_version: installed,
    // Equal versions offer nothing: for devices that are not armed, and for those that run the firmware that we installed.
    latest_version: isOffered && !isFlashed(device) ? (snapshot.firmware.chosen ?? words.newFirmware) : installed,
    release_summary: cut(isAtWork || isQueued ? textOf(device, job) : offerOf(device, snapshot, words)),
    ...(url === undefined || isFlashed(device) ? {} : { release_url: url }),
    in_progress: isAtWork || isQueued,
    update_percentage: isAtWork ? job.percent : null,
  };
}

/** An address that fits; half of one leads nowhere. */
function whole(url: string | undefined): string | undefined {
  return url !== undefined && url === cut(url) ? url : undefined;
}

interface UpdateWords {
  readonly newFirmware: string;
  readonly phrase: Phrase;
}

/** The effect of an installation; if it is not possible, why. */
function offerOf(device: ShownDevice, snapshot: Snapshot, { newFirmware, phrase }: UpdateWords): string {
  if (isFlashed(device)) return '';
  if (!isArmed(device, snapshot)) {
    const failure = lastFailure(device, jobOf(snapshot, device.deviceid));
    return failure ? failure.text : phrase('unarmed');
  }
  const { chosen = newFirmware, image } = snapshot.firmware;
  const name = cut(image?.version === undefined ? chosen : `${chosen} (${image.version})`, 80);
  return image?.sha256 === undefined
    ? phrase('offer', { name })
    : phrase('offer-digest', { name, digest: image.sha256 });
}

export interface DeviceState {
  readonly stage: DeviceStage;
  /** Its name, for people. */
  readonly stage_name: string;
  readonly error: ErrorCode | typeof NO_ERROR;
  /** The sentence of what happened. */
  readonly error_name: string;
  readonly remedy: string;
  readonly percent: number;
  readonly hand_needed: 'ON' | 'OFF';
  /** Whether the stage waits for something outside. */
  readonly waiting: boolean;
  /** Both sentences; for the attributes, which have no limit. */
  readonly text: string;
  readonly deviceid: string;
  readonly model: string | null;
  readonly firmware: string;
  readonly armed: 'ON' | 'OFF';
  readonly started_at: string | null;
}

export function deviceState(device: ShownDevice, snapshot: Snapshot, states: StateNames): DeviceState {
  const job = jobOf(snapshot, device.deviceid);
  const stage = stageOf(device, job, snapshot);
  const failure = lastFailure(device, job);
  return {
    stage,
    stage_name: stageName(stage, reportOf(job)?.isWaiting ?? false, states),
    error: failure?.code ?? NO_ERROR,
    error_name: failure ? cut(failure.what ?? failure.text) : states['no-error'],
    remedy: failure?.remedy ?? '',
    percent: job?.percent ?? 0,
    hand_needed: reportOf(job)?.isHandNeeded ? 'ON' : 'OFF',
    waiting: reportOf(job)?.isWaiting ?? false,
    text: textOf(device, job),
    deviceid: device.deviceid,
    model: device.model ?? null,
    firmware: device.installed ?? stockVersion(device),
    armed: isArmed(device, snapshot) ? 'ON' : 'OFF',
    started_at: job?.startedAt ?? null,
  };
}

function stageName(stage: DeviceStage, isWaiting: boolean, states: StateNames): string {
  const isOfJob = STAGES.find((one) => one === stage);
  return isOfJob !== undefined && isWaiting ? states[`${isOfJob}-waiting`] : states[stage];
}

/** Every name of a stage, each once: Home Assistant drops a state that was not announced. */
export function stageNames(states: StateNames): string[] {
  const names = DEVICE_STAGES.flatMap((stage) => [false, true].map((isWaiting) => stageName(stage, isWaiting, states)));
  return [...new Set(names)];
}

function stageOf(device: ShownDevice, job: ShownJob | undefined, snapshot: Snapshot): DeviceStage {
  if (job && isOpen(job) && job.isAtWork) return job.stage;
  if (isWaiting(device, snapshot)) return 'queued';
  if (job) return job.stage;
  if (device.installed !== undefined) return 'done';
  return device.failure === undefined ? 'idle' : 'failed';
}

/** How the last flash failed; a new one clears it. */
function lastFailure(device: ShownDevice, job: ShownJob | undefined): Failure | undefined {
  return job ? failureOf(job) : device.failure;
}

function textOf(device: ShownDevice, job: ShownJob | undefined): string {
  const failure = lastFailure(device, job);
  if (failure) return failure.text;
  return reportOf(job)?.text ?? (job && isOpen(job) ? (job.verdict?.text ?? '') : '');
}

function isArmed({ deviceid }: ShownDevice, { arming }: Snapshot): boolean {
  return arming.devices.includes(deviceid);
}

/** It runs what we put on it, and is none of ours any more. */
function isFlashed({ installed }: ShownDevice): boolean {
  return installed !== undefined;
}

/** A queue that is held flashes nothing: what waits in it is not in progress. */
function isWaiting({ deviceid }: ShownDevice, { queue }: Snapshot): boolean {
  return queue !== undefined && !queue.isPaused && queue.waiting.includes(deviceid);
}

function stockVersion({ romVersion }: ShownDevice): string {
  return romVersion === undefined ? STOCK : `${STOCK} ${romVersion}`;
}
