import type { Node } from 'node-red';
import type { ErrorCode } from '../../lib/errors';
import type { Report } from '../../lib/flash/run/report';
import type { Translate } from './translate';

/** A countdown goes in steps: each status goes to every open editor and every Status node; ms. */
const STEP_MS = 10_000;

/** What stands under a node; the colours and shapes are Node-RED's own language (docs/dev/design.md#5). */
export class NodeStatus {
  private queued = 0;
  private shown = '';
  private show: () => void;
  private countdown: NodeJS.Timeout | undefined;

  constructor(
    private readonly node: Node,
    private readonly translate: Translate,
  ) {
    this.show = () => undefined;
    this.idle();
    node.on('close', () => clearInterval(this.countdown));
  }

  idle(): void {
    this.display(() => this.set('grey', 'ring', this.translate('status.idle', 'idle')));
  }

  running(report: Pick<Report, 'state' | 'label' | 'percent' | 'warning' | 'endsAt'>): void {
    const { state, label, percent, warning, endsAt } = report;
    if (!warning && state === 'waiting') return endsAt ? this.countDown(label, endsAt) : this.waiting(label);
    this.display(() => {
      if (warning) this.set('red', 'ring', warning);
      else this.set('blue', 'dot', `${label} ${percent} %`);
    });
  }

  /** What is to be done, and how long the wait for it still lasts: "join ITEAD-… 2:40". */
  private countDown(label: string, endsAt: Date): void {
    this.display(() => this.set('yellow', 'ring', `${label} ${timeUntil(endsAt)}`.trim()));
    this.countdown = setInterval(() => this.show(), STEP_MS).unref();
  }

  /** @param label what to say instead of "done" */
  done(label?: string): void {
    this.display(() => this.set('green', 'dot', label ?? this.translate('status.done', 'done')));
  }

  /** For something outside. */
  waiting(label: string): void {
    this.display(() => this.set('yellow', 'ring', label));
  }

  /** At work on something that has no percent. */
  busy(label: string): void {
    this.display(() => this.set('blue', 'dot', label));
  }

  /** Waiting for a person to continue. */
  held(label: string): void {
    this.display(() => this.set('yellow', 'ring', label));
  }

  /** At an end, not all of it good. */
  endedBadly(label: string): void {
    this.display(() => this.set('red', 'ring', label));
  }

  /** Nothing is certain to fail, but something may. */
  warned(code: ErrorCode): void {
    this.display(() => this.set('yellow', 'ring', code));
  }

  /** At an end that is good, though something may not be. @param code of a finding */
  doubtful(code: string): void {
    this.display(() => this.set('yellow', 'dot', code));
  }

  failed(code: ErrorCode): void {
    this.display(() => this.set('red', 'ring', code));
  }

  /** How many messages wait behind the running one. */
  queue(count: number): void {
    if (count === this.queued) return;
    this.queued = count;
    this.show();
  }

  private display(show: () => void): void {
    clearInterval(this.countdown);
    this.show = show;
    show();
  }

  private set(fill: 'red' | 'green' | 'yellow' | 'blue' | 'grey', shape: 'ring' | 'dot', text: string): void {
    const full = this.queued > 0 ? `${text} (+${this.queued})` : text;
    // Each status goes to every open editor and every Status node: the same one twice says nothing.
    const key = `${fill} ${shape} ${full}`;
    if (key === this.shown) return;
    this.shown = key;
    this.node.status({ fill, shape, text: full });
  }
}

/** In minutes and seconds, in whole steps; empty once it is over. */
function timeUntil(end: Date): string {
  const seconds = Math.ceil((end.getTime() - Date.now()) / STEP_MS) * (STEP_MS / 1000);
  return seconds <= 0 ? '' : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
