import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, FlashError } from '../../lib/errors';
import type { Message } from '../../lib/flash/job/ticket';
import type { FlashQueue } from '../../lib/flash/queue/flash-queue';
import { whenFlowsRun } from '../shared/deploys';
import { hosts, type HostNode } from '../shared/hosts';
import { adoptEvent, deviceOf, takePassword } from '../shared/messages';
import { numberOr, textOrNone } from '../shared/properties';
import { NodeStatus } from '../shared/status';
import { Throttle } from '../shared/throttle';
import { translateError, translator } from '../shared/translate';
import { showQueue } from './queue-status';

interface QueueDef extends NodeDef {
  host: string;
  atOnce: number | string;
  attempts: number | string;
}

/** A person or two can look after so many devices between their first and their last stage. */
const AT_ONCE = 3;
const ATTEMPTS = 2;

export default function register(RED: NodeAPI): void {
  function SonotaQueue(this: Node, config: QueueDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = (RED.nodes.getNode(config.host) as HostNode | null) ?? undefined;
    const queue = hostNode?.flashHost.queue;

    let told = '';
    const tell = (): void => {
      const snapshot = queue?.snapshot();
      const text = JSON.stringify(snapshot);
      if (!snapshot || text === told) return;
      told = text;
      showQueue(status, snapshot, translate);
      this.send([null, null, { topic: 'queue', payload: snapshot }]);
    };
    const throttle = new Throttle(tell);

    if (hostNode && queue) {
      hosts.addUser(config.host, this.id);
      queue.on('changed', throttle.call);
      whenFlowsRun(RED, this, () => {
        queue.attach(this.id, {
          atOnce: Math.max(1, Math.floor(numberOr(config.atOnce, AT_ONCE))),
          attempts: Math.max(1, Math.floor(numberOr(config.attempts, ATTEMPTS))),
          start: (message, where) => {
            const output = where === 'finalstage' ? 1 : 0;
            if ((config as { wires?: string[][] }).wires?.[output]?.length === 0) return false;
            const messages: (Message | null)[] = [null, null, null];
            messages[output] = RED.util.cloneMessage(message);
            this.send(messages);
            return true;
          },
        });
      });
    } else {
      status.failed('host-missing');
    }

    this.on('input', (message: Message, _send, done) => {
      try {
        adoptEvent(message);
        const password = takePassword(message);
        if (!queue) throw new FlashError('host-missing');
        if (!command(queue, message)) addAll(queue, this.id, message, password);
        done();
      } catch (thrown) {
        const error = asFlashError(thrown);
        status.failed(error.code);
        done(translateError(RED, error));
      }
    });
    this.on('close', (removed: boolean, done: () => void) => {
      throttle.stop();
      queue?.off('changed', throttle.call);
      queue?.detach(this.id, removed);
      if (!hostNode) return done();
      hosts.removeUser(config.host, this.id, removed).then(done, done);
    });
  }

  RED.nodes.registerType('sonota-queue', SonotaQueue);
}

/** Carries out what a message asks of the queue itself. @returns false where it asks for a flash */
function command(queue: FlashQueue, message: Message): boolean {
  const which = textOrNone(message['entry']) ?? deviceOf(message);
  if (message['cancel'] === true) {
    const meant = which === undefined ? queue.snapshot().entries.map(({ id }) => id) : [which];
    for (const one of meant) queue.skip(one);
    return true;
  }
  switch (message['queue']) {
    case 'pause':
      queue.pause();
      return true;
    case 'resume':
      queue.resume();
      return true;
    case 'skip':
      queue.skip(which);
      return true;
    case 'retry':
      queue.retryFailed();
      return true;
    case 'forget':
      queue.forget(which);
      return true;
    default:
      return false;
  }
}

/** One flash a message, or one for each device of `msg.deviceids`. */
function addAll(queue: FlashQueue, nodeId: string, message: Message, password: string | undefined): void {
  const { deviceids, ...rest } = message;
  const meant = Array.isArray(deviceids) ? deviceids.map(String) : [deviceOf(message)];
  for (const deviceid of meant) {
    queue.add(deviceid === undefined ? rest : { ...rest, deviceid }, { nodeId, password });
  }
}
