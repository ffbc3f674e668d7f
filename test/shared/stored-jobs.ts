import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Kept {
  id: string;
  [property: string]: unknown;
}

/** What the file of a host's jobs says, read line by line; undefined where there is none. */
export function keptJobs<Job = Kept>(folder: string, host = 'host'): { jobs: Job[]; tickets: Kept[] } | undefined {
  const path = keptJobsPath(folder, host);
  if (!existsSync(path)) return undefined;
  const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const jobs = new Map<string, Job>();
  const tickets = new Map<string, Kept>();
  for (const text of lines) {
    const line = JSON.parse(text) as { jobs?: (Job & Kept)[]; tickets?: Kept[]; gone?: string[] };
    for (const job of line.jobs ?? []) jobs.set(job.id, job);
    for (const pending of line.tickets ?? []) tickets.set(pending.id, pending);
    for (const id of line.gone ?? []) void (jobs.delete(id), tickets.delete(id));
  }
  return { jobs: [...jobs.values()], tickets: [...tickets.values()] };
}

export function keptJobsPath(folder: string, host = 'host'): string {
  return join(folder, 'jobs', `${host}.jsonl`);
}
