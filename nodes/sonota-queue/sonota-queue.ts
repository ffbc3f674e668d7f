import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, type FlashError } from '../../lib/errors';
import { ASKED_AT_ONCE } from '../../lib/flash/queue/asked-at-once';
import type { Message } from '../../lib/flash/job/ticket';
import type { FlashQueue, QueueOutlet } from '../../lib/flash/queue/flash-queue';
import { whenFlowsRun } from '../shared/deploys';
import { homeWifi, hostNodeOf, hosts, requireHost, type HostNode } from '../shared/hosts';
import { MessageValues } from '../shared/messages';
import { NodeStatus } from '../shared/status';
import { Throttle } from '../../lib/flash/waiting/throttle';
import { translateError, translator } from '../shared/translate';
import { Values } from '../shared/values';
import { showQueue } from './queue-status';

interface QueueDef extends NodeDef {
  host: string;
}

/** A person or two can look after so many devices between their first and their last stage. */
const AT_ONCE = 3;
const ATTEMPTS = 2;

export default function register(RED: NodeAPI): void {
  function SonotaQueue(this: Node, config: QueueDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = hostNodeOf(RED, config);
    const form = Values.ofForm(config);
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

    const limits = (): { atOnce: number; attempts: number } => ({
      atOnce: form.count('atOnce') ?? AT_ONCE,
      attempts: form.count('attempts') ?? ATTEMPTS,
    });
    const showProblem = (thrown: unknown): FlashError => {
      const error = asFlashError(thrown);
      status.failed(error.code);
      return translateError(RED, error);
    };

    const attach = (to: FlashQueue): void => {
      const outlet: QueueOutlet = {
        ...limits(),
        start: (message, where) => {
          const output = where === 'beginning' ? 0 : 1;
          if ((config as { wires?: string[][] }).wires?.[output]?.length === 0) return false;
          const messages: (Message | null)[] = [null, null, null];
          messages[output] = RED.util.cloneMessage(message);
          this.send(messages);
          return true;
        },
      };
      queue?.on('changed', throttle.call);
      whenFlowsRun(RED, this, () => to.attach(this.id, outlet));
    };

    // "All" means the devices that have dialled in, and one that dials in needs no set-up.
    if (hostNode) hosts.addUser(config.host, this.id, { awaitsDevices: true });
    try {
      attach(requireHost(hostNode).flashHost.queue);
    } catch (thrown) {
      showProblem(thrown);
    }

    this.on('input', (message: Message, _send, done) => {
      const said = new MessageValues(message);
      try {
        const host = requireHost(hostNode);
        limits();
        said.adoptEvent();
        if (!command(host.flashHost.queue, said)) addAll(host, this.id, said);
        done();
      } catch (thrown) {
        done(showProblem(thrown));
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

const COMMANDS = ['pause', 'resume', 'skip', 'retry', 'forget'] as const;

/** Carries out what a message asks of the queue itself. @returns false where it asks for a flash */
function command(queue: FlashQueue, said: MessageValues): boolean {
  const which = said.text('entry') ?? said.deviceId();
  if (said.flag('cancel')) {
    const meant = which === undefined ? queue.snapshot().entries.map(({ id }) => id) : [which];
    for (const one of meant) queue.skip(one);
    return true;
  }
  switch (said.choice('queue', COMMANDS)) {
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
    case undefined:
      return false;
  }
}

/**
 * Which devices a message means; undefined stands for the next one that shows its access point. A message that names
 * neither a device nor a number means one.
 *
 * @throws FlashError `value-invalid`
 */
function devicesMeant(host: HostNode, said: MessageValues): (string | undefined)[] {
  const ids = said.deviceIds() ?? [said.deviceId()].filter((id) => id !== undefined);
  const count = said.count('count');
  const isForAll = said.flag('all');
  if ([ids.length > 0, count !== undefined, isForAll].filter(Boolean).length > 1) {
    throw said.invalid(isForAll ? 'all' : 'count', 'only one of deviceid, deviceids, count and all can be given');
  }
  if (isForAll) return host.flashHost.devices.connected();
  if (count !== undefined && count > ASKED_AT_ONCE) throw said.invalid('count', `at most ${ASKED_AT_ONCE} is expected`);
  return ids.length > 0 ? ids : Array<undefined>(count ?? 1).fill(undefined);
}

/** One flash for each device that the message means. */
function addAll(host: HostNode, nodeId: string, said: MessageValues): void {
  // A Wi-Fi that no device can use is refused now, not when its turn has come.
  homeWifi(host, said);
  const password = said.password();
  for (const deviceid of devicesMeant(host, said)) {
    const message: Message = { ...said.message, ...(deviceid === undefined ? {} : { deviceid }) };
    for (const key of ['deviceids', 'count', 'all']) delete message[key];
    host.flashHost.queue.add(message, { nodeId, password });
  }
}
