import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { FlashError } from '../../lib/errors';
import { ENTITY_NAMES, type EntityNames } from '../../lib/home-assistant';
import { whenFlowsRun } from '../shared/deploys';
import { hosts, type HostNode } from '../shared/hosts';
import { ownFolder } from '../shared/library';
import { textOr } from '../shared/properties';
import { NodeStatus } from '../shared/status';
import { translator, type Translate } from '../shared/translate';
import { DeviceMemory } from './device-memory';
import { FirmwareList } from './firmware-list';
import { HomeAssistantLink, type LinkOutlet } from './link';

interface HomeAssistantDef extends NodeDef {
  host: string;
  firmware: string;
  prefix: string;
  topic: string;
}

export default function register(RED: NodeAPI): void {
  function SonotaHomeAssistant(this: Node, config: HomeAssistantDef): void {
    RED.nodes.createNode(this, config);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = (RED.nodes.getNode(config.host) as HostNode | null) ?? undefined;
    let link: HomeAssistantLink | undefined;

    if (!hostNode) status.failed('host-missing');
    else {
      const host = hostNode.flashHost;
      hosts.addUser(config.host, this.id);
      whenFlowsRun(RED, this, () => {
        const folder = ownFolder(RED);
        const names = namesIn(translate);
        const memory = new DeviceMemory(
          folder === undefined ? undefined : join(folder, 'home-assistant'),
          `${this.id.replace(/[^\w-]/g, '_')}.json`,
          (text) => this.warn(text),
        );
        link = new HomeAssistantLink(
          {
            host,
            memory,
            firmware: new FirmwareList(RED, () => memory.chosen, {
              defaultId: config.firmware,
              unknownName: names.newFirmware,
            }),
            topics: { prefix: textOr(config.prefix, 'homeassistant'), base: textOr(config.topic, 'sonota') },
            names,
            version: ownVersion(),
          },
          outletOf(this, status, translate),
        );
        link.start();
      });
    }

    this.on('input', (message, _send, done) => {
      if (!hostNode) return done(new FlashError('host-missing'));
      link?.take(message);
      done();
    });
    this.on('close', (removed: boolean, done: () => void) => {
      const stopped = Promise.resolve(link?.stop(removed));
      if (!hostNode) return done();
      stopped.then(() => hosts.removeUser(config.host, this.id, removed)).then(done, done);
    });
  }

  RED.nodes.registerType('sonota-home-assistant', SonotaHomeAssistant);
}

function outletOf(node: Node, status: NodeStatus, translate: Translate): LinkOutlet {
  return {
    publish: (message) => send(node, [{ ...message }, null]),
    flash: (request) => send(node, [null, { ...request, payload: request.deviceid ?? '' }]),
    contact: (isReached, count) => {
      if (isReached) status.done(translate('status.devices', `${count} devices`, { count }));
      else status.waiting(translate('status.waiting', 'waiting for MQTT'));
    },
  };
}

/** What a node behind our wires throws at once must not end what called us. */
function send(node: Node, messages: (NodeMessage | null)[]): void {
  try {
    node.send(messages);
  } catch (error) {
    node.error(error);
  }
}

function namesIn(translate: Translate): EntityNames {
  return Object.fromEntries(ENTITY_NAMES.map((name) => [name, translate(`entity.${name}`, name)])) as EntityNames;
}

function ownVersion(): string {
  const path = join(__dirname, '..', '..', '..', 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
