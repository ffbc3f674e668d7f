import type { Job } from '../job/job';
import type { JobBook } from '../job/job-book';

/**
 * Ends jobs that no stage continues and whose device was not heard of for long: any stranger can begin them in the name of
 * devices that do not exist. Not where an upgrade was sent: that device may be anywhere on its way.
 *
 * @param isConnected whether a device has a session
 */
export function endStaleJobs(
  jobs: JobBook,
  isConnected: (deviceid: string) => boolean,
  staleMs: number,
  now = Date.now(),
): void {
  for (const job of jobs.all()) {
    const isWaiting = job.isOpen && !job.running && isBeforeUpgrade(job);
    if (!isWaiting || (job.deviceid !== undefined && isConnected(job.deviceid))) continue;
    if (now - lastSeenOf(job) >= staleMs) job.fail('job-expired');
  }
}

function isBeforeUpgrade({ lastStage, visit, download, evidence }: Job): boolean {
  if (visit || download || evidence.all.some(({ kind }) => kind === 'upgrade-sent')) return false;
  return lastStage === 'provision' || lastStage === 'cloud';
}

function lastSeenOf({ evidence, startedAt }: Job): number {
  return evidence.all.at(-1)?.at ?? startedAt.getTime();
}
