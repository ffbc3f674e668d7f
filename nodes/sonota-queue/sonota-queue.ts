import type { Node, NodeAPI } from 'node-red';
import { ASKED_AT_ONCE } from '../../lib/flash/queue/asked-at-once';
import type { Message } from '../../lib/flash/job/pending-message';
import type { FlashQueue, QueueOutlet } from '../../lib/flash/queue/flash-queue';
import { whenFlowsRun } from '../shared/deploys';
import { homeWifi, type HostNode } from '../shared/hosts';
import type { MessageValues } from '../shared/messages';
import { Throttle } from '../../lib/timing/throttle';
import { isWired, type WiredNodeDef } from '../shared/node-wiring';
import { TaskNode } from '../shared/task-node';
import { translateQueue } from '../shared/translate';
import { Values } from '../shared/values';
import { showQueue } from './queue-status';
import { wording } from '../../lib/wordings/wording';

/** A person or two can look after so many devices between their first and their last stage. */
const AT_ONCE = 3;
const ATTEMPTS = 2;

export default function register(RED: NodeAPI): void {
  function SonotaQueue(this: Node, config: WiredNodeDef): void {
    RED.nodes.createNode(this, config);
    const form = Values.ofForm(config);
    const limits = (): { atOnce: number; attempts: number } => ({
      atOnce: form.count('atOnce') ?? AT_ONCE,
      attempts: form.count('attempts') ?? ATTEMPTS,
    });

    const tasks = new TaskNode(RED, this, config, {
      // "All" means the devices that have connected, and one that connects needs no set-up.
      awaitsDevices: () => true,
      run: ({ said }) => {
        const { host } = tasks;
        limits();
        if (!command(host.flashHost.queue, said)) addAll(host, this.id, said);
        return Promise.resolve(undefined);
      },
      closed: (removed) => {
        throttle.stop();
        queue?.off('changed', throttle.call);
        queue?.detach(this.id, removed);
      },
    });
    const queue = tasks.hostNode?.flashHost.queue;

    let reported = '';
    const report = (): void => {
      const snapshot = queue?.snapshot();
      const text = JSON.stringify(snapshot);
      if (!snapshot || text === reported) return;
      reported = text;
      showQueue(tasks.status, snapshot, tasks.translate);
      this.send([null, null, { topic: 'queue', payload: translateQueue(RED, snapshot) }]);
    };
    const throttle = new Throttle(report);

    const start: QueueOutlet['start'] = (message, where) => {
      const output = where === 'beginning' ? 0 : 1;
      if (!isWired(this, output)) return false;
      const messages: (Message | null)[] = [null, null, null];
      // For a node that has all stages; for the single nodes the output alone decides.
      const stage = where === 'beginning' ? {} : { stage: where };
      messages[output] = Object.assign(RED.util.cloneMessage(message), stage);
      this.send(messages);
      return true;
    };
    tasks.start(() => {
      const { flashHost } = tasks.host;
      const outlet = { ...limits(), start };
      flashHost.queue.on('changed', throttle.call);
      whenFlowsRun(RED, this, () => flashHost.queue.attach(this.id, outlet));
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
    throw said.invalid(isForAll ? 'all' : 'count', wording('value-only-one'));
  }
  if (isForAll) return host.flashHost.devices.connected();
  if (count !== undefined && count > ASKED_AT_ONCE)
    throw said.invalid('count', wording('value-at-most', { limit: ASKED_AT_ONCE }));
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
