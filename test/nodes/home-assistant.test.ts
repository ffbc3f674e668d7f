import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import helper from 'node-red-node-test-helper';
import { sentencesOf, type FlashError } from '../../lib/errors';
import { Arming, type MqttMessage } from '../../lib/home-assistant';
import { BrokerContact } from '../../nodes/sonota-home-assistant/broker-contact';
import { FlashHost } from '../../lib/flash/host/host';
import type { JobSnapshot } from '../../lib/flash/job/job';
import { DeviceMemory } from '../../nodes/sonota-home-assistant/device-memory';
import type { FirmwareList } from '../../nodes/sonota-home-assistant/firmware-list';
import { SYSTEM_CLOCK } from '../../nodes/sonota-home-assistant/system-clock';
import { WorldView } from '../../nodes/sonota-home-assistant/snapshot-view';
import { progressText } from '../../lib/progress-texts';
import type { HostNode } from '../../nodes/shared/hosts';
import { Schemas } from '../home-assistant/schemas';
import type { Flow } from '../shared/node-red';
import { packageRoot } from '../shared/package-root';
import { Bed, freePorts, without, type Ports } from './bed';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const ID = '1000a1b2c3';
const UPDATE = `sonota/device/${ID}/update`;

function flowOf(ports: Ports, more: Record<string, unknown> = {}): Flow {
  const place = { z: 'tab', x: 100, y: 100 };
  const form = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  return [
    { id: 'tab', type: 'tab', label: 'home assistant' },
    { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: '', ...form },
    { id: 'tasmota', type: 'sonota-firmware', name: 'Tasmota 15', user1: '', user2: '', final: '/data/tasmota.bin' },
    { id: 'esphome', type: 'sonota-firmware', name: '', user1: '', user2: '', final: 'catalog:my-esphome' },
    {
      ...{
        id: 'ha',
        type: 'sonota-home-assistant',
        ...place,
        name: '',
        host: 'host',
        firmware: '',
        prefix: '',
        topic: '',
      },
      ...{ wires: [['mqtt'], ['flash']] },
      ...more,
    },
    { id: 'mqtt', type: 'sink', ...place, wires: [] },
    { id: 'flash', type: 'sink', ...place, wires: [] },
    { id: 'catch', type: 'catch', ...place, scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'sink', ...place, wires: [] },
  ];
}

describe('nodes: sonota-home-assistant', () => {
  let bed: Bed;
  let ports: Ports;
  let prefix: string;

  beforeEach(async () => {
    ports = await freePorts();
    prefix = 'homeassistant';
  });
  afterEach(async () => {
    const schemas = new Schemas(prefix);
    try {
      for (const message of said()) schemas.take(message);
    } finally {
      await bed.unload();
    }
  });

  function said(): MqttMessage[] {
    return bed
      .messages('mqtt')
      .map(({ topic, payload, qos, retain }) => ({ topic, payload, qos, retain }) as MqttMessage);
  }

  /** Waits until a payload that the predicate likes is published under a topic. */
  async function hears(topic: string, wanted: (payload: string) => boolean = () => true, from = 0): Promise<string> {
    const found = await bed.at('mqtt', (msg) => {
      const isLater = bed.messages('mqtt').indexOf(msg) >= from;
      return isLater && msg['topic'] === topic && wanted(String(msg.payload));
    });
    return String(found.payload);
  }

  /** The broker is there, as the birth message tells. */
  async function connect(): Promise<void> {
    bed.send('ha', { topic: 'sonota/status', payload: 'online' });
    await hears('sonota/state');
  }

  /** A person turns on the switch of the device. */
  async function arm(): Promise<void> {
    const from = said().length;
    bed.send('ha', { topic: `sonota/set/arm/${ID}`, payload: 'ON' });
    await hears(`sonota/device/${ID}/state`, (payload) => payload.includes('"armed":"ON"'), from);
  }

  async function install(): Promise<void> {
    await arm();
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL' });
  }

  async function dialIn(): Promise<void> {
    const device = bed.device({ provisioned: { serverName: '127.0.0.1', port: ports.httpsPort } });
    await device.start();
    await hears(UPDATE, (payload) => payload.includes('ITEAD 1.5.5'));
  }

  it('knocks until the broker is heard, and says nothing else before', async () => {
    bed = await Bed.load(flowOf(ports));
    await hears('sonota/status', (payload) => payload.startsWith('online '));
    assert.deepEqual(bed.shown('ha'), { fill: 'yellow', shape: 'ring', text: 'no mqtt in: sonota/status' });
    assert.equal(said().length, 1);
    await connect();
    const config = JSON.parse(await hears('homeassistant/device/sonota_flasher/config')) as Config;
    assert.deepEqual(config.components['firmware']?.['options'], ['Tasmota 15', 'my-esphome']);
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
    assert.deepEqual(config.origin, { name: '@sonota/node-red', sw_version: version });
    await bed.status('ha', ({ fill, text }) => fill === 'green' && text === '0 devices');
    assert.deepEqual(await bed.doneBy('ha'), [undefined]);
  });

  it('has the topics and the firmware of its form', async () => {
    prefix = 'ha';
    const flow = flowOf(ports, { prefix, topic: 'garage', firmware: 'esphome' });
    const final = 'https://me:secret@example.com/esphome.bin';
    bed = await Bed.load(flow.map((node) => (node.id === 'esphome' ? { ...node, final } : node)));
    bed.send('ha', { topic: 'garage/status', payload: 'online' });
    await hears('ha/device/sonota_garage/config');
    await hears('garage/state', (payload) => payload.includes('"firmware":"esphome"'));
    bed.send('ha', { topic: '', payload: [{ ssid: `ITEAD-${ID}`, kind: 'stock', deviceid: ID }] });
    // Of its image, too.
    const isWithAddress = (payload: string): boolean => payload.includes('"https://example.com/esphome.bin"');
    await hears(`garage/device/${ID}/update`, isWithAddress);
    bed.send('ha', { topic: 'garage/set/start', payload: 'PRESS' });
    const { topic, firmware } = await bed.at('flash');
    assert.deepEqual([topic, firmware], ['provision', 'esphome']);
  });

  it('logs what fails while it tells, which no message has asked for', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    const { queue } = (bed.node('host') as HostNode).flashHost;
    const broken = mock.method(queue, 'snapshot', () => {
      throw new Error('it is broken');
    });
    try {
      bed.send('ha', { topic: 'sonota/set/arm', payload: 'ON' });
      const isLogged = (): boolean =>
        helper.log().args.some(([event]) => {
          const { id, msg } = event as { id?: string; msg?: unknown };
          return id === 'ha' && String(msg).includes('it is broken');
        });
      while (!isLogged()) await nextTurn();
    } finally {
      broken.mock.restore();
    }
  });

  it('refuses every message while the form of its host cannot be read', async () => {
    bed = await Bed.load(flowOf(ports).map((node) => (node.id === 'host' ? { ...node, httpsPort: 'abc' } : node)));
    assert.deepEqual(bed.shown('ha'), { fill: 'red', shape: 'ring', text: 'value-invalid' });
    bed.send('ha', { topic: 'sonota/set/start', payload: 'PRESS' });
    assert.equal((await bed.at('caught')).error?.code, 'value-invalid');
    assert.deepEqual(bed.messages('flash'), []);
  });

  it('names its entities and states in the language of Node-RED', async () => {
    const spoken = /^sonota-home-assistant\.(entity|state|phrase)\.([\w-]+)$/;
    const translate = ((key: string, values: object = {}) => {
      const name = spoken.exec(key)?.[2];
      return name === undefined ? key : ['XX', name, ...Object.values(values)].join(' ');
    }) as NodeAPI['_'];
    bed = await Bed.load(flowOf(ports), {}, undefined, translate);
    await connect();
    const config = JSON.parse(await hears('homeassistant/device/sonota_flasher/config')) as Config;
    const names = Object.values(config.components).flatMap(({ name }) => (typeof name === 'string' ? [name] : []));
    assert.ok(names.length > 5 && names.every((name) => name.startsWith('XX ')), names.join());
    assert.match(await hears('sonota/state'), /"state_name":"XX flasher-idle"/);
    bed.send('ha', { topic: '', payload: [{ ssid: `ITEAD-${ID}`, kind: 'stock', deviceid: ID }] });
    await hears(UPDATE, (payload) => payload.includes('"release_summary":"XX unarmed"'));
    await arm();
    await hears(UPDATE, (payload) => payload.includes('"release_summary":"XX offer XX newFirmware"'));
    const job = (bed.node('host') as HostNode).flashHost.jobs.jobFor('finalstage', ID);
    job.enter('finalstage');
    job.leave('finalstage');
    await hears(UPDATE, (payload) => payload.includes('"installed_version":"XX newFirmware"'));
  });

  it('shows the Sonoffs in sight for as long as a node looks for them', async () => {
    const discover = {
      id: 'discover',
      type: 'sonota-discover',
      z: 'tab',
      x: 100,
      y: 100,
      name: '',
      host: 'host',
      wires: [[], []],
    };
    bed = await Bed.load([...flowOf(ports), discover]);
    await connect();
    bed.send('discover', { devices: [{ deviceid: ID, manufacturer: 'Sonoff', model: 'MINI', sw_version: '3.6.0' }] });
    const state = JSON.parse(await hears('sonota/state', (payload) => payload.includes(ID))) as {
      found_devices: Record<string, unknown>[];
    };
    const { text, ...found } = state.found_devices.find((one) => one['deviceid'] === ID) ?? {};
    assert.deepEqual(found, {
      ...{ deviceid: ID, method: 'diy-button', name: null, model: 'MINI', version: '3.6.0', address: null },
    });
    assert.match(String(text), /^DIY mode, after 5 s \+ 5 s on the button\. Its model has DIY mode\. Hold/);
    const from = said().length;
    await bed.deploy(flowOf(ports));
    await connect();
    const isWithout = (payload: string): boolean => payload.includes('"found":{"platform":"sensor"}');
    await hears('homeassistant/device/sonota_flasher/config', isWithout, from);
  });

  it('shows what a flash asks of a person, with its details', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    const { jobs, runs } = (bed.node('host') as HostNode).flashHost;
    const job = jobs.jobFor('finalstage', ID);
    job.enter('finalstage');
    job.running = new AbortController();
    job.lastReport = { name: 'finalstage-again', values: {} };
    runs.emit('reported', job);
    const { text, details } = progressText('finalstage-again', {});
    assert.ok(details !== undefined);
    await hears(`sonota/device/${ID}/state`, (payload) => payload.includes(`${text} ${details}`));
    const plain = progressText('finalstage-passed-by', {});
    assert.equal(plain.details, undefined);
    job.lastReport = { name: 'finalstage-passed-by', values: {} };
    runs.emit('reported', job);
    await hears(`sonota/device/${ID}/state`, (payload) => payload.includes(`"${plain.text}"`));
    job.running = undefined;
  });

  it('starts a flash for the device whose install was asked for, with the firmware that was chosen', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    await dialIn();
    await arm();
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL', retain: true });
    bed.send('ha', { topic: 'sonota/set/firmware', payload: 'none of ours' });
    const from = said().length;
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL' });
    await hears(`sonota/device/${ID}/state`, (payload) => payload.includes('"armed":"OFF"'), from);
    bed.send('ha', { topic: 'sonota/set/firmware', payload: 'my-esphome' });
    await arm();
    await hears(UPDATE, (payload) => payload.includes('"latest_version":"my-esphome"'));
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL' });
    bed.send('ha', { topic: 'sonota/set/start', payload: 'PRESS' });
    await bed.at('flash', () => bed.messages('flash').length >= 3);
    const requests = bed.messages('flash').map(({ _msgid: _, ...request }) => request);
    // The kept one is not among them.
    assert.deepEqual(requests, [
      { topic: 'cloud', stage: 'cloud', deviceid: ID, payload: ID },
      { topic: 'cloud', stage: 'cloud', deviceid: ID, payload: ID, firmware: 'esphome' },
      { topic: 'provision', stage: 'provision', payload: '', firmware: 'esphome' },
    ]);
  });

  it('starts a number of new devices, a device by its name, or all that are stock still', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    await dialIn();
    for (const payload of ['{"count":2}', `{"deviceid":"${ID}"}`, '{"all":true}', '{"all":1}']) {
      bed.send('ha', { topic: 'sonota/set/start', payload });
    }
    await bed.at('flash', () => bed.messages('flash').length >= 4);
    assert.deepEqual(
      bed.messages('flash').map(({ topic, deviceid }) => [topic, deviceid]),
      [
        ['provision', undefined],
        ['provision', undefined],
        ['cloud', ID],
        ['cloud', ID],
      ],
    );
  });

  it('refuses an install that no person has released, and reports why', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    await dialIn();
    bed.send('ha', { topic: `sonota/set/arm/${ID}`, payload: 'ON', retain: true });
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL' });
    assert.equal((await bed.at('caught')).error?.code, 'not-armed');
    const refused = (payload: string): boolean => payload.includes('"event_type":"refused"');
    const told = JSON.parse(await hears(`sonota/device/${ID}/event`, refused)) as Record<string, unknown>;
    assert.equal(told['error'], 'not-armed');
    assert.match(String(told['text']), /Allow flashing/);
    assert.equal(await hears('sonota/event', refused), JSON.stringify(told));
    assert.deepEqual(bed.messages('flash'), []);
    // Its first use uses it up.
    await install();
    await bed.at('flash');
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL' });
    await bed.at('caught', () => bed.messages('caught').length === 2);
    assert.equal(bed.messages('flash').length, 1);
  });

  it('arms every device with the switch of the flasher, and none after a deploy', async () => {
    const flow = flowOf(ports);
    bed = await Bed.load(flow);
    await connect();
    bed.send('ha', { topic: 'sonota/set/arm', payload: 'ON' });
    await hears('sonota/state', (payload) => payload.includes('"armed":"ON"'));
    await dialIn();
    await hears(UPDATE, (payload) => !payload.includes('"latest_version":"ITEAD'));
    const from = said().length;
    await bed.deploy(flow);
    bed.send('ha', { topic: 'sonota/status', payload: 'online', retain: true });
    await hears('sonota/state', (payload) => payload.includes('"armed":"OFF"'), from);
    await hears(UPDATE, (payload) => payload.includes('"latest_version":"ITEAD'), from);
    bed.send('ha', { topic: `sonota/set/install/${ID}`, payload: 'INSTALL' });
    assert.equal((await bed.at('caught')).error?.code, 'not-armed');
  });

  it('offers a Sonoff that shows its access point, and starts there', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    const around = { ssid: `ITEAD-${ID}`, bssid: '5E:CF:7F:A1:B2:C3', signal: 90, kind: 'stock', deviceid: ID };
    bed.send('ha', { topic: '', payload: [around, { ssid: 'home', kind: 'other' }] });
    await hears(UPDATE, (payload) => /"in_progress":false/.test(payload));
    await install();
    const { topic, deviceid } = await bed.at('flash');
    assert.deepEqual([topic, deviceid], ['provision', ID]);
  });

  it('republishes everything when Home Assistant has started', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    await dialIn();
    const from = said().length;
    bed.send('ha', { topic: 'homeassistant/status', payload: 'online' });
    await hears('homeassistant/device/sonota_flasher/config', undefined, from);
    await hears(`homeassistant/device/sonota_${ID}/config`, undefined, from);
    await hears(UPDATE, undefined, from);
  });

  it('contradicts an offline that is not true', async () => {
    bed = await Bed.load(flowOf(ports));
    await connect();
    const from = said().length;
    bed.send('ha', { topic: 'sonota/status', payload: 'offline', retain: true });
    await hears('sonota/status', (payload) => payload.startsWith('online '), from);
    await hears('sonota/state', undefined, from);
  });

  it('removes a device when asked, and does not bring it back with the next deploy', async () => {
    const flow = flowOf(ports);
    bed = await Bed.load(flow);
    await connect();
    await dialIn();
    await bed.devices[0]?.stop();
    bed.send('ha', { topic: `sonota/set/remove/${ID}`, payload: 'PRESS' });
    await hears(`homeassistant/device/sonota_${ID}/config`, (payload) => payload === '');
    const from = said().length;
    await bed.deploy(flow);
    bed.send('ha', { topic: 'sonota/status', payload: 'online', retain: true });
    await hears('sonota/state', undefined, from);
    assert.ok(
      !said()
        .slice(from)
        .some(({ topic }) => topic.includes(ID)),
    );
  });

  it('says what of a record cannot be read, though its node is gone', async () => {
    bed = await Bed.load(flowOf(ports), {}, async (folder) => {
      await mkdir(join(folder, 'home-assistant'), { recursive: true });
      await writeFile(join(folder, 'home-assistant', 'gone.published.json'), '{ broken');
      await writeFile(join(folder, 'home-assistant', 'ha.json'), '{ broken');
    });
    const lines = helper.log().args.map(([event]) => String((event as { msg?: unknown }).msg));
    assert.equal(
      lines.filter((line) => /gone\.published\.json could not be read/.test(line)).length,
      1,
      lines.join('\n'),
    );
    assert.equal(lines.filter((line) => /ha\.json could not be read/.test(line)).length, 1, lines.join('\n'));
  });

  it('says offline when it is removed', async () => {
    const flow = flowOf(ports);
    bed = await Bed.load(flow);
    await connect();
    const from = said().length;
    await bed.deploy(without(flow, 'ha'), 'nodes');
    await hears('sonota/status', (payload) => payload === 'offline', from);
  });

  it('without a host shows it, and hands it to Catch', async () => {
    bed = await Bed.load(flowOf(ports, { host: '' }));
    assert.equal(bed.shown('ha')?.text, 'host-missing');
    bed.send('ha', { topic: 'sonota/set/start', payload: 'PRESS' });
    assert.equal((await bed.at('caught')).error?.code, 'host-missing');
  });
});

describe('nodes: the status of sonota-home-assistant', () => {
  let bed: Bed;
  afterEach(() => bed.unload());

  it('is whether the broker is reached, with how many devices, or who else is there', async () => {
    const at = { z: 'tab', x: 100, y: 100 };
    bed = await Bed.load(flowOf(await freePorts()));
    const { nodes } = bed.RED as NodeAPI;
    nodes.registerType('mqtt in', function (this: Node, config: NodeDef) {
      nodes.createNode(this, config);
    });
    await bed.deploy([
      ...flowOf(await freePorts()),
      { id: 'in', type: 'mqtt in', ...at, broker: 'broker', topic: '#', wires: [['ha']] },
    ]);
    assert.deepEqual(bed.shown('ha'), { fill: 'yellow', shape: 'ring', text: 'waiting for MQTT' });
    bed.send('ha', { topic: 'sonota/status', payload: 'online' });
    await bed.status('ha', ({ fill, shape, text }) => `${fill} ${shape} ${text}` === 'green dot 0 devices');
    bed.send('ha', { topic: 'sonota/status', payload: 'online ffffffff' });
    assert.deepEqual(bed.shown('ha'), { fill: 'yellow', shape: 'ring', text: 'topic-shared' });
    const topics = ['sonota/#', 'homeassistant/status'];
    const filters = topics.map((topic, index) => ({
      id: `in-${index}`,
      type: 'mqtt in',
      ...at,
      topic,
      wires: [['ha']],
    }));
    const from = bed.statuses.length;
    await bed.deploy([...flowOf(await freePorts()), ...filters]);
    bed.send('ha', { topic: 'sonota/status', payload: 'online' });
    const lacks = '0 devices, no mqtt in: homeassistant/device/#';
    await bed.status('ha', ({ fill, shape, text }) => `${fill} ${shape} ${text}` === `green dot ${lacks}`, from);
    // Who else is there matters more than what is not heard.
    await bed.deploy([...flowOf(await freePorts()), ...filters.slice(1)]);
    assert.deepEqual(bed.shown('ha'), { fill: 'yellow', shape: 'ring', text: 'no mqtt in: sonota/status' });
    bed.send('ha', { topic: 'sonota/status', payload: 'online ffffffff' });
    assert.deepEqual(bed.shown('ha'), { fill: 'yellow', shape: 'ring', text: 'topic-shared' });
  });
});

describe('nodes: what a deleted sonota-home-assistant leaves at its broker', () => {
  const TOPICS = ['homeassistant/device/sonota_flasher/config', 'sonota/state', 'sonota/status'];
  let bed: Bed;
  let flow: Flow;
  let isConnected: boolean;
  let outlets: Node[];
  beforeEach(async () => {
    isConnected = true;
    outlets = [];
    const at = { z: 'tab', x: 100, y: 100 };
    flow = [
      ...flowOf(await freePorts(), { wires: [['out'], ['flash']] }),
      { id: 'out', type: 'mqtt out', ...at, broker: 'broker', topic: '', wires: [['mqtt']] },
      { id: 'broker', type: 'mqtt-broker', broker: 'localhost', port: '1883' },
    ];
    bed = await Bed.load(flowOf(await freePorts()));
    registerMqtt(bed.RED as NodeAPI);
  });
  afterEach(() => bed.unload());

  /** As far as the core nodes matter: messages for a broker go to a sink. */
  function registerMqtt({ nodes }: NodeAPI): void {
    nodes.registerType('mqtt-broker', function (this: Node, config: NodeDef) {
      nodes.createNode(this, config);
    });
    nodes.registerType('mqtt out', function (this: Node, config: NodeDef) {
      nodes.createNode(this, config);
      outlets.push(this);
      show(this, isConnected ? 'connected' : 'disconnected');
      this.on('input', (message, send, done) => {
        send(message);
        done();
      });
    });
  }

  const show = (node: Node, state: 'connected' | 'disconnected'): void =>
    node.status({ fill: 'green', shape: 'dot', text: `node-red:common.status.${state}` });
  const cleared = (from: number): unknown[] =>
    bed
      .messages('mqtt')
      .slice(from)
      .flatMap(({ topic, payload, qos, retain }) => (payload === '' && qos === 1 && retain ? [topic] : []));

  /** Everything is published, and the node deleted. @returns how much was published before */
  async function leave(): Promise<number> {
    await bed.deploy(flow);
    bed.send('ha', { topic: 'sonota/status', payload: 'online' });
    await bed.at('mqtt', ({ topic }) => topic === 'sonota/state');
    const from = bed.messages('mqtt').length;
    flow = without(flow, 'ha');
    await bed.deploy(flow, 'nodes');
    return from;
  }

  /** What was cleared since. A message by the same way comes after all that was sent before. */
  async function clearedBefore(from: number): Promise<unknown[]> {
    const last = `last ${bed.messages('mqtt').length}`;
    bed.send('out', { topic: last });
    await bed.at('mqtt', ({ topic }) => topic === last);
    return cleared(from);
  }

  async function untilCleared(from: number): Promise<void> {
    await bed.at('mqtt', () => cleared(from).length >= TOPICS.length);
    assert.deepEqual(cleared(from).sort(), TOPICS);
  }

  it('is cleared by the deploy, once', async () => {
    const from = await leave();
    await untilCleared(from);
    await bed.deploy(flow);
    assert.equal((await clearedBefore(from)).length, TOPICS.length);
  });

  it('is cleared as soon as the broker is connected', async () => {
    isConnected = false;
    const from = await leave();
    const [outlet] = outlets;
    assert.ok(outlet);
    await bed.deploy(flow, 'nodes');
    assert.deepEqual(await clearedBefore(from), []);
    show(outlet, 'connected');
    await untilCleared(from);
  });

  it('waits for the broker again where that has gone before the node', async () => {
    await bed.deploy(flow);
    const [outlet] = outlets;
    assert.ok(outlet);
    bed.send('ha', { topic: 'sonota/status', payload: 'online' });
    await bed.at('mqtt', ({ topic }) => topic === 'sonota/state');
    show(outlet, 'disconnected');
    const from = bed.messages('mqtt').length;
    flow = without(flow, 'ha');
    await bed.deploy(flow, 'nodes');
    assert.deepEqual(await clearedBefore(from), []);
    show(outlet, 'connected');
    await untilCleared(from);
  });

  it('is not sent to another broker', async () => {
    isConnected = false;
    const from = await leave();
    isConnected = true;
    const moved = flow.map((node) => (node.id === 'broker' ? { ...node, broker: 'elsewhere' } : node));
    await bed.deploy(moved);
    assert.deepEqual(await clearedBefore(from), []);
    await bed.deploy(flow);
    await untilCleared(from);
  });

  it('is left to a node that is there at the same broker', async () => {
    const second = { ...flow.find(({ id }) => id === 'ha'), id: 'ha2', topic: 'garage' } as Flow[number];
    flow = [...flow, second];
    const from = await leave();
    assert.deepEqual(await clearedBefore(from), []);
    bed.send('ha2', { topic: 'garage/status', payload: 'online' });
    await untilCleared(from);
  });

  it('stays where the same deploy puts another node in its place, however long that takes', async () => {
    const place = flow.find(({ id }) => id === 'ha');
    assert.ok(place);
    const slow = { id: 'slow', type: 'slow-closer', z: 'tab', x: 100, y: 100, wires: [] };
    await bed.deploy([...flow, slow]);
    const [outlet] = outlets;
    assert.ok(outlet);
    bed.send('ha', { topic: 'sonota/status', payload: 'online' });
    await bed.at('mqtt', ({ topic }) => topic === 'sonota/state');
    const from = bed.messages('mqtt').length;
    const closing = bed.closing();
    const deployed = bed.deploy([...without(flow, 'ha'), { ...place, id: 'next' }], 'nodes');
    const finish = await closing;
    // The broker is connected again in the middle of it.
    show(outlet, 'connected');
    assert.deepEqual(await clearedBefore(from), []);
    finish();
    await deployed;
    bed.send('next', { topic: 'sonota/status', payload: 'online' });
    await bed.at('mqtt', (msg) => bed.messages('mqtt').indexOf(msg) >= from && msg['topic'] === 'sonota/state');
    assert.deepEqual(await clearedBefore(from), []);
  });
});

describe('nodes: what sonota-home-assistant remembers', () => {
  let folder: string;
  const complaints: string[] = [];
  const open = (): DeviceMemory => new DeviceMemory(join(folder, 'own'), 'node.json', (text) => complaints.push(text));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-memory-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
    assert.deepEqual(complaints.splice(0), []);
  });

  it('outlives a restart: devices, what was removed, and the choice', async () => {
    const memory = open();
    const failure = { code: 'device-silent', what: 'So it was.', text: 'So it was. Do so.', remedy: 'Do so.' } as const;
    const facts = {
      ...{ deviceid: ID, model: 'ITA-GZ1-GL', romVersion: '1.5.5', installed: 'Tasmota', installedVersion: '14.1.0' },
      ...{ page: 'http://192.168.1.20/', mac: '5C:CF:7F:A1:B2:C3' },
    };
    memory.learn(facts);
    memory.learn({ deviceid: ID, failure });
    memory.learn({ deviceid: 'gone' });
    memory.remove('gone', new Date('2026-01-02T00:00:00Z'));
    memory.choose('Tasmota');
    await memory.settled();
    const next = open();
    assert.deepEqual(next.all(), [{ ...facts, failure }]);
    assert.equal(next.chosen, 'Tasmota');
    assert.ok(next.wasRemovedSince('gone', '2026-01-01T00:00:00Z'));
    assert.ok(!next.wasRemovedSince('gone', '2026-01-03T00:00:00Z'));
    assert.ok(!next.wasRemovedSince(ID, '2026-01-01T00:00:00Z'));
  });

  it('keeps what of its file can be read', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const failure = { code: 'device-silent', text: 'So it was.' };
    const content = {
      format: 'sonota-home-assistant/1',
      devices: [
        { deviceid: 'one', model: 'ITA-GZ1-GL', seenAt: 'never', failure: { ...failure, code: 'unheard-of' } },
        { deviceid: 'a/b', model: 'no id' },
        { deviceid: 'two', model: 7 },
        null,
        { deviceid: 'flashed', seenAt: '2025-01-01T00:00:00Z', failure },
        { deviceid: 'old', seenAt: '2025-12-30T23:59:59Z' },
        { deviceid: 'fresh', seenAt: '2025-12-31T12:00:00Z' },
        { deviceid: 'unseen' },
      ],
      removed: { fresh: '2026-01-01T00:00:00Z', one: 'never', 'a/b': '2026-01-01T00:00:00Z' },
      flasherRemoved: 'never',
      lastFailure: { ...failure, remedy: 'Do so.', deviceid: 'a/b' },
      chosen: 7,
    };
    await mkdir(join(folder, 'own'));
    await writeFile(join(folder, 'own', 'node.json'), JSON.stringify(content));
    const memory = new DeviceMemory(
      join(folder, 'own'),
      'node.json',
      (text) => complaints.push(text),
      () => now,
    );
    assert.equal(complaints.splice(0).length, 1);
    const [one, flashed] = [
      { deviceid: 'one', model: 'ITA-GZ1-GL' },
      { deviceid: 'flashed', failure },
    ];
    memory.forgetOld();
    assert.deepEqual(memory.all(), [one, flashed, { deviceid: 'unseen' }]);
    assert.deepEqual(memory.get('fresh'), { deviceid: 'fresh' });
    assert.ok(memory.wasRemovedSince('fresh', '2026-01-01T00:00:00Z'));
    assert.deepEqual([memory.isFlasherRemoved, memory.lastFailure, memory.chosen], [false, undefined, undefined]);
    // Where it does not say when a device was seen, that counts from now.
    now += 24 * 60 * 60_000;
    memory.forgetOld();
    assert.deepEqual(memory.all(), [one, flashed, { deviceid: 'unseen' }]);
    now += 1;
    memory.forgetOld();
    assert.deepEqual(memory.all(), [flashed]);
    await memory.settled();
  });

  it('outlives a restart: each further change, one by one', async () => {
    const changed = async (change: (memory: DeviceMemory) => void): Promise<DeviceMemory> => {
      const memory = open();
      change(memory);
      await memory.settled();
      return open();
    };
    const sentences = { what: 'So it was.', text: 'So it was. Do so.', remedy: 'Do so.' };
    const failure = { code: 'device-silent', ...sentences, deviceid: ID } as const;
    await changed((memory) => memory.learn({ deviceid: ID }));
    assert.equal((await changed((memory) => memory.removeFlasher())).isFlasherRemoved, true);
    assert.equal((await changed((memory) => memory.showFlasher())).isFlasherRemoved, false);
    assert.deepEqual((await changed((memory) => (memory.lastFailure = failure))).lastFailure, failure);
    assert.equal((await changed((memory) => (memory.lastFailure = undefined))).lastFailure, undefined);
    assert.deepEqual((await changed((memory) => memory.remove(ID))).all(), []);
    assert.equal((await changed((memory) => memory.restoreAll())).all().length, 1);
    await changed((memory) => memory.remove(ID));
    assert.equal((await changed((memory) => memory.learn({ deviceid: ID }))).all().length, 1, 'it is used again');
    await changed((memory) => memory.remove(ID));
    assert.deepEqual((await changed((memory) => memory.saw({ deviceid: ID, model: 'ITA-GZ1-GL' }))).all(), []);
    assert.equal(open().get(ID)?.model, 'ITA-GZ1-GL', 'it is known all the same');
  });

  it('shows a flasher that a person deleted when something starts later, or is asked of it', () => {
    const memory = open();
    memory.showFlasher();
    assert.equal(memory.isFlasherRemoved, false);
    const removedAt = Date.now();
    memory.removeFlasher();
    memory.showFlasher(new Date(removedAt - 1000).toISOString());
    assert.equal(memory.isFlasherRemoved, true, 'that was before');
    memory.showFlasher(new Date(removedAt + 60_000).toISOString());
    assert.equal(memory.isFlasherRemoved, false);
    memory.remove('1000ffffff');
    assert.ok(!memory.wasRemovedSince('1000ffffff', '2000-01-01T00:00:00Z'), 'it was never there');
    return memory.settled();
  });

  it('writes once an hour that a device is still there, and immediately what it reports itself', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const folderNow = join(folder, 'own');
    const memory = new DeviceMemory(
      folderNow,
      'node.json',
      (text) => complaints.push(text),
      () => now,
    );
    const written = async (): Promise<string> => {
      await memory.settled();
      return readFileSync(join(folderNow, 'node.json'), 'utf8');
    };
    memory.saw({ deviceid: ID });
    const first = await written();
    now += 60 * 60_000 - 1;
    memory.saw({ deviceid: ID });
    assert.equal(await written(), first);
    memory.saw({ deviceid: ID, model: 'ITA-GZ1-GL' });
    assert.match(await written(), /ITA-GZ1-GL/);
    now += 60 * 60_000;
    memory.saw({ deviceid: ID });
    assert.match(await written(), /2026-01-01T01:59:59\.999Z/);
  });

  it('keeps every change, not only those before the first write', async () => {
    const memory = open();
    memory.learn({ deviceid: ID });
    await memory.settled();
    memory.learn({ deviceid: ID, model: 'ITA-GZ1-GL' });
    await memory.settled();
    memory.choose('Tasmota');
    await memory.settled();
    const next = open();
    assert.deepEqual([next.all(), next.chosen], [[{ deviceid: ID, model: 'ITA-GZ1-GL' }], 'Tasmota']);
  });

  it('says that it cannot be kept, and keeps it as soon as it can', async () => {
    const inTheWay = join(folder, 'own');
    await writeFile(inTheWay, '');
    const memory = open();
    memory.learn({ deviceid: ID });
    await memory.settled();
    assert.equal(complaints.splice(0).length, 1);
    await rm(inTheWay);
    memory.choose('Tasmota');
    await memory.settled();
    assert.deepEqual([open().all(), open().chosen], [[{ deviceid: ID }], 'Tasmota']);
  });

  it('takes no ids that no device has, and not more devices than a home', () => {
    const memory = open();
    for (const deviceid of ['', 'a/b', '+', 'x'.repeat(33)]) memory.learn({ deviceid });
    assert.deepEqual(memory.all(), []);
    const longest = { deviceid: 'x'.repeat(32) };
    memory.learn(longest);
    assert.deepEqual(memory.all(), [longest]);
    for (let count = 0; count < 300; count += 1) memory.learn({ deviceid: `made-up-${count}` });
    assert.equal(memory.all().length, 200);
    return memory.settled();
  });

  it('keeps what is in use or was flashed, whatever dials in, and forgets the rest after 24 h', async () => {
    const day = 24 * 60 * 60_000;
    let now = Date.parse('2026-01-01T00:00:00Z');
    const at = (): DeviceMemory =>
      new DeviceMemory(
        join(folder, 'own'),
        'node.json',
        () => undefined,
        () => now,
      );
    const memory = at();
    memory.inUse = () => ['in-use'];
    memory.saw({ deviceid: 'in-use' });
    memory.saw({ deviceid: 'flashed', installed: 'Tasmota' });
    memory.saw({ deviceid: 'failed', failure: { code: 'device-silent', text: 'So it was.' } });
    for (let count = 0; count < 300; count += 1) memory.saw({ deviceid: `made-up-${count}` });
    const ids = (of: DeviceMemory): string[] => of.all().map(({ deviceid }) => deviceid);
    assert.deepEqual(ids(memory).slice(0, 4), ['in-use', 'flashed', 'failed', 'made-up-100']);
    assert.equal(memory.all().length, 203);
    now += day / 2;
    memory.saw({ deviceid: 'made-up-299' });
    await memory.settled();
    now += day / 2 + 1;
    memory.forgetOld();
    assert.deepEqual(ids(memory), ['in-use', 'flashed', 'failed', 'made-up-299']);
    await memory.settled();
    now += day / 2;
    const next = at();
    next.forgetOld();
    assert.deepEqual(ids(next), ['flashed', 'failed']);
    await next.settled();
  });

  it('does not forget a device that has a job in its host', async () => {
    const ports = { httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 };
    const host = new FlashHost({ bind: '127.0.0.1', address: '127.0.0.1', ...ports }, undefined);
    const memory = open();
    const firmware = { nameOf: () => undefined, shown: () => ({ options: [], chosen: undefined }) };
    const sentences = ({ code, values }: FlashError) => sentencesOf(code, values);
    const arming = new Arming(SYSTEM_CLOCK, () => undefined);
    const parts = {
      memory,
      firmware: firmware as unknown as FirmwareList,
      images: { of: () => undefined },
      arming,
      sentences,
      reportText: () => '',
      translated: (job: JobSnapshot) => job,
      inSight: () => assert.fail('nobody looks for Sonoffs here'),
    };
    const view = new WorldView(host, parts, () => undefined);
    try {
      host.jobs.jobFor('cloud', ID);
      memory.saw({ deviceid: ID });
      for (let count = 0; count < 300; count += 1) memory.saw({ deviceid: `made-up-${count}` });
      assert.ok(view.world().devices.some(({ deviceid }) => deviceid === ID));
    } finally {
      view.stop();
      await host.close();
      await memory.settled();
    }
  });

  it('starts over where its file is none of its own', async () => {
    const memory = open();
    memory.learn({ deviceid: ID });
    await memory.settled();
    const path = join(folder, 'own', 'node.json');
    for (const content of ['{', '{}', 'null', '{"format":"sonota-home-assistant/1","devices":[{"deviceid":7},null]}']) {
      await writeFile(path, content);
      assert.deepEqual(open().all(), [], content);
      assert.equal(complaints.splice(0).length, 1, content);
    }
  });
});

describe('nodes: how sonota-home-assistant finds out that the broker is there', () => {
  const heard: string[] = [];
  let contact: BrokerContact;
  beforeEach(() => {
    timeStands(['setTimeout']);
    heard.length = 0;
    contact = new BrokerContact({
      knock: () => heard.push('knock'),
      opened: () => heard.push('opened'),
      lost: () => heard.push('lost'),
    });
    contact.start();
  });
  afterEach(() => {
    contact.stop();
    timeGoesOn();
  });

  it('knocks often at first and every minute later', () => {
    const seconds: number[] = [];
    for (let second = 1; second <= 180; second += 1) {
      const before = heard.length;
      timePasses(1000);
      if (heard.length > before) seconds.push(second);
    }
    assert.deepEqual(seconds, [1, 2, 3, 8, 13, 18, 23, 28, 33, 38, 43, 48, 108, 168]);
    assert.deepEqual(heard, Array<string>(1 + seconds.length).fill('knock'));
  });

  it('needs no answer of its own where another instance is heard', () => {
    contact.heard('other');
    assert.deepEqual(heard, ['knock', 'opened']);
    for (let second = 1; second <= 59; second += 1) timePasses(1000);
    contact.heard('other');
    for (let second = 1; second <= 59; second += 1) timePasses(1000);
    assert.deepEqual(heard, ['knock', 'opened']);
    timePasses(1000);
    assert.deepEqual(heard, ['knock', 'opened', 'knock']);
  });

  it('takes its own echo for what it is, and a connect for a connect', () => {
    contact.heard('echo');
    timePasses(60_000);
    contact.heard('echo');
    assert.deepEqual(heard, ['knock', 'opened', 'knock']);
    // Retained messages come only after a new subscription, also where we have just asked.
    timePasses(60_000);
    contact.heard('kept');
    assert.deepEqual(heard.slice(3), ['knock', 'opened']);
    contact.heard('birth');
    assert.deepEqual(heard.slice(5), ['opened']);
    // A message of another instance only shows that the broker is there.
    contact.heard('other');
    assert.deepEqual(heard.slice(6), []);
  });

  it('notices that nothing answers', () => {
    contact.heard('echo');
    timePasses(60_000);
    timePasses(1000);
    assert.deepEqual(heard, ['knock', 'opened', 'knock', 'lost', 'knock']);
    timePasses(1000);
    timePasses(5000);
    assert.deepEqual(heard.slice(5), ['knock', 'knock'], 'it was lost once');
    contact.heard('echo');
    assert.equal(heard.at(-1), 'opened');
  });
});

interface Config {
  origin: unknown;
  components: Record<string, Record<string, unknown>>;
}
