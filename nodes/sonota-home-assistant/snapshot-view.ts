import type { FlashHost } from '../../lib/flash/host/host';
import type { DispatchSighting } from '../../lib/flash/devices/devices';
import type { ListedSonoff } from '../../lib/flash/discovery/listed-sonoff';
import type { Job, JobSnapshot } from '../../lib/flash/job/job';
import { FlashError } from '../../lib/errors';
import {
  failureIn,
  isOpen,
  type Arming,
  type Failure,
  type ShownJob,
  type ShownQueue,
  type Snapshot,
  type SonoffInSight,
} from '../../lib/home-assistant';
import type { DeviceConnection } from '../../lib/server/device-connection';
import type { ChosenImage } from './chosen-image';
import type { DeviceMemory } from './device-memory';
import { FailureWatch, type Sentences } from './failure-watch';
import { lastUse, newFirmwareIn } from './job-facts';
import { JobReports, type ReportText } from './job-reports';
import type { FirmwareList } from './firmware-list';

/** Between two stages, and while a person walks from one Wi-Fi to the other, nothing runs for a moment. */
const PAUSE_MS = 60_000;

/** The parts shown beside the host itself. */
export interface ShownParts {
  readonly memory: DeviceMemory;
  readonly firmware: FirmwareList;
  readonly images: Pick<ChosenImage, 'of'>;
  readonly arming: Arming;
  readonly sentences: Sentences;
  readonly reportText: ReportText;
  /** The same job with its verdict in the person's language: what is said of it where no stage reports. */
  readonly translated: (job: JobSnapshot) => JobSnapshot;
  readonly inSight: (device: ListedSonoff) => SonoffInSight;
}

/** A host as Home Assistant is to see it. Calls `onNews` whenever `world()` may have changed. */
export class WorldView {
  /** When each open job was first seen with no stage running. */
  private readonly restingSince = new Map<Job, number>();
  private timer: NodeJS.Timeout | undefined;
  private readonly memory: DeviceMemory;
  private readonly failures: FailureWatch;
  private readonly reports: JobReports;

  constructor(
    private readonly host: FlashHost,
    private readonly parts: ShownParts,
    private readonly onNews: () => void,
  ) {
    this.memory = parts.memory;
    this.reports = new JobReports(parts.reportText);
    this.failures = new FailureWatch(host, parts.sentences, parts.memory, onNews);
    this.memory.inUse = () => this.devicesInUse();
    // A job that an earlier run of the process left open is at rest until its stage continues.
    for (const job of host.jobs.all()) if (job.isOpen && !job.running) this.restingSince.set(job, -Infinity);
    this.takeStock();
    host.jobs.on('changed', this.onJob);
    host.devices.on('dispatched', this.onDispatched);
    host.devices.on('ready', this.onReady);
    host.queue.on('changed', this.onNews);
    host.survey.on('changed', this.onNews);
    host.runs.on('reported', this.onNews);
    host.on('state', this.onNews);
  }

  stop(): void {
    const { host } = this;
    clearTimeout(this.timer);
    this.failures.stop();
    host.jobs.off('changed', this.onJob);
    host.devices.off('dispatched', this.onDispatched);
    host.devices.off('ready', this.onReady);
    host.queue.off('changed', this.onNews);
    host.survey.off('changed', this.onNews);
    host.runs.off('reported', this.onNews);
    host.off('state', this.onNews);
  }

  /** Takes everything in again that is there. */
  takeStock(): void {
    for (const job of this.host.jobs.all()) this.learn(job);
    for (const connection of this.host.devices.ready()) this.onReady(connection);
  }

  world(now = Date.now()): Snapshot {
    const { trouble, survey } = this.host;
    const { firmware, images, arming, inSight } = this.parts;
    this.memory.forgetOld();
    const devices = this.memory.all();
    const armed = devices.map(({ deviceid }) => deviceid).filter((deviceid) => arming.isArmed(deviceid));
    return {
      devices,
      jobs: this.jobs(now),
      queue: this.queue(),
      firmware: { ...firmware.shown(), image: images.of(firmware.chosenId) },
      failures: this.failures.all(),
      sonoffs: survey.isWatching ? survey.list.map(inSight) : undefined,
      arming: { isForAll: arming.isForAll, devices: armed },
      trouble: trouble && { code: trouble.code, text: this.textOf(trouble) },
      isFlasherHidden: this.memory.isFlasherRemoved,
    };
  }

  /** The newest job of each device; a job that has no device yet counts while it is open. */
  private jobs(now: number): ShownJob[] {
    const all = this.host.jobs.all();
    const newest = all.filter((job, index) => {
      if (job.deviceid === undefined) return job.isOpen;
      return !all.slice(index + 1).some(({ deviceid }) => deviceid === job.deviceid);
    });
    const left = newest.map((job) => this.workLeft(job, now));
    this.lookAgain(Math.min(...left.filter((ms) => ms > 0)));
    return newest.map((job, index) => {
      const snapshot = job.snapshot();
      return {
        // Of a job that has ended nothing is said but its failure, which has sentences of its own.
        ...(job.isOpen ? this.parts.translated(snapshot) : snapshot),
        isAtWork: (left[index] ?? 0) > 0,
        report: this.reports.of(job),
        failure: this.failureOf(snapshot),
      };
    });
  }

  /**
   * For how long a job counts as at work if nothing changes; ms. A flow can leave one open for ever: one that nothing
   * continues must not look as if it ran.
   */
  private workLeft(job: Job, now: number): number {
    if (!job.isOpen || job.running) {
      this.restingSince.delete(job);
      return job.isOpen ? Infinity : 0;
    }
    const since = this.restingSince.get(job) ?? now;
    this.restingSince.set(job, since);
    return since + PAUSE_MS - now;
  }

  private lookAgain(afterMs: number): void {
    clearTimeout(this.timer);
    if (afterMs === Infinity) return;
    this.timer = setTimeout(this.onNews, afterMs + 1).unref();
  }

  /** Left out while the queue is unused. */
  private queue(): ShownQueue | undefined {
    const { state, entries, waiting, done, failed, percent } = this.host.queue.snapshot();
    if (entries.length === 0 && state !== 'paused') return undefined;
    return {
      isPaused: state === 'paused',
      waiting: entries.filter((entry) => entry.state === 'waiting').map(({ deviceid }) => deviceid ?? undefined),
      counts: { waiting, done, failed },
      percent,
    };
  }

  private devicesInUse(): string[] {
    const { jobs, queue, devices } = this.host;
    const wanted = [...jobs.all(), ...queue.snapshot().entries].map(({ deviceid }) => deviceid);
    return [...wanted.filter((deviceid) => typeof deviceid === 'string'), ...devices.connected()];
  }

  private readonly onJob = (job: Job): void => {
    this.learn(job);
    if (job.stage === 'done' && job.deviceid !== undefined) this.parts.arming.disarm(job.deviceid);
    this.onNews();
  };

  private learn(job: Job): void {
    const snapshot = job.snapshot();
    const { deviceid, model, romVersion, stage } = snapshot;
    const usedAt = lastUse(snapshot);
    this.memory.showFlasher(usedAt);
    if (deviceid === null || this.memory.wasRemovedSince(deviceid, usedAt)) return;
    this.memory.learn({
      deviceid,
      ...(model === null ? {} : { model }),
      ...(romVersion === null ? {} : { romVersion }),
      ...newFirmwareIn(snapshot),
      installed: stage === 'done' ? this.parts.firmware.nameOf(job.firmware.final) : undefined,
      failure: this.failureOf(snapshot),
    });
  }

  private failureOf(snapshot: JobSnapshot): Failure | undefined {
    return failureIn(snapshot, (code, values = {}) => this.parts.sentences(new FlashError(code, values)));
  }

  private textOf(error: FlashError): string {
    const { what, remedy } = this.parts.sentences(error);
    return `${what} ${remedy}`;
  }

  /** A device that asks for our dispatch runs the stock firmware, whatever we have put on it before. */
  private readonly onDispatched = ({ deviceid, model, romVersion }: DispatchSighting): void => {
    this.memory.saw({ deviceid, model, romVersion, installed: undefined });
    this.onNews();
  };

  private readonly onReady = ({ device }: DeviceConnection): void => {
    if (!device) return;
    const { deviceid, model, romVersion } = device;
    this.memory.saw({ deviceid, model, romVersion });
    this.onNews();
  };
}

/** The same snapshot with everything at rest: published first after a start, whatever was published before. */
export function atRest(snapshot: Snapshot): Snapshot {
  const jobs = snapshot.jobs.map((job) => (isOpen(job) ? { ...job, isAtWork: false } : job));
  return { ...snapshot, jobs, queue: snapshot.queue && { ...snapshot.queue, waiting: [] } };
}
