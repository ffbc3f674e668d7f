import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, type FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/pending-message';
import { hostNodeOf, hosts, requireHost, type HostNode } from './hosts';
import { MessageValues } from './messages';
import { NodeStatus } from './status';
import { translateError, translator, type Translate } from './translate';

/** An outgoing message: by output 1, or one for each output. */
export type Outgoing = Message | (Message | null)[];

/** A message that a node took, until the node is through with it. */
export interface Held {
  readonly said: MessageValues;
  readonly send: (messages: Outgoing) => void;
  /** Through with it, well or with an error in the language of Node-RED; all but the first call do nothing. */
  end(error?: FlashError): void;
}

/** The node's handling of its input. */
export interface Wired {
  /** Takes a message, and ends it some time. What it throws is shown, and ends the message. */
  take(held: Held): void;
  /** Ends what `msg.cancel` means. Without it such a message is one like any other. */
  cancel?(said: MessageValues): void;
  /** A message that could not be taken, or had nothing to cancel; the user has seen the error. */
  refused?(message: Message, error: FlashError): void;
  /** Whether it waits for devices that connect unasked: its host then listens for as long as it is deployed. */
  awaitsDevices?(host: HostNode): boolean;
  /** The instance goes; with `removed` the node itself. The messages that it holds are then let go without an error. */
  closed?(removed: boolean): void | Promise<void>;
}

/** A config, with a host where the node has one. */
export interface WiredNodeDef extends NodeDef {
  host?: string;
}

/** Whether anything is wired to an output now. A deploy may change the wires of a node and keep the instance. */
export function isWired(node: Node<object>, output: number): boolean {
  const { wires = [] } = node as Node<object> & { readonly wires?: readonly (readonly string[])[] };
  return (wires[output] ?? []).length > 0;
}

/**
 * Wires a node: input, cancel, status, errors in the language of Node-RED, use of the host, close. Nothing here can
 * throw into Node-RED.
 */
export class NodeWiring {
  readonly status: NodeStatus;
  readonly translate: Translate;
  readonly hostNode: HostNode | undefined;
  private readonly held = new Set<Held>();

  constructor(
    protected readonly RED: NodeAPI,
    protected readonly node: Node<object>,
    config: WiredNodeDef,
  ) {
    this.translate = translator(RED, config.type);
    this.status = new NodeStatus(node, this.translate);
    this.hostNode = hostNodeOf(RED, config);
  }

  /** @throws FlashError `host-missing`, or what in the host's form cannot be read */
  get host(): HostNode {
    return requireHost(this.hostNode);
  }

  /** Whether a message of this instance is not through. */
  get holdsMessages(): boolean {
    return this.held.size > 0;
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

  /** Holds a message that an earlier instance of the node took. */
  adopt(said: MessageValues): Held {
    const { node } = this;
    return this.hold(
      said,
      (messages) => node.send(messages),
      (error) => error && node.error(error, said.message),
    );
  }

  /** Starts to take messages, and to use the host. */
  protected serve(wired: Wired): void {
    const { hostNode, node } = this;
    if (hostNode) {
      hosts.addUser(hostNode.id, node.id, { awaitsDevices: wired.awaitsDevices?.(hostNode) ?? false });
    }
    const take = (held: Held): void => {
      const { said } = held;
      try {
        said.adoptEvent();
        if (!wired.cancel || !said.flag('cancel')) return wired.take(held);
        wired.cancel(said);
        held.end();
      } catch (thrown) {
        const error = this.problem(thrown);
        wired.refused?.(said.message, asFlashError(thrown));
        held.end(error);
      }
    };
    node.on('input', (message, send, done) => take(this.hold(new MessageValues(message), send, done)));
    const close = async (removed: boolean): Promise<void> => {
      for (const held of this.held) held.end();
      await wired.closed?.(removed);
      if (hostNode) await hosts.removeUser(hostNode.id, node.id, removed);
    };
    node.on('close', (removed: boolean, done: () => void) => {
      close(removed).then(done, done);
    });
  }

  private hold(said: MessageValues, send: Held['send'], done: (error?: Error) => void): Held {
    const held: Held = {
      said,
      send,
      end: (error) => {
        if (this.held.delete(held)) done(error);
      },
    };
    this.held.add(held);
    return held;
  }
}
