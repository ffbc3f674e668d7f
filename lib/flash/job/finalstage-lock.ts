import { EventEmitter } from 'node:events';
import type { Job } from './job';
import type { JobRegistry } from './job-registry';
import { UpgradeDownload } from './upgrade-download';
import { waitFor } from '../../timing/wait';

/** By the port that FinalStage dials. */
const locks = new Map<number, FinalStageLock>();

/**
 * Which device may take its upgrade. Every FinalStage has the same name, dials the same address and states no id, so two
 * devices there at a time could be given each other's firmware: an upgrade starts when no other device is
 * between its own and the end of its FinalStage, whichever host it belongs to. Those that wait come in the order in
 * which they asked.
 */
export class FinalStageLock extends EventEmitter<{ changed: [] }> {
  private readonly registries = new Set<JobRegistry>();
  private readonly waiting: Job[] = [];

  constructor(...registries: JobRegistry[]) {
    super();
    // Every stage that waits for its turn listens here.
    this.setMaxListeners(0);
    for (const jobs of registries) this.join(jobs);
  }

  /** The one of all hosts that serve FinalStage at this port; 0 = at a port that no other host has. */
  static at(port: number): FinalStageLock {
    const lock = locks.get(port) ?? new FinalStageLock();
    if (port !== 0) locks.set(port, lock);
    return lock;
  }

  join(jobs: JobRegistry): void {
    this.registries.add(jobs);
    jobs.on('changed', this.onJob);
  }

  leave(jobs: JobRegistry): void {
    this.registries.delete(jobs);
    jobs.off('changed', this.onJob);
    this.tell();
  }

  /**
   * Resolves when it is the job's turn; the job has its download then, which holds the turn.
   *
   * @param report called with the job that is waited for, each time that it is another one
   * @throws the signal's reason
   */
  async acquire(job: Job, signal: AbortSignal, report: (holder: Job) => void): Promise<UpgradeDownload> {
    this.waiting.push(job);
    let reported: Job | undefined;
    const look = (): UpgradeDownload | undefined => {
      const holder = this.holderBefore(job);
      // In the same step, so that no other job finds the lock free.
      if (holder === undefined) return (job.download ??= new UpgradeDownload());
      if (holder !== reported) report((reported = holder));
      return undefined;
    };
    try {
      return await waitFor(this, ['changed'], look, { signal });
    } finally {
      this.waiting.splice(this.waiting.indexOf(job), 1);
    }
  }

  /** Bytes that flow release no lock. */
  private readonly onJob = (_job: Job, isDurable: boolean): void => {
    if (isDurable) this.tell();
  };

  private readonly tell = (): void => void this.emit('changed');

  /**
   * The job that a job has to wait for; none if it never comes to FinalStage, or is in the middle of its own upgrade, which
   * a restart interrupted.
   */
  private holderBefore(job: Job): Job | undefined {
    if (!job.needsFinalStage || job.holdsFinalStage) return undefined;
    const jobs = [...this.registries].flatMap((registry) => registry.all());
    const holder = jobs.find(({ holdsFinalStage }) => holdsFinalStage);
    const first = this.waiting.find(({ needsFinalStage }) => needsFinalStage);
    return holder ?? (first === job ? undefined : first);
  }
}
