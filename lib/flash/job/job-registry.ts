import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import { Job } from './job';
import { stageOf } from '../routes';
import { isLater, type StageName } from '../stages';
import { PATIENCE, type Patience } from '../verdict/patience';
import { wording } from '../../wordings/wording';

/** A device dials within 25 s of its set-up (docs/dev/stock-firmware.md#1.5), and a flow continues immediately. */
export const SET_UP_MS = 10 * 60_000;

/** How many ended jobs are remembered, so that a flash can be resumed with what is known of the device. */
const ENDED_JOBS_KEPT = 100;

/**
 * The jobs of one host: at most one open job a device.
 *
 * Event: `changed` at every change of a job; see `Job.onChange`.
 */
export class JobRegistry extends EventEmitter<{ changed: [job: Job, isDurable: boolean] }> {
  private readonly jobs: Job[] = [];
  /** The newest job of each device: it is asked for with every range. */
  private readonly newest = new Map<string, Job>();

  /** @param patience how long its jobs wait until the absence of something means something */
  constructor(private readonly patience: () => Patience = () => PATIENCE) {
    super();
    // Every stage that waits for its turn listens here.
    this.setMaxListeners(0);
  }

  /**
   * The job with which a message enters `stage`. An open job of the device continues; a failed one is resumed where
   * the stage is not behind what it had reached; the look for the new firmware belongs to what is done already; anything
   * else starts a new job.
   *
   * @throws FlashError `device-busy` where a later stage of the device is running; or, for that look, any other stage
   */
  jobFor(stage: StageName, deviceid: string | undefined): Job {
    const known = deviceid === undefined ? undefined : this.latest(deviceid);
    if (known?.stage === 'done' && stage === 'newfirmware') return known;
    // A look would end the job under the hands of a stage that is still at work.
    const isInTheWay = stage === 'newfirmware' && known?.running && known.lastStage !== stage;
    if (isInTheWay)
      throw new FlashError('device-busy', { deviceid: deviceid ?? '', stage: wording(`stage-${known.lastStage}`) });
    if (known && known.stage !== 'done' && !isLater(known.lastStage, stage)) return known;
    if (known?.running)
      throw new FlashError('device-busy', { deviceid: deviceid ?? '', stage: wording(`stage-${known.lastStage}`) });
    if (known?.isOpen) known.fail('cancelled');
    return this.open(new Job(stage, deviceid));
  }

  /**
   * Gives a job its device, once the stage has learned which it is. The device has shown that it is at this stage,
   * so an older open job of it ends here.
   */
  identify(job: Job, deviceid: string): void {
    if (job.deviceid === deviceid) return;
    const older = this.latest(deviceid);
    if (older?.isOpen) {
      older.running?.abort(new FlashError('cancelled'));
      older.fail('cancelled');
    }
    const { deviceid: former } = job;
    job.deviceid = deviceid;
    for (const one of [former, deviceid]) this.noteNewest(one);
    this.emit('changed', job, true);
  }

  /** Takes in a job of an earlier run of the process. */
  restore(job: Job): void {
    this.open(job);
  }

  /**
   * Removes a job, for a person who does not want to see it any more.
   * @returns false while something still depends on it
   */
  forget(job: Job): boolean {
    if (!job.isForgettable || !this.jobs.includes(job)) return false;
    this.remove(job);
    this.emit('changed', job, true);
    return true;
  }

  byId(id: string): Job | undefined {
    return this.jobs.find((job) => job.id === id);
  }

  latest(deviceid: string): Job | undefined {
    return this.newest.get(deviceid);
  }

  openJob(deviceid: string): Job | undefined {
    const job = this.latest(deviceid);
    return job?.isOpen ? job : undefined;
  }

  /** Jobs whose device may be in FinalStage, the one that has waited longest first. */
  awaitingFinalStage(): Job[] {
    const since = ({ finalStage: session }: Job): number => session?.since.getTime() ?? 0;
    return this.jobs.filter(({ mayBeInFinalStage }) => mayBeInFinalStage).sort((a, b) => since(a) - since(b));
  }

  /** Jobs whose device is about to start its new firmware automatically, and that no stage looks after. */
  awaitingNewFirmware(): Job[] {
    return this.jobs.filter((job) => job.isOpen && !job.running && job.hasFetchedAll);
  }

  /** Jobs that wait for a device to come: in the cloud stage, or on their way to it since the device was set up. */
  awaitingDevice(): Job[] {
    const isWaiting = (job: Job): unknown => (job.lastStage === 'cloud' ? job.running : isJustSetUp(job));
    return this.jobs.filter((job) => job.isOpen && isWaiting(job));
  }

  /** Devices that have an open job. */
  devicesInWork(): string[] {
    return this.jobs.flatMap(({ isOpen, deviceid }) => (isOpen && deviceid !== undefined ? [deviceid] : []));
  }

  all(): readonly Job[] {
    return this.jobs;
  }

  /** Jobs that have ended, first those that are missed least: what expired may be of devices that do not exist. */
  ended(): Job[] {
    const ended = this.jobs.filter((job) => !job.isOpen);
    const [expired, others] = [true, false].map((is) => ended.filter(({ error }) => (error === 'job-expired') === is));
    return [...(expired ?? []), ...(others ?? [])];
  }

  private open(job: Job): Job {
    job.onChange = (isDurable) => this.emit('changed', job, isDurable);
    job.evidence.patience = this.patience();
    this.jobs.push(job);
    if (job.deviceid !== undefined) this.newest.set(job.deviceid, job);
    const ended = this.ended();
    for (const old of ended.slice(0, Math.max(0, ended.length - ENDED_JOBS_KEPT))) this.remove(old);
    return job;
  }

  private remove(job: Job): void {
    this.jobs.splice(this.jobs.indexOf(job), 1);
    this.noteNewest(job.deviceid);
  }

  private noteNewest(deviceid: string | undefined): void {
    if (deviceid === undefined) return;
    const newest = this.jobs.findLast((job) => job.deviceid === deviceid);
    if (newest) this.newest.set(deviceid, newest);
    else this.newest.delete(deviceid);
  }
}

/** Its device has its set-up and is to dial us, and no stage has taken the job on yet. */
function isJustSetUp({ lastStage, evidence, route }: Job): boolean {
  // Asked of each job at each connection.
  if (lastStage !== 'provision' || !stageOf(route, 'cloud')) return false;
  const setUp = evidence.all.findLast(({ kind }) => kind === 'provisioned');
  return setUp !== undefined && Date.now() - setUp.at < SET_UP_MS;
}
