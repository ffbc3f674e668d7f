import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/ticket';
import { whenFlowsRun } from './deploys';
import { hostNodeOf, hosts, requireHost, type HostNode } from './hosts';
import { MessageValues } from './messages';
import { NodeStatus } from './status';
import { translateError, translator, type Translate } from './translate';

type Send = (messages: Message | (Message | null)[]) => void;
type Done = (error?: Error) => void;

/** What a node does for one message. */
export interface Task {
  readonly said: MessageValues;
  readonly send: Send;
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

export interface TaskNodeOptions {
  /** One message after another, in their order; else each at once. */
  readonly oneAtATime: boolean;
  /**
   * What `msg.cancel` ends: what is at work, or also what waits for its turn; of `msg.deviceid` where that is given.
   * Without it a message that says so is one like any other.
   */
  readonly cancels?: 'running' | 'all';
  /** Throws a FlashError where the form cannot do; the node shows it when it is deployed. */
  check?(host: HostNode): void;
  /** Throws a FlashError for a message that cannot do, before it waits for its turn. */
  refuse?(host: HostNode, said: MessageValues): void;
  /** Resolves with what goes out at the end, the status being set; rejects with a FlashError. */
  run(host: HostNode, task: Task): Promise<Message | (Message | null)[]>;
  readonly store?: (host: HostNode) => TaskStore;
}

interface Taken extends Omit<Task, 'signal'> {
  readonly id: string;
  readonly done: Done;
  readonly controller: AbortController;
  /** It has its turn. */
  isRunning: boolean;
  /** Its work has begun, one turn of the event loop later. */
  hasBegun: boolean;
}

/** A config with a host. */
export interface TaskNodeDef extends NodeDef {
  host: string;
}

/**
 * Wires a node that does one task for each message and belongs to no stage of a flash: input, cancel, queue, status,
 * errors in the language of Node-RED, users of the host, close. Nothing here can throw into Node-RED.
 */
export class TaskNode {
  readonly status: NodeStatus;
  readonly translate: Translate;
  readonly hostNode: HostNode | undefined;
  /** In the order in which they came. */
  private readonly tasks: Taken[] = [];
  private isClosed = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly config: TaskNodeDef,
    private readonly options: TaskNodeOptions,
  ) {
    this.translate = translator(RED, config.type);
    this.status = new NodeStatus(node, this.translate);
    this.hostNode = hostNodeOf(RED, config);
    if (this.hostNode) hosts.addUser(config.host, node.id);
    try {
      options.check?.(requireHost(this.hostNode));
    } catch (thrown) {
      this.problem(thrown);
    }
    if (options.store) whenFlowsRun(RED, node, () => this.resume());
    node.on('input', (message, send, done) => this.take(message, send, done));
    node.on('close', (removed: boolean, done: () => void) => {
      this.close(removed).then(done, done);
    });
  }

  /** Shows what went wrong; @returns it in the language of Node-RED */
  problem(thrown: unknown): FlashError {
    const error = asFlashError(thrown);
    this.status.failed(error.code);
    return translateError(this.RED, error);
  }

  private take(message: Message, send: Send, done: Done): void {
    const said = new MessageValues(message);
    try {
      said.adoptEvent();
      if (this.options.cancels && said.flag('cancel')) {
        this.cancel(said.deviceId());
        return done();
      }
      const host = requireHost(this.hostNode);
      this.options.refuse?.(host, said);
      const id = randomUUID();
      this.options.store?.(host).began(this.node.id, { id, message, password: said.password() });
      this.add({ id, said, send, done, isResumed: false });
    } catch (thrown) {
      done(this.problem(thrown));
    }
  }

  /** Continues with the messages that this node held when it was deployed anew, or when Node-RED ended. */
  private resume(): void {
    const { hostNode, node } = this;
    const left = (hostNode && this.options.store?.(hostNode).left(node.id)) ?? [];
    for (const { id, message, password } of left) {
      if (this.tasks.some((taken) => taken.id === id)) continue;
      const said = new MessageValues(message, password);
      const done: Done = (error) => error && node.error(error, message);
      this.add({ id, said, send: (messages) => node.send(messages), done, isResumed: true });
    }
  }

  private add(how: Omit<Taken, 'controller' | 'isRunning' | 'hasBegun'>): void {
    this.tasks.push({ ...how, controller: new AbortController(), isRunning: false, hasBegun: false });
    this.runNext();
  }

  private runNext(): void {
    const isBusy = (): boolean => this.options.oneAtATime && this.tasks.some(({ isRunning }) => isRunning);
    for (const taken of [...this.tasks]) if (!taken.isRunning && !isBusy()) this.start(taken);
    this.status.queue(this.tasks.filter(({ isRunning }) => !isRunning).length);
  }

  private start(taken: Taken): void {
    const { said, send, isResumed, controller } = taken;
    taken.isRunning = true;
    Promise.resolve()
      .then(() => {
        taken.hasBegun = true;
        return this.options.run(requireHost(this.hostNode), { said, send, isResumed, signal: controller.signal });
      })
      .then((messages) => {
        this.forget(taken);
        send(messages);
        taken.done();
      })
      .catch((thrown: unknown) => {
        // What a deploy cuts short has nothing to say: the next instance starts it again.
        if (this.isClosed) return taken.done();
        this.forget(taken);
        taken.done(this.problem(thrown));
      })
      .finally(() => {
        this.tasks.splice(this.tasks.indexOf(taken), 1);
        if (!this.isClosed) this.runNext();
      });
  }

  private cancel(deviceid: string | undefined): void {
    const error = new FlashError('cancelled');
    const isMeant = ({ said, hasBegun }: Taken): boolean =>
      (deviceid === undefined || said.deviceId() === deviceid) && (this.options.cancels === 'all' || hasBegun);
    for (const taken of this.tasks.filter(isMeant)) {
      taken.controller.abort(error);
      if (taken.isRunning) continue;
      this.tasks.splice(this.tasks.indexOf(taken), 1);
      this.forget(taken);
      taken.done(translateError(this.RED, error));
    }
    this.runNext();
  }

  private forget({ id }: Taken): void {
    if (this.hostNode) this.options.store?.(this.hostNode).ended(this.node.id, id);
  }

  private async close(removed: boolean): Promise<void> {
    const { hostNode, node, config } = this;
    this.isClosed = true;
    for (const taken of this.tasks) {
      taken.controller.abort(new FlashError('cancelled'));
      if (!taken.isRunning) taken.done();
    }
    if (!hostNode) return;
    if (removed) this.options.store?.(hostNode).forget(node.id);
    await hosts.removeUser(config.host, node.id, removed);
  }
}
