import type { Report } from './report';

/** At most four reports a second reach a node (docs/dev/design.md#4). */
const INTERVAL_MS = 250;

/** Thins the reports of one stage: the first and the last always pass, in between the newest, at most 4 a second. */
export class ReportThrottle {
  private last: Report | undefined;
  private pending: Report | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly deliver: (report: Report) => void) {}

  push(report: Report): void {
    // What was still on its way when another part failed must not follow on the end.
    if (this.isClosed || (this.last && isSame(this.last, report))) return;
    this.last = report;
    if (this.timer) {
      this.pending = report;
      return;
    }
    this.send(report);
  }

  /** Says the newest report once more, for a listener that came later. */
  repeatLast(): void {
    const report = this.last;
    this.last = undefined;
    if (report) this.push(report);
  }

  /**
   * Ends the stage's reports. The last one is always said: after a success once more, with the percent as it stands
   * then; after a failure where it has not been said yet, since it often tells why.
   */
  close(succeeded: boolean): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    const final = this.pending ?? (succeeded ? this.last : undefined);
    this.pending = undefined;
    if (final) this.deliver(final);
  }

  private send(report: Report): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const next = this.pending;
      this.pending = undefined;
      if (next) this.send(next);
    }, INTERVAL_MS);
    this.deliver(report);
  }
}

function isSame(one: Report, other: Report): boolean {
  const isSameText = one.text === other.text && one.details === other.details;
  return isSameText && one.percent === other.percent && one.warning === other.warning;
}
