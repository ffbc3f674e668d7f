import { randomUUID } from 'node:crypto';
import type { HostOverview } from './host-overview';
import type { JobOverview } from './job-overview';

/** A host with its jobs, as it is to be shown. */
export type ShownHost = HostOverview & { readonly id: string; readonly name: string };

/** The changes of a host: of itself if there are any, and of its jobs. */
export type HostChanges = Partial<Omit<ShownHost, 'jobs'>> & {
  readonly id: string;
  readonly jobs: readonly JobOverview[];
  /** The ids of all its jobs in their order, where that is new. */
  readonly order?: readonly string[];
};

export interface OverviewChanges {
  /** To ask with the next time. */
  readonly at: string;
  readonly hosts: readonly HostChanges[];
}

/**
 * The changes of an overview since an earlier answer: a host full of jobs is far too long to be sent whole each time one of
 * them moves. Compared is what is shown, since a verdict may change by time alone.
 */
export class OverviewJournal {
  /** Numbers of another run of the process mean nothing here. */
  private readonly run = randomUUID();
  private now = 0;
  private parts = new Map<string, { readonly text: string; readonly changedAt: number }>();

  /** @param at of an earlier answer; without one of this run, all is new */
  since(at: string | undefined, hosts: readonly ShownHost[]): OverviewChanges {
    const [run, number] = at?.split('.') ?? [];
    const since = run === this.run ? Number(number) : -1;
    this.now += 1;
    const before = this.parts;
    this.parts = new Map();
    const isNew = (key: string, part: unknown): boolean => {
      const text = JSON.stringify(part) ?? '';
      const known = before.get(key);
      const changedAt = known?.text === text ? known.changedAt : this.now;
      this.parts.set(key, { text, changedAt });
      return !(changedAt <= since);
    };
    const changes = hosts.map(({ jobs, ...host }): HostChanges => {
      const order = jobs.map(({ id }) => id);
      return {
        ...(isNew(host.id, host) ? host : { id: host.id }),
        ...(isNew(`${host.id}/`, order) ? { order } : {}),
        jobs: jobs.filter((job) => isNew(`${host.id}/${job.id}`, job)),
      };
    });
    return { at: `${this.run}.${this.now}`, hosts: changes };
  }
}
