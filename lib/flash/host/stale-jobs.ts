import type { Job } from '../job/job';
import type { JobRegistry } from '../job/job-registry';
import { RECENT_AT_MOST } from '../devices/recent-devices';

/** Whether a device has a session. */
type IsConnected = (deviceid: string) => boolean;

/**
 * Ends jobs that no stage continues and whose device was silent for long: any stranger can start them in the name of
 * devices that do not exist. Not where an upgrade was sent: that device may be anywhere on its way.
 */
export function endStaleJobs(jobs: JobRegistry, isConnected: IsConnected, staleMs: number, now: number): void {
  for (const job of left(jobs, isConnected)) if (now - lastSeenOf(job) >= staleMs) job.fail('job-expired');
}

/** Ends the stay in FinalStage of devices that no stage has watched for long; their jobs stay open, to be resumed. */
export function endUnwatchedVisits(jobs: JobRegistry, unwatchedMs: number, now: number): void {
  for (const job of jobs.awaitingFinalStage()) {
    const waitedMs = now - (job.finalStage?.since.getTime() ?? 0);
    if (!job.running && waitedMs > unwatchedMs) job.finalStage = undefined;
  }
}

/**
 * Of the jobs that devices started unasked, and left, keeps those of the devices that were seen last. The others are
 * forgotten: as ended jobs they would take the places of those that a person may want to resume.
 */
export function forgetSurplusJobs(jobs: JobRegistry, isConnected: IsConnected): void {
  const begunAlone = left(jobs, isConnected).filter((job) => !job.hasLeft('provision'));
  const surplus = begunAlone.length - RECENT_AT_MOST;
  if (surplus <= 0) return;
  const oldestFirst = begunAlone.sort((one, other) => lastSeenOf(one) - lastSeenOf(other));
  for (const job of oldestFirst.slice(0, surplus)) jobs.forget(job);
}

/** Open jobs that no stage continues, whose devices have no session and were sent no upgrade. */
function left(jobs: JobRegistry, isConnected: IsConnected): Job[] {
  return jobs
    .all()
    .filter((job) => job.isOpen && !job.running && isBeforeUpgrade(job))
    .filter(({ deviceid }) => deviceid === undefined || !isConnected(deviceid));
}

function isBeforeUpgrade({ lastStage, mayBeInFinalStage, download, evidence }: Job): boolean {
  if (mayBeInFinalStage || download || evidence.all.some(({ kind }) => kind === 'upgrade-sent')) return false;
  return lastStage === 'provision' || lastStage === 'cloud';
}

function lastSeenOf({ evidence, startedAt }: Job): number {
  return evidence.all.at(-1)?.at ?? startedAt.getTime();
}
