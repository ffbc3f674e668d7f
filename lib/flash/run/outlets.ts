import type { FlashError } from '../../errors';
import type { JobSnapshot } from '../job/job';
import type { PendingMessage, StageOutcome, TaskOutcome } from '../job/pending-message';
import type { Report } from './report';

/** Where a node's news go: the instance of the node that is deployed now. A node runs either stages or tasks without a job. */
export interface Outlet {
  /** @param snapshot of the job as it is now: long, and asked for at most four times a second for each device */
  progress(report: Report, snapshot: (() => JobSnapshot) | undefined, pending: PendingMessage): void;
  result(outcome: StageOutcome | TaskOutcome, pending: PendingMessage): void;
  failure(error: FlashError, pending: PendingMessage): void;
  /** How many messages of this node wait behind the running one. */
  queued(count: number): void;
  /** Messages have come that it is to begin again. */
  left(): void;
}

type News = (outlet: Outlet) => void;

/** The outlets of nodes. What must arrive waits for the next instance where none is there. */
export class Outlets {
  private readonly attached = new Map<string, Outlet>();
  private readonly undelivered = new Map<string, News[]>();

  /** Connects a node's present instance; hands it what came while no instance was there. */
  attach(nodeId: string, outlet: Outlet): void {
    this.attached.set(nodeId, outlet);
    for (const news of this.undelivered.get(nodeId) ?? []) news(outlet);
    this.undelivered.delete(nodeId);
  }

  /** The instance goes. */
  detach(nodeId: string): void {
    this.attached.delete(nodeId);
  }

  /** The node is no more: nothing waits for it. */
  forget(nodeId: string): void {
    this.undelivered.delete(nodeId);
  }

  /** The node has moved to another host: what waits for it goes there. */
  moveTo(next: Outlets, nodeId: string): void {
    for (const news of this.undelivered.get(nodeId) ?? []) next.deliver(nodeId, news);
    this.forget(nodeId);
  }

  /** Tells the present instance what is of the moment; without one it is lost. */
  tell(nodeId: string, news: News): void {
    const outlet = this.attached.get(nodeId);
    if (outlet) news(outlet);
  }

  /** Tells the present instance, or the next one. */
  deliver(nodeId: string, news: News): void {
    if (this.attached.has(nodeId)) this.tell(nodeId, news);
    else this.undelivered.set(nodeId, [...(this.undelivered.get(nodeId) ?? []), news]);
  }

  /** No node is told any more. */
  close(): void {
    this.attached.clear();
  }
}
