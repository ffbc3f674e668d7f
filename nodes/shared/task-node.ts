import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI } from 'node-red';
import { FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/pending-message';
import { whenFlowsRun } from './deploys';
import type { HostNode } from './hosts';
import { MessageValues } from './messages';
import { NodeWiring, type Held, type Outgoing, type Wired, type WiredNodeDef } from './node-wiring';
import { translateError } from './translate';

/** What a node does for one message. */
export interface Task extends Pick<Held, 'said' | 'send'> {
  readonly signal: AbortSignal;
  /** An earlier instance of the node took the message. */
  readonly isResumed: boolean;
}

/** Keeps messages whose task has not ended, for the instance of the node that comes next. */
export interface TaskStore {
  began(nodeId: string, kept: { id: string; message: Message; password: string | undefined }): void;
  ended(nodeId: string, id: string): void;
  left(nodeId: string): readonly { id: string; message: Message; password?: string | undefined }[];
  /** The node is no more. */
  forget(nodeId: string): void;
}

export interface TaskNodeOptions extends Pick<Wired, 'awaitsDevices' | 'closed'> {
  /** One message after another, in their order; else each immediately. */
  readonly oneAtATime?: boolean;
  /**
   * What `msg.cancel` ends: what is at work, or also what waits for its turn; of `msg.deviceid` where that is given.
   * Without it a message that says so is one like any other.
   */
  readonly cancels?: 'running' | 'all';
  /** Throws a FlashError for a message that cannot do, before it waits for its turn. */
  refuse?(said: MessageValues): void;
  /** Resolves with what goes out at the end, if anything, the status being set; rejects with a FlashError. */
  run(task: Task): Promise<Outgoing | undefined>;
  readonly store?: (host: HostNode) => TaskStore;
}

interface Taken {
  readonly id: string;
  readonly held: Held;
  readonly isResumed: boolean;
  readonly controller: AbortController;
  /** It has its turn. */
  isRunning: boolean;
  /** Its work has begun, one turn of the event loop later. */
  hasBegun: boolean;
}

/** A node that does one task for each message; its tasks end with its instance. */
export class TaskNode extends NodeWiring {
  /** In the order in which they came. */
  private readonly tasks: Taken[] = [];
  private isClosed = false;

  constructor(
    RED: NodeAPI,
    node: Node,
    config: WiredNodeDef,
    private readonly options: TaskNodeOptions,
  ) {
    super(RED, node, config);
    const { awaitsDevices, cancels, store } = options;
    this.serve({
      take: (held) => this.take(held),
      ...(cancels ? { cancel: (said) => this.cancel(said.deviceId()) } : {}),
      ...(awaitsDevices ? { awaitsDevices } : {}),
      closed: (removed) => this.close(removed),
    });
    if (store) whenFlowsRun(RED, node, () => this.resume());
  }

  private take(held: Held): void {
    const { said } = held;
    this.options.refuse?.(said);
    const id = randomUUID();
    this.store?.began(this.node.id, { id, message: said.message, password: said.password() });
    this.add(id, held, false);
  }

  /** Continues with the messages that this node held when it was deployed again, or when Node-RED ended. */
  private resume(): void {
    for (const { id, message, password } of this.store?.left(this.node.id) ?? []) {
      if (this.tasks.some((taken) => taken.id === id)) continue;
      this.add(id, this.adopt(new MessageValues(message, password)), true);
    }
  }

  private add(id: string, held: Held, isResumed: boolean): void {
    const controller = new AbortController();
    this.tasks.push({ id, held, isResumed, controller, isRunning: false, hasBegun: false });
    this.runNext();
  }

  private runNext(): void {
    const { oneAtATime = false } = this.options;
    const isBusy = (): boolean => oneAtATime && this.tasks.some(({ isRunning }) => isRunning);
    for (const taken of [...this.tasks]) if (!taken.isRunning && !isBusy()) this.begin(taken);
    this.status.queue(this.tasks.filter(({ isRunning }) => !isRunning).length);
  }

  private begin(taken: Taken): void {
    const { held, isResumed, controller } = taken;
    taken.isRunning = true;
    Promise.resolve()
      .then(() => {
        taken.hasBegun = true;
        return this.options.run({ said: held.said, send: held.send, isResumed, signal: controller.signal });
      })
      .then((messages) => {
        this.forget(taken);
        if (messages) held.send(messages);
        held.end();
      })
      .catch((thrown: unknown) => {
        // What a deploy cuts short has nothing to report: the next instance starts it again.
        if (this.isClosed) return;
        this.forget(taken);
        held.end(this.problem(thrown));
      })
      .finally(() => {
        this.tasks.splice(this.tasks.indexOf(taken), 1);
        if (!this.isClosed) this.runNext();
      });
  }

  private cancel(deviceid: string | undefined): void {
    const error = new FlashError('cancelled');
    const isMeant = ({ held, hasBegun }: Taken): boolean =>
      (deviceid === undefined || held.said.deviceId() === deviceid) && (this.options.cancels === 'all' || hasBegun);
    for (const taken of this.tasks.filter(isMeant)) {
      taken.controller.abort(error);
      if (taken.isRunning) continue;
      this.tasks.splice(this.tasks.indexOf(taken), 1);
      this.forget(taken);
      taken.held.end(translateError(this.RED, error));
    }
    this.runNext();
  }

  private forget({ id }: Taken): void {
    this.store?.ended(this.node.id, id);
  }

  private get store(): TaskStore | undefined {
    return this.hostNode && this.options.store?.(this.hostNode);
  }

  private async close(removed: boolean): Promise<void> {
    this.isClosed = true;
    for (const { controller } of this.tasks) controller.abort(new FlashError('cancelled'));
    if (removed) this.store?.forget(this.node.id);
    await this.options.closed?.(removed);
  }
}
