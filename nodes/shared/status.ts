import type { Node } from 'node-red';
import type { ErrorCode } from '../../lib/errors';
import type { Report } from '../../lib/flash/run/report';
import type { Translate } from './translate';

/** What stands under a node; the colours and shapes are Node-RED's own language (docs/dev/design.md#5). */
export class NodeStatus {
  private queued = 0;
  private shown = '';
  private show: () => void;

  constructor(
    private readonly node: Node,
    private readonly translate: Translate,
  ) {
    this.show = () => undefined;
    this.idle();
  }

  idle(): void {
    this.display(() => this.set('grey', 'ring', this.translate('status.idle', 'idle')));
  }

  running(report: Pick<Report, 'state' | 'label' | 'percent' | 'warning'>): void {
    const { state, label, percent, warning } = report;
    this.display(() => {
      if (warning) this.set('red', 'ring', warning);
      else if (state === 'waiting') this.set('yellow', 'ring', label);
      else this.set('blue', 'dot', `${label} ${percent} %`);
    });
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

  /** Waiting for a person to go on. */
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
