import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { asFlashError, type FlashError } from '../../lib/errors';
import type { FlashHost } from '../../lib/flash/host/host';
import {
  ENTITY_NAMES,
  STATE_NAMES,
  type EntityNames,
  type SonoffInSight,
  type StateNames,
  type TopicSettings,
} from '../../lib/home-assistant';
import { whenFlowsRun } from '../shared/deploys';
import { hostNodeOf, hosts, requireHost } from '../shared/hosts';
import { ownFolder } from '../shared/library';
import { describeSonoff, type DescribedSonoff } from '../shared/sonoffs';
import { NodeStatus } from '../shared/status';
import {
  translateError,
  translateJob,
  translateReport,
  translateSentences,
  translator,
  type Translate,
} from '../shared/translate';
import { Values } from '../shared/values';
import { ChosenImage } from './chosen-image';
import { DeviceMemory } from './device-memory';
import { FirmwareList } from './firmware-list';
import { definitionsOf } from './definitions';
import type { BrokerState } from './broker-link';
import { HomeAssistantLink, type LinkOutlet } from './link';
import { fileName, folderOf, Publications } from './publications';
import { sweepAfterDeploys } from './sweep';
import { SYSTEM_CLOCK } from './system-clock';
import { readWiring } from './wiring';

interface HomeAssistantDef extends NodeDef {
  host: string;
}

export default function register(RED: NodeAPI): void {
  sweepAfterDeploys(RED);

  function SonotaHomeAssistant(this: Node, config: HomeAssistantDef): void {
    RED.nodes.createNode(this, config);
    const folder = folderOf(ownFolder(RED));
    const publications = Publications.in(folder, (text) => RED.log.warn(text));
    const own = publications.arrives(this.id);
    const translate = translator(RED, config.type);
    const status = new NodeStatus(this, translate);
    const hostNode = hostNodeOf(RED, config);
    let link: HomeAssistantLink | undefined;

    const showProblem = (thrown: unknown): FlashError => {
      const error = asFlashError(thrown);
      status.failed(error.code);
      return translateError(RED, error);
    };
    const read = (): HomeAssistantForm => {
      requireHost(hostNode);
      return readForm(Values.ofForm(config));
    };

    const connect = ({ firmware, topics }: HomeAssistantForm, host: FlashHost): void => {
      whenFlowsRun(RED, this, () => {
        const names = namesIn(translate);
        const wiring = readWiring(definitionsOf(RED), this.id);
        publications.publishesAt(this.id, wiring.broker);
        const memory = new DeviceMemory(folder, `${fileName(this.id)}.json`, (text) => this.warn(text));
        link = new HomeAssistantLink(
          {
            host,
            memory,
            firmware: new FirmwareList(RED, () => memory.chosen, {
              defaultId: firmware,
              unknownName: names.newFirmware,
            }),
            clock: SYSTEM_CLOCK,
            images: (onNews) => new ChosenImage(RED, onNews),
            topics,
            names,
            states: statesIn(translate),
            phrase: (name, values) => translate(`phrase.${name}`, name, values),
            sentences: (error) => translateSentences(RED, error),
            reportText: (report) => wholeText(translateReport(RED, report)),
            translated: (job) => translateJob(RED, job),
            inSight: (device) => sonoffInSight(describeSonoff(RED, device)),
            version: ownVersion(),
            own,
            publications,
            wiring,
          },
          outletOf(this, status, translate),
        );
        link.start();
      });
    };

    if (hostNode) hosts.addUser(config.host, this.id, { awaitsDevices: true });
    try {
      const form = read();
      if (hostNode) connect(form, hostNode.flashHost);
    } catch (thrown) {
      showProblem(thrown);
    }

    this.on('input', (message, _send, done) => {
      try {
        read();
      } catch (thrown) {
        return done(showProblem(thrown));
      }
      try {
        const said = Values.ofMessage(message);
        link?.take({ topic: said.text('topic'), payload: said.raw('payload'), retain: said.flag('retain') });
        done();
      } catch (thrown) {
        done(translateError(RED, asFlashError(thrown)));
      }
    });
    this.on('close', (removed: boolean, done: () => void) => {
      if (removed) publications.leaves(this.id);
      const stopped = Promise.resolve(link?.stop(removed));
      if (!hostNode) return done();
      stopped.then(() => hosts.removeUser(config.host, this.id, removed)).then(done, done);
    });
  }

  RED.nodes.registerType('sonota-home-assistant', SonotaHomeAssistant);
}

interface HomeAssistantForm {
  /** Id of the firmware node that counts until another one is chosen. */
  readonly firmware: string | undefined;
  readonly topics: TopicSettings;
}

function readForm(form: Values): HomeAssistantForm {
  const topics = { prefix: form.text('prefix') ?? 'homeassistant', base: form.text('topic') ?? 'sonota' };
  return { firmware: form.text('firmware'), topics };
}

function outletOf(node: Node, status: NodeStatus, translate: Translate): LinkOutlet {
  return {
    publish: (message) => node.send([{ ...message }, null]),
    flash: (request) => node.send([null, { ...request, stage: request.topic, payload: request.deviceid ?? '' }]),
    failed: (error) => node.error(error),
    contact: (state, devices) => showContact({ ...state, devices }, status, translate),
  };
}

function showContact(
  { isReached, devices, missing, isMissed, other }: BrokerState & { readonly devices: number },
  status: NodeStatus,
  translate: Translate,
): void {
  const count = translate('status.devices', `${devices} devices`, { count: devices });
  const lacks = missing === undefined ? '' : translate('status.missing', `no mqtt in: ${missing}`, { topic: missing });
  if (other) status.warned(other.code);
  else if (isMissed) status.waiting(lacks);
  else if (!isReached) status.waiting(translate('status.waiting', 'waiting for MQTT'));
  else status.done(lacks === '' ? count : `${count}, ${lacks}`);
}

function sonoffInSight({ deviceid, name, model, version, address, method, ...texts }: DescribedSonoff): SonoffInSight {
  return { deviceid, name, model, version, address, method, text: `${texts.methodText}. ${texts.reason}` };
}

/** Home Assistant has one place for both. */
function wholeText({ text, details }: { text: string; details?: string }): string {
  return details === undefined ? text : `${text} ${details}`;
}

function namesIn(translate: Translate): EntityNames {
  return Object.fromEntries(ENTITY_NAMES.map((name) => [name, translate(`entity.${name}`, name)])) as EntityNames;
}

function statesIn(translate: Translate): StateNames {
  return Object.fromEntries(STATE_NAMES.map((name) => [name, translate(`state.${name}`, name)])) as StateNames;
}

function ownVersion(): string {
  const path = join(__dirname, '..', '..', '..', 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
