import type { Node, NodeAPI } from 'node-red';
import type { Message, PendingMessage, TaskOutcome } from '../../lib/flash/job/pending-message';
import type { TaskContext, TaskRequest } from '../../lib/flash/run/task';
import { idsInFlows } from './deploys';
import { MessageValues } from './messages';
import type { Wired, WiredNodeDef } from './node-wiring';
import { RunNode } from './run-node';

/** What a node does for one message. */
export interface Task extends TaskContext {
  readonly said: MessageValues;
  /** An earlier instance of the node took the message. */
  readonly isResumed: boolean;
}

export interface TaskNodeOptions extends Pick<Wired, 'awaitsDevices' | 'closed'> {
  /** One message after another, in their order; else each immediately. */
  readonly oneAtATime?: boolean;
  /**
   * Whether `msg.cancel` ends what is at work and what waits for its turn; of `msg.deviceid` where that is given. Without
   * it such a message is one like any other.
   */
  readonly cancels?: boolean;
  /** What a message stays pending for over a deploy and a restart; without it the message ends with the instance. */
  readonly pendingFor?: TaskRequest['stage'];
  /** Throws a FlashError for a message that cannot do, before it waits for its turn. */
  refuse?(said: MessageValues): void;
  /** Resolves with the properties that the message gets before it goes out; with nothing where it does not. */
  run(task: Task): Promise<Message | undefined>;
  /** Shows how it ended well, behind its last report; without it, `run` has. */
  showEnd?(found: Message): void;
}

/** A node that does one task for each message; its tasks end with its instance. */
export class TaskNode extends RunNode {
  constructor(
    RED: NodeAPI,
    node: Node,
    config: WiredNodeDef,
    private readonly options: TaskNodeOptions,
  ) {
    super(RED, node, config);
    const { awaitsDevices, cancels, closed } = options;
    this.serve({
      take: (held) => {
        options.refuse?.(held.said);
        this.keep(this.begin(held.said), held);
      },
      ...(cancels ? { cancel: (said) => this.runs.cancel(node.id, said.deviceId()) } : {}),
      ...(awaitsDevices ? { awaitsDevices } : {}),
      closed: async (removed) => {
        // Node-RED calls a node removed that is disabled, too: what is pending for it waits until it is enabled again.
        const isDisabled = removed && options.pendingFor !== undefined && idsInFlows(RED).has(node.id);
        this.leave(removed && !isDisabled);
        await closed?.(removed);
      },
    });
    this.join(
      {
        progress: (report, _snapshot, pending) => {
          const { said } = this.heldFor(pending);
          this.showProgress(report, () => ({ deviceid: said.deviceId(), sonota: said.raw('sonota') }), pending);
        },
        result: ({ found }: TaskOutcome, pending) => {
          if (found) options.showEnd?.(found);
          this.through(pending, found && Object.assign(pending.message, found));
        },
      },
      ({ pending: { id, message }, password }) => void this.begin(new MessageValues(message, password), id),
    );
  }

  /** @param pendingId of a message that an earlier instance took */
  private begin(said: MessageValues, pendingId?: string): PendingMessage {
    const { node, options } = this;
    const { oneAtATime, pendingFor: stage } = options;
    return this.runs.begin({
      nodeId: node.id,
      stage,
      message: said.message,
      // Most tasks have no use for a device: what is none is no reason to refuse them, nor a cancel of another device.
      get deviceid() {
        return deviceIn(said);
      },
      password: stage && said.password(),
      line: oneAtATime ? node.id : undefined,
      pendingId,
      run: (context) => options.run({ ...context, said, isResumed: pendingId !== undefined }),
    });
  }
}

/** The device that a message names; undefined where it names none, or what is none. */
function deviceIn(said: MessageValues): string | undefined {
  try {
    return said.deviceId();
  } catch {
    return undefined;
  }
}
