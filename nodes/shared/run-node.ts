import { asFlashError, type FlashError } from '../../lib/errors';
import type { PendingMessage } from '../../lib/flash/job/pending-message';
import type { Outlet } from '../../lib/flash/run/outlets';
import type { Report } from '../../lib/flash/run/report';
import { TaskRuns } from '../../lib/flash/run/task-runs';
import type { LeftMessage } from '../../lib/flash/stored/pending-messages';
import { whenFlowsRun } from './deploys';
import { hosts } from './hosts';
import { MessageValues } from './messages';
import { isWired, NodeWiring, type Held, type Outgoing } from './node-wiring';
import { progressMessage, type ProgressOf } from './stage-messages';
import { Labels, translateError, translateReport } from './translate';

/** The output of progress. */
const PROGRESS = 1;

/** A node that has its messages run: in the runs of its host, or in runs of its own where it has none. */
export class RunNode extends NodeWiring {
  protected readonly runs = this.hostNode?.flashHost.runs ?? new TaskRuns();
  private readonly labels = new Labels(this.RED);
  /** By the ids of their pending messages; those of an earlier instance are held when there is news of them. */
  private readonly taken = new Map<string, Held>();

  /**
   * Receives the runs' events once the flows run, and restarts what was left there.
   * @param resume throws a FlashError where it cannot
   */
  protected join(outlet: Pick<Outlet, 'progress' | 'result'>, resume: (left: LeftMessage) => void): void {
    const failure = this.guarded((error: FlashError, pending: PendingMessage) => this.fail(error, pending));
    const begin = (): void => {
      for (const left of this.runs.pending.claim(this.node.id)) {
        try {
          resume(left);
        } catch (thrown) {
          this.runs.pending.forget(left.pending.id);
          failure(asFlashError(thrown), left.pending);
        }
      }
    };
    whenFlowsRun(this.RED, this.node, () => {
      this.runs.attach(this.node.id, {
        progress: this.guarded((...news) => outlet.progress(...news)),
        result: this.guarded((...news) => outlet.result(...news)),
        failure,
        queued: this.guarded((count) => this.status.queue(count)),
        left: begin,
      });
      begin();
      if (!this.hostNode) hosts.takeOfRemoved(this.node.id, this.runs);
    });
  }

  /** The instance goes; with `removed` the node itself. */
  protected leave(removed: boolean): void {
    this.runs.detach(this.node.id, removed);
    this.taken.clear();
  }

  /** The message that came in is pending now. */
  protected keep({ id }: PendingMessage, held: Held): void {
    this.taken.set(id, held);
  }

  /** Hands the held message on to the pending message that follows. */
  protected handOn(from: PendingMessage, to: PendingMessage): void {
    const held = this.taken.get(from.id);
    this.taken.delete(from.id);
    if (held) this.keep(to, held);
  }

  protected heldFor(pending: PendingMessage): Held {
    const held = this.taken.get(pending.id) ?? this.adopt(new MessageValues(pending.message));
    this.keep(pending, held);
    return held;
  }

  /** @param about asked where a message of it goes out */
  protected showProgress(untranslated: Report, about: () => ProgressOf, pending: PendingMessage): void {
    if (!isWired(this.node, PROGRESS)) {
      return this.status.running({ ...untranslated, label: this.labels.of(untranslated) });
    }
    const report = translateReport(this.RED, untranslated);
    this.status.running(report);
    this.heldFor(pending).send([null, progressMessage(report, about(), pending)]);
  }

  /** The end of a message, with what goes out. */
  protected through(pending: PendingMessage, messages?: Outgoing): void {
    const held = this.heldFor(pending);
    this.taken.delete(pending.id);
    try {
      if (messages) held.send(messages);
    } finally {
      held.end();
    }
  }

  protected fail(error: FlashError, pending: PendingMessage): void {
    const held = this.heldFor(pending);
    this.taken.delete(pending.id);
    // The status is that of what is still at work, of which a cancel says nothing.
    const isOfOthers = error.code === 'cancelled' && this.runs.isAtWork(this.node.id);
    held.end(isOfOthers ? translateError(this.RED, error) : this.problem(error));
  }

  /** An exception in a node behind our wires must not end the run, least of all a stage on which a device depends. */
  private guarded<A extends unknown[]>(tell: (...news: A) => void): (...news: A) => void {
    return (...news) => {
      try {
        tell(...news);
      } catch (error) {
        this.node.error(error);
      }
    };
  }
}
