/** The events between two snapshots, for the event entities: Home Assistant records these, but no progress. */

import { failureOf, isOpen, jobOf, reportOf, type ShownJob, type Snapshot } from './snapshot';

export const DEVICE_EVENTS = ['queued', 'started', 'stage', 'waiting', 'succeeded', 'failed', 'refused'] as const;
export const FLASHER_EVENTS = [
  'device_found',
  'started',
  'waiting',
  'succeeded',
  'failed',
  'finished',
  'refused',
] as const;

interface Details {
  readonly deviceid: string;
  readonly stage?: string;
  readonly percent?: number;
  readonly error?: string;
  readonly text?: string;
  readonly remedy?: string | undefined;
  readonly hand_needed?: boolean;
}

export type DeviceEvent = Details & { readonly event_type: (typeof DEVICE_EVENTS)[number] };
export type FlasherEvent = Partial<Details> & { readonly event_type: (typeof FLASHER_EVENTS)[number] };

export interface Events {
  readonly devices: readonly DeviceEvent[];
  readonly flasher: readonly FlasherEvent[];
}

export function diffEvents(before: Snapshot, now: Snapshot): Events {
  const devices = now.devices.flatMap(({ deviceid }) => [
    ...ofQueue(before, now, deviceid),
    ...ofJob(before, now, deviceid),
    ...waitingOf(jobOf(before, deviceid), jobOf(now, deviceid)).map((waiting) => ({ ...waiting, deviceid })),
  ]);
  const found = now.devices.filter(({ deviceid }) => !before.devices.some((known) => known.deviceid === deviceid));
  const flasher: FlasherEvent[] = [
    ...found.map(({ deviceid }) => ({ event_type: 'device_found' as const, deviceid })),
    ...devices.flatMap((happening) => {
      const { event_type } = happening;
      return event_type === 'queued' || event_type === 'stage' ? [] : [{ ...happening, event_type }];
    }),
  ];
  flasher.push(...waitingWithoutDevice(before, now), ...failuresWithoutDevice(before, now, devices));
  if (isBusy(before) && !isBusy(now)) flasher.push({ event_type: 'finished' });
  return { devices, flasher };
}

/** An instruction, or something to wait for, that is new. */
function waitingOf(earlier: ShownJob | undefined, job: ShownJob | undefined): (Omit<Details, 'deviceid'> & Waiting)[] {
  const report = reportOf(job);
  if (!job || !report?.isWaiting || report.text === reportOf(earlier)?.text) return [];
  const { text, isHandNeeded } = report;
  return [{ event_type: 'waiting', stage: job.stage, percent: job.percent, text, hand_needed: isHandNeeded }];
}

interface Waiting {
  readonly event_type: 'waiting';
}

/** A person is needed most before it is known which device it is. */
function waitingWithoutDevice(before: Snapshot, now: Snapshot): FlasherEvent[] {
  return now.jobs
    .filter(({ deviceid }) => deviceid === null)
    .flatMap((job) => {
      const earlier = before.jobs.find(({ deviceid, startedAt }) => deviceid === null && startedAt === job.startedAt);
      return waitingOf(earlier, job);
    });
}

/** Failures before a job had its device, or before there was a job. */
function failuresWithoutDevice(before: Snapshot, now: Snapshot, reported: readonly DeviceEvent[]): FlasherEvent[] {
  const isReported = (deviceid: string | null): boolean =>
    reported.some((one) => one.event_type === 'failed' && one.deviceid === deviceid);
  const seen = new Set(before.failures.map(({ id }) => id));
  return now.failures
    .filter(({ id, deviceid }) => !seen.has(id) && !isReported(deviceid))
    .map(({ code, text, remedy, deviceid }) => {
      return { event_type: 'failed', ...(deviceid !== null && { deviceid }), error: code, text, remedy };
    });
}

function ofQueue(before: Snapshot, now: Snapshot, deviceid: string): DeviceEvent[] {
  const waits = (snapshot: Snapshot): boolean => snapshot.queue?.waiting.includes(deviceid) ?? false;
  return waits(now) && !waits(before) ? [{ event_type: 'queued', deviceid }] : [];
}

function ofJob(before: Snapshot, now: Snapshot, deviceid: string): DeviceEvent[] {
  const [earlier, job] = [jobOf(before, deviceid), jobOf(now, deviceid)];
  if (!job) return [];
  // A flash that is retried continues under its old start.
  const isNew = earlier?.startedAt !== job.startedAt || (!isOpen(earlier) && isOpen(job));
  if (!isNew && earlier?.stage === job.stage) return [];
  const details = detailsOf(job, deviceid);
  const first: DeviceEvent[] = isNew ? [{ event_type: 'started', ...details }] : [];
  if (job.stage === 'done') return [...first, { event_type: 'succeeded', ...details }];
  const failure = failureOf(job);
  if (failure) {
    return [
      ...first,
      { event_type: 'failed', ...details, error: failure.code, text: failure.text, remedy: failure.remedy },
    ];
  }
  return isNew ? first : [{ event_type: 'stage', ...details }];
}

function detailsOf({ stage, percent }: ShownJob, deviceid: string): Details {
  return { deviceid, stage, percent };
}

function isBusy({ jobs, queue }: Snapshot): boolean {
  return jobs.some((job) => isOpen(job) && job.isAtWork) || (queue !== undefined && queue.counts.waiting > 0);
}
