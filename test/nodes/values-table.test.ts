import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { hosts } from '../../nodes/shared/hosts';
import { packageRoot } from '../shared/package-root';
import type { Flow } from '../shared/node-red';
import { Bed, ofNodeRed, type Msg } from './bed';
import * as rows from './value-rows';
import { READ, type Row } from './value-rows';

const HOME = { ssid: 'home', password: 'secret-1' };
const NOBODY = 'http://127.0.0.1:1';
const UNUSABLE = 'wifi-credentials-unusable';
const ID = '1000a1b2c3';

/** Every property that a node reads, with what it may be given. */
interface Node {
  /** What is the same for each instance, and for each message to it. */
  readonly base?: Record<string, unknown>;
  readonly message?: Record<string, unknown>;
  /** What the form leaves open where a message is tried: what it says there would win. */
  readonly open?: Record<string, unknown>;
  /** What its first done says where a value was read; most wait for a device until they are cancelled. */
  readonly read?: string;
  readonly form: Record<string, readonly Row[]>;
  readonly credentials?: Record<string, readonly Row[]>;
  readonly messages: Record<string, readonly Row[]>;
}

const wifi = { ssid: rows.exactText('home', UNUSABLE), password: rows.exactText('secret-1', UNUSABLE) };
/** There the space is a row of the table that comes out. */
const checkedWifi = { ssid: rows.exactText('home', READ), password: rows.exactText('secret-1', READ) };

const NODES: Record<string, Node> = {
  'sonota-host': {
    base: { bind: '127.0.0.1', address: '127.0.0.1', httpsPort: 0, legacyPort: 0, httpPort: 0, finalStagePort: 0 },
    form: {
      ssid: wifi.ssid,
      address: rows.text('127.0.0.1').filter(([given]) => Boolean(given)),
      bind: rows.text('127.0.0.1').filter(([given]) => Boolean(given)),
      httpsPort: rows.openedPort,
      legacyPort: rows.openedPort,
      httpPort: rows.openedPort,
      finalStagePort: rows.openedPort,
      wifi: rows.choice('manual'),
      wifiInterface: rows.text('wlan0'),
      wifiUplink: rows.text('wlan0'),
    },
    credentials: { password: wifi.password },
    messages: {},
  },
  'sonota-firmware': {
    base: { user1: 'rehearsal:', user2: 'rehearsal:', final: 'rehearsal:' },
    form: {
      user1: rows.image,
      user2: rows.image,
      final: rows.image,
      intermediate: rows.text('one-hop'),
      digests: rows.object,
    },
    messages: {},
  },
  'sonota-flash': {
    base: { apUrl: NOBODY },
    message: HOME,
    open: { firmware: '' },
    form: {
      host: rows.host,
      ssid: wifi.ssid,
      image: rows.text('rehearsal:'),
      firmware: rows.firmwareId,
      method: rows.choice('diy'),
      intermediate: rows.text('one-hop'),
      unlock: rows.choice('local'),
      clicks: rows.flag,
      deviceid: rows.deviceid,
      timeout: rows.seconds,
      force: rows.flag,
      apUrl: rows.url,
      finalStageUrl: rows.url,
      newFirmwareUrl: rows.url,
    },
    credentials: { password: wifi.password },
    messages: {
      deviceid: rows.deviceid,
      address: rows.url,
      unlock: rows.choice('local'),
      method: rows.choice('diy'),
      firmware: rows.firmware,
      ...wifi,
      stage: rows.choice('provision'),
      cancel: rows.cancel,
    },
  },
  'sonota-provision': {
    base: { url: NOBODY },
    message: HOME,
    form: {
      host: rows.host,
      url: rows.url,
      deviceid: rows.deviceid,
      method: rows.choice('diy'),
      timeout: rows.seconds,
    },
    messages: {
      deviceid: rows.deviceid,
      ...wifi,
      method: rows.choice('diy'),
      force: rows.flag,
      cancel: rows.cancel,
    },
  },
  'sonota-cloud-emulator': {
    form: { host: rows.host, every: rows.flag, timeout: rows.seconds, force: rows.flag },
    messages: { deviceid: rows.deviceid, cancel: rows.cancel },
  },
  'sonota-ota-serve': {
    message: { deviceid: ID, firmware: 'made up' },
    form: { host: rows.host, firmware: rows.firmwareId, timeout: rows.seconds, force: rows.flag },
    messages: { deviceid: rows.deviceid, firmware: rows.firmware, newfirmware: rows.url, cancel: rows.cancel },
  },
  'sonota-finalstage-watch': {
    base: { url: NOBODY },
    message: { firmware: 'made up' },
    form: { host: rows.host, firmware: rows.firmwareId, url: rows.url, timeout: rows.seconds },
    messages: { deviceid: rows.deviceid, firmware: rows.firmware, cancel: rows.cancel },
  },
  'sonota-diy-flash': {
    base: { address: NOBODY },
    message: { firmware: 'made up' },
    form: {
      host: rows.host,
      firmware: rows.firmwareId,
      address: rows.url,
      unlock: rows.choice('local'),
      clicks: rows.flag,
      timeout: rows.seconds,
      force: rows.flag,
    },
    messages: {
      deviceid: rows.deviceid,
      firmware: rows.firmware,
      address: rows.url,
      unlock: rows.choice('local'),
      cancel: rows.cancel,
    },
  },
  'sonota-new-firmware': {
    form: { host: rows.host, url: rows.url, timeout: rows.seconds },
    messages: { deviceid: rows.deviceid, newfirmware: rows.url, rescue: rows.flag, cancel: rows.cancel },
  },
  'sonota-queue': {
    read: 'ok',
    form: { host: rows.host, atOnce: rows.count, attempts: rows.count },
    messages: {
      deviceid: rows.deviceid,
      deviceids: rows.deviceids,
      queue: rows.choice('pause'),
      count: rows.count,
      all: rows.flag,
      cancel: rows.cancel,
    },
  },
  'sonota-tasmota-setup': {
    base: { url: NOBODY },
    message: HOME,
    form: {
      host: rows.host,
      url: rows.url.filter(([given]) => Boolean(given)),
      address: rows.url,
      topic: rows.text('washer'),
      deviceName: rows.text('Washer'),
      template: rows.text('6'),
      mqttHost: rows.text('broker.lan'),
      mqttPort: rows.port,
      timeout: rows.seconds,
    },
    credentials: {
      mqttUser: rows.exactText('me', READ),
      mqttPassword: rows.exactText('long secret', READ),
      webPassword: rows.exactText('long secret', READ),
    },
    messages: { sonota: rows.anything, address: rows.url, tasmota: rows.object, ...wifi, cancel: rows.cancel },
  },
  'sonota-wifi': {
    base: { action: 'join', ssid: 'a network', timeout: '30' },
    open: { action: '', ssid: '' },
    message: { action: 'join', ssid: 'a network' },
    form: {
      host: rows.host,
      action: rows.choice('join', 'wifi-action-unknown').filter(([given]) => Boolean(given)),
      ssid: wifi.ssid,
      address: [
        ...rows.text('192.168.4.2/24').filter(([given]) => typeof given !== 'object' || given === null),
        ['192.168.4.2', 'wifi-address-invalid'],
      ],
      timeout: rows.seconds,
      stay: rows.seconds,
    },
    credentials: { password: wifi.password },
    messages: {
      action: rows.choice('join', 'wifi-action-unknown').filter(([given]) => Boolean(given)),
      ...wifi,
      bssid: rows.text('5E:CF:7F:A1:B2:C3'),
      address: [...rows.text('192.168.4.2/24'), ['192.168.4.2', 'wifi-address-invalid']],
      cancel: rows.cancel,
    },
  },
  'sonota-discover': {
    form: { host: rows.host },
    messages: { sweep: rows.flag, devices: rows.devices, cancel: rows.cancel },
  },
  'sonota-preflight': {
    read: 'ok',
    form: { host: rows.host, firmware: rows.firmwareId },
    messages: { firmware: rows.firmware, ...checkedWifi },
  },
  'sonota-home-assistant': {
    read: 'ok',
    form: {
      host: rows.host,
      firmware: rows.firmwareId,
      prefix: rows.text('homeassistant'),
      topic: rows.text('sonota'),
    },
    // Its help names topics instead of properties.
    messages: { topic: rows.text('sonota/set/start'), payload: rows.anything, retain: rows.flag },
  },
  'sonota-image-doctor': {
    message: { payload: 'rehearsal:' },
    read: 'ok',
    form: { road: rows.choice('diy', 'road-unknown') },
    messages: { payload: rows.image, target: rows.choice('diy', 'road-unknown') },
  },
  'sonota-virtual-device': {
    base: { apPort: 0, speed: 100 },
    read: 'ok',
    form: {
      kind: rows.choice('diy'),
      apAddress: rows.text('127.0.0.1'),
      apPort: rows.openedPort,
      deviceid: rows.deviceid,
      model: rows.text('PSC-B01-GL'),
      romVersion: rows.text('1.5.5'),
      transport: rows.choice('range'),
      slot: [...rows.choice('2'), [2, READ], [3, 'value-invalid']],
      fault: rows.choice('garbage'),
      speed: rows.factor,
      livesOn: rows.flag,
      homePort: rows.port,
      newApPort: rows.port,
      diyVersion: rows.choice('3.5.0'),
      diyStart: rows.choice('access-point'),
      diyFault: rows.choice('unlock-500'),
      lanPort: rows.port,
      dns: rows.text('127.0.0.1'),
      vendorPort: rows.port,
    },
    messages: {
      payload: rows.anything,
      evidence: [
        ['', READ],
        ['no evidence', 'value-invalid'],
        [{}, 'value-invalid'],
      ],
      cancel: rows.cancel,
    },
  },
};

/** What every config has that is no value for a node to read. */
const NO_VALUE = ['version', 'name'];

interface Case {
  /** For people, and the id of its own node. */
  readonly id: string;
  readonly expected: string;
  /** The node that gets the message. */
  readonly to: string;
  readonly message: Record<string, unknown>;
  /** The node that is made for this case, with its credentials. */
  readonly node?: Flow[number] | undefined;
  readonly credentials?: Record<string, string> | undefined;
}

function place(type: string, id: string, more: Record<string, unknown> = {}): Flow[number] {
  const { base = {} } = NODES[type] ?? {};
  const isConfig = type === 'sonota-host' || type === 'sonota-firmware';
  const where = isConfig ? {} : { z: 'tab', x: 1, y: 1, host: 'host', wires: [[], [], []] };
  return { id, type, ...where, ...base, ...more };
}

/** One case for each row of each property. */
function casesOf(type: string): Case[] {
  const { form, credentials = {}, messages, message = {}, open = {}, read = 'cancelled' } = NODES[type] as Node;
  const expectedOf = (outcome: string): string => (outcome === READ ? read : outcome);
  const name = (property: string, index: number): string => `${type}.${property}.${index}`;
  const formCases = Object.entries(form).flatMap(([property, given]) =>
    given.map(([value, outcome], index): Case => {
      const id = name(property, index);
      const expected = expectedOf(outcome);
      return { id, expected, to: id, message, node: place(type, id, { [property]: value }) };
    }),
  );
  const secretCases = Object.entries(credentials).flatMap(([property, given]) =>
    given.map(([value, outcome], index): Case => {
      const id = name(property, index);
      const own = { [property]: value } as Record<string, string>;
      return { id, expected: expectedOf(outcome), to: id, message, node: place(type, id), credentials: own };
    }),
  );
  const messageCases = Object.entries(messages).flatMap(([property, given]) =>
    given.map(([value, outcome], index): Case => {
      const own = property === 'cancel' ? { deviceid: `cancel-${index}` } : {};
      const id = name(`msg.${property}`, index);
      const node = index === 0 ? place(type, `${type}.msg.${property}`, open) : undefined;
      const to = `${type}.msg.${property}`;
      return { id, expected: expectedOf(outcome), to, message: { ...message, ...own, [property]: value }, node };
    }),
  );
  return [...formCases, ...secretCases, ...messageCases];
}

/** A config node is tried through a node that uses it. */
function throughUser(type: string, one: Case): { user: Flow[number][]; to: string; message: Record<string, unknown> } {
  if (type === 'sonota-host') {
    const user = place('sonota-provision', `${one.id}.user`, { host: one.id });
    return { user: [user], to: user.id, message: HOME };
  }
  if (type === 'sonota-firmware') {
    return { user: [], to: 'upgrade', message: { deviceid: ID, firmware: one.id } };
  }
  return { user: [], to: one.to, message: one.message };
}

const BASE: Flow = [
  { id: 'tab', type: 'tab', label: 'values' },
  place('sonota-host', 'host', { wifi: 'manual' }),
  place('sonota-firmware', 'firmware', { name: 'made up' }),
  place('sonota-firmware', 'twice-1', { name: 'twice' }),
  place('sonota-firmware', 'twice-2', { name: 'twice' }),
  place('sonota-ota-serve', 'upgrade'),
];

describe('nodes: every value of every node', () => {
  let bed: Bed | undefined;
  afterEach(async () => {
    await bed?.unload();
    bed = undefined;
  });

  for (const type of Object.keys(NODES)) {
    it(`${type} reads or refuses it`, async () => {
      const cases = casesOf(type).map((one) => ({ ...one, ...throughUser(type, one) }));
      const flow = [...BASE, ...cases.flatMap(({ node, user }) => [...(node ? [node] : []), ...user])];
      const secrets = cases.flatMap(({ id, credentials }) => (credentials ? [[id, credentials] as const] : []));
      bed = await Bed.load(flow, Object.fromEntries(secrets));
      for (const { id, to, message } of cases) bed.send(to, { ...structuredClone(message), mine: id });
      for (const to of new Set(cases.map((one) => one.to))) bed.send(to, { cancel: true });
      const seen: Record<string, string> = {};
      for (const { id } of cases) seen[id] = await outcomeOf(bed, id);
      assert.deepEqual(seen, Object.fromEntries(cases.map(({ id, expected }) => [id, expected])));
      const cancelling = new Set(
        cases.filter(({ expected }) => expected === 'ok').map((one) => one.message['deviceid']),
      );
      for (const [, host] of hosts.all()) {
        const started = [...host.jobs.all(), ...host.queue.snapshot().entries].map(({ deviceid }) => deviceid);
        if (NODES[type]?.read === undefined) {
          assert.deepEqual(
            started.filter((one) => /^cancel-/.test(one ?? '') && cancelling.has(one)),
            [],
            'a message that cancels starts nothing',
          );
        }
      }
    });
  }

  it('has a row for each property of each form', () => {
    for (const [type, { defaults, credentials }] of Object.entries(editorDefinitions())) {
      const { form, credentials: own = {} } = NODES[type] as Node;
      const wanted = Object.keys(defaults).filter((name) => !NO_VALUE.includes(name));
      assert.deepEqual(Object.keys(form).sort(), wanted.sort(), type);
      assert.deepEqual(Object.keys(own).sort(), Object.keys(credentials).sort(), `credentials of ${type}`);
    }
    assert.deepEqual(Object.keys(editorDefinitions()).sort(), Object.keys(NODES).sort());
  });

  it('keeps each secret of a form as the editor does: a password is never sent back to it', async () => {
    bed = await Bed.load(BASE);
    type Secrets = Record<string, { type: string }>;
    const runtime = ofNodeRed('@node-red/runtime/lib/nodes/credentials.js') as {
      getDefinition(type: string): Secrets | undefined;
    };
    for (const [type, { credentials }] of Object.entries(editorDefinitions())) {
      const kept = runtime.getDefinition(type) ?? {};
      assert.deepEqual(kept, structuredClone(credentials), type);
      for (const [name, { type: kind }] of Object.entries(kept)) {
        assert.equal(kind, /password/i.test(name) ? 'password' : 'text', `${name} of ${type}`);
      }
    }
  });

  it('has a row for each documented property of a message', () => {
    for (const [type, { messages }] of Object.entries(NODES)) {
      if (type === 'sonota-home-assistant') continue;
      assert.deepEqual(Object.keys(messages).sort(), documentedInputs(type).sort(), type);
    }
  });
});

/** The first thing that became of a message. */
async function outcomeOf(bed: Bed, mine: string): Promise<string> {
  const error = await bed.outcome((msg: Msg) => msg['mine'] === mine);
  return error === undefined ? 'ok' : ((error as { code?: string }).code ?? inspect(error));
}

interface EditorDefinition {
  defaults: Record<string, unknown>;
  credentials: Record<string, unknown>;
}

/** What the editor's scripts register. */
function editorDefinitions(): Record<string, EditorDefinition> {
  const found: Record<string, EditorDefinition> = {};
  const registerType = (type: string, { defaults, credentials = {} }: EditorDefinition): void => {
    found[type] = { defaults, credentials };
  };
  const nodes = join(packageRoot(), 'dist', 'nodes');
  for (const type of readdirSync(nodes).filter((name) => name.startsWith('sonota-'))) {
    const page = readFileSync(join(nodes, type, `${type}.html`), 'utf8');
    for (const [, script = ''] of page.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)) {
      runInNewContext(script, { RED: { nodes: { registerType } } });
    }
  }
  return found;
}

/** The names of the message's properties in the English help. */
function documentedInputs(type: string): string[] {
  const help = readFileSync(join(packageRoot(), 'nodes', type, 'locales', 'en-US', `${type}.html`), 'utf8');
  const inputs = /<h3>Inputs<\/h3>([\s\S]*?)<\/dl>/.exec(help)?.[1] ?? '';
  return [...inputs.matchAll(/<dt[^>]*>([\w, ]+)/g)].flatMap(([, names = '']) => names.trim().split(/,\s*/));
}
