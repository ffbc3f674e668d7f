import type { Job } from '../../lib/flash/job/job';
import { progressText } from '../../lib/progress-texts';
import { needsPerson } from '../../lib/progress-texts';
import type { Report } from '../../lib/flash/run/report';
import type { ShownReport } from '../../lib/home-assistant';

/** Instruction and details in the person's language. */
export type ReportText = (report: Pick<Report, 'name' | 'values' | 'label' | 'text' | 'details'>) => string;

/** The report of each job's stage, as Home Assistant shows it. */
export class JobReports {
  private readonly shown = new WeakMap<Job, { readonly key: string; readonly report: ShownReport }>();

  constructor(private readonly textOf: ReportText) {}

  of(job: Job): ShownReport | undefined {
    const { lastReport } = job;
    if (!lastReport || !job.isOpen) return undefined;
    const { name, values } = lastReport;
    const announcement = progressText(name, values);
    const isWaiting = announcement.state === 'waiting';
    // Home Assistant records each change: a count of bytes is published once a percent.
    const key = JSON.stringify(isWaiting ? [name, values] : [name, job.percent]);
    const before = this.shown.get(job);
    if (before?.key === key) return before.report;
    const text = this.textOf({ ...announcement, name, values });
    const report = { text, isWaiting, isHandNeeded: isWaiting && needsPerson(name) };
    this.shown.set(job, { key, report });
    return report;
  }
}
