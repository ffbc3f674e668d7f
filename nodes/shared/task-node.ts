import { randomUUID } from 'node:crypto';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/pending-message';
import { whenFlowsRun } from './deploys';
import { hostNodeOf, hosts, requireHost, type HostNode } from './hosts';
import { MessageValues } from './messages';
import { NodeStatus } from './status';
import { translateError, translator, type Translate } from './translate';

/** What goes out: a message by output 1, or one for each output. */
type Outgoing = Message | (Message | null)[];
type Send = (messages: Outgoing) => void;
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
  /** One message after another, in their order; else each immediately. */
  readonly oneAtATime?: boolean;
  /**
   * What `msg.cancel` ends: what is at work, or also what waits for its turn; of `msg.deviceid` where that is given.
   * Without it a message that says so is one like any other.
   */
  readonly cancels?: 'running' | 'all';
  /** Whether it waits for devices that connect by themselves: its host then listens for as long as it is deployed. */
  readonly awaitsDevices?: boolean;
  /** Throws a FlashError for a message that cannot do, before it waits for its turn. */
  refuse?(said: MessageValues): void;
  /** Resolves with what goes out at the end, if anything, the status being set; rejects with a FlashError. */
  run(task: Task): Promise<Outgoing | undefined>;
  readonly store?: (host: HostNode) => TaskStore;
  /** The instance goes; with `removed` the node itself. */
  closed?(removed: boolean): void | Promise<void>;
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

/** A config, with a host where the node has one. */
export interface TaskNodeDef extends NodeDef {
  host?: string;
}

/**
 * Wires a node that does one task for each message: input, cancel, queue, status, errors in the language of Node-RED,
 * users of the host, close. Nothing here can throw into Node-RED.
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
    config: TaskNodeDef,
    private readonly options: TaskNodeOptions,
  ) {
    this.translate = translator(RED, config.type);
    this.status = new NodeStatus(node, this.translate);
    this.hostNode = hostNodeOf(RED, config);
    const { awaitsDevices = false } = options;
    if (this.hostNode) hosts.addUser(this.hostNode.id, node.id, { awaitsDevices });
    if (options.store) whenFlowsRun(RED, node, () => this.resume());
    node.on('input', (message, send, done) => this.take(message, send, done));
    node.on('close', (removed: boolean, done: () => void) => {
      this.close(removed).then(done, done);
    });
  }

  /** @throws FlashError `host-missing`, or what in the host's form cannot be read */
  get host(): HostNode {
    return requireHost(this.hostNode);
  }

  /** Does what there is to do when the node is deployed; what goes wrong with it is shown. */
  start(action: () => unknown): void {
    try {
      action();
    } catch (thrown) {
      this.problem(thrown);
    }
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
      this.options.refuse?.(said);
      const id = randomUUID();
      this.store?.began(this.node.id, { id, message, password: said.password() });
      this.add({ id, said, send, done, isResumed: false });
    } catch (thrown) {
      done(this.problem(thrown));
    }
  }

  /** Continues with the messages that this node held when it was deployed again, or when Node-RED ended. */
  private resume(): void {
    const { node } = this;
    for (const { id, message, password } of this.store?.left(node.id) ?? []) {
      if (this.tasks.some((taken) => taken.id === id)) continue;
      const said = new MessageValues(message, password);
      const done: Done = (error) => error && node.error(error, message);
      this.add({ id, said, send: (messages) => node.send(messages), done, isResumed: true });
    }
  }

  private add({ done, ...how }: Omit<Taken, 'controller' | 'isRunning' | 'hasBegun'>): void {
    const controller = new AbortController();
    this.tasks.push({ ...how, done: once(done), controller, isRunning: false, hasBegun: false });
    this.runNext();
  }

  private runNext(): void {
    const isBusy = (): boolean => Boolean(this.options.oneAtATime) && this.tasks.some(({ isRunning }) => isRunning);
    for (const taken of [...this.tasks]) if (!taken.isRunning && !isBusy()) this.begin(taken);
    this.status.queue(this.tasks.filter(({ isRunning }) => !isRunning).length);
  }

  private begin(taken: Taken): void {
    const { said, send, isResumed, controller } = taken;
    taken.isRunning = true;
    Promise.resolve()
      .then(() => {
        taken.hasBegun = true;
        return this.options.run({ said, send, isResumed, signal: controller.signal });
      })
      .then((messages) => {
        this.forget(taken);
        if (messages) send(messages);
        taken.done();
      })
      .catch((thrown: unknown) => {
        // What a deploy cuts short has nothing to report: the next instance starts it again.
        if (this.isClosed) return;
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
    this.store?.ended(this.node.id, id);
  }

  private get store(): TaskStore | undefined {
    return this.hostNode && this.options.store?.(this.hostNode);
  }

  /** Lets its messages go without an error. */
  private async close(removed: boolean): Promise<void> {
    const { hostNode, node } = this;
    this.isClosed = true;
    for (const { controller, done } of this.tasks) {
      controller.abort(new FlashError('cancelled'));
      done();
    }
    if (removed) this.store?.forget(node.id);
    await this.options.closed?.(removed);
    if (hostNode) await hosts.removeUser(hostNode.id, node.id, removed);
  }
}

/** Node-RED counts a message that is completed twice as two. */
function once(done: Done): Done {
  let isDone = false;
  return (error) => {
    if (isDone) return;
    isDone = true;
    done(error);
  };
}
