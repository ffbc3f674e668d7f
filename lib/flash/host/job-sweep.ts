import type { JobRegistry } from '../job/job-registry';
import type { Devices } from '../devices/devices';
import type { HostEnvironment } from './environment';
import { endStaleJobs, endUnwatchedVisits, forgetSurplusJobs } from './stale-jobs';

/** The parts of a host that a sweep needs. */
export interface SweptParts {
  readonly jobs: JobRegistry;
  readonly devices: Pick<Devices, 'get'>;
  readonly around: Pick<HostEnvironment, 'now' | 'waits'>;
  /** Called after each sweep: the jobs that are left may need less. */
  swept(): Promise<void>;
}

/** Ends, at intervals, jobs that nothing continues: for each of them ports lie open, and it occupies its device. */
export class JobSweep {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly of: SweptParts) {}

  start(): void {
    this.stop();
    this.timer = setInterval(() => void this.sweep(), this.of.around.waits.sweepMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Ends the jobs of devices that do not come back, or were never there. */
  endLeftJobs(): void {
    const { jobs, devices, around } = this.of;
    const isConnected = (deviceid: string): boolean => devices.get(deviceid) !== undefined;
    endStaleJobs(jobs, isConnected, around.waits.staleJobMs, around.now());
    forgetSurplusJobs(jobs, isConnected);
  }

  private async sweep(): Promise<void> {
    const { jobs, around } = this.of;
    endUnwatchedVisits(jobs, around.waits.unwatchedVisitMs, around.now());
    this.endLeftJobs();
    await this.of.swept();
  }
}
