import type { Job } from './job';
import type { JobRegistry } from './job-registry';

/** The registry of each host, and what is called when one of its jobs has changed. */
const hosts = new Map<JobRegistry, () => void>();

/**
 * Adds the jobs of a host to those of all hosts of this Node-RED: a device is the same one, whichever of them flashes it.
 *
 * @param changed called after every change of any host's job that a restart must know of
 * @returns a function that takes them away again
 */
export function joinAllJobs(jobs: JobRegistry, changed: () => void): () => void {
  const tell = (_job: Job, isDurable: boolean): void => {
    if (isDurable) for (const listener of hosts.values()) listener();
  };
  hosts.set(jobs, changed);
  jobs.on('changed', tell);
  return () => {
    hosts.delete(jobs);
    jobs.off('changed', tell);
  };
}

/** The newest job of a device at any host. */
export function latestOfAllJobs(deviceid: string): Job | undefined {
  const latest = [...hosts.keys()].flatMap((jobs) => jobs.latest(deviceid) ?? []);
  return latest.sort((one, other) => one.startedAt.getTime() - other.startedAt.getTime()).at(-1);
}
