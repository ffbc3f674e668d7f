import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { FlashError, sentencesOf } from '../../lib/errors';
import { readCommand, type Incoming, type MqttMessage, type Snapshot } from '../../lib/home-assistant';
import { BrokerLink, type BrokerState } from '../../nodes/sonota-home-assistant/broker-link';
import { Publications } from '../../nodes/sonota-home-assistant/publications';
import { DEVICE, EMPTY, ID, job, NAMES, phrase, STATES } from '../home-assistant/snapshots';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const FLASHER = 'homeassistant/device/sonota_flasher/config';
const ALL = ['sonota/set/#', 'sonota/status', 'homeassistant/status', 'homeassistant/device/#'];
let nodes = 0;

describe('nodes: how sonota-home-assistant starts beside others', () => {
  let link: BrokerLink;
  let instance: string;
  let nodeId: string;
  let state: BrokerState | undefined;
  /** The host's snapshot; undefined where there is none. */
  let world: Snapshot | undefined;
  const published: MqttMessage[] = [];
  const deleted: string[] = [];
  const failed: unknown[] = [];
  /** Called before each message that goes out. */
  let onPublish: (message: MqttMessage) => void;

  interface Begin {
    readonly folder?: string;
    readonly base?: string;
    /** Of a node that was there before. */
    readonly again?: string;
  }

  function begin(filters: readonly string[] | undefined, { folder, base = 'sonota', again }: Begin = {}): void {
    const publications = Publications.in(folder, assert.fail);
    nodeId = again ?? `broker-link-${(nodes += 1)}`;
    const own = publications.arrives(nodeId);
    instance = own.instance;
    link = new BrokerLink(
      {
        ...{ own, publications, phrase, names: NAMES, states: STATES, version: '0.1.0' },
        topics: { prefix: 'homeassistant', base },
        sentences: ({ code, values }) => sentencesOf(code, values),
        wiring: { outlets: ['out'], broker: 'localhost:1883', filters },
      },
      {
        world: () => {
          if (!world) throw new Error('there is no world');
          return world;
        },
        publish: (message) => {
          onPublish(message);
          published.push(message);
        },
        deleted: (config) => deleted.push(config),
        contact: (now) => (state = now),
        failed: (error) => failed.push(error),
      },
    );
    link.start();
  }

  beforeEach(() => {
    timeStands(['setTimeout']);
    published.length = 0;
    world = EMPTY;
    state = undefined;
    onPublish = () => undefined;
  });
  afterEach(async () => {
    timeGoesOn();
    await link.stop(false);
    assert.deepEqual([deleted.splice(0), failed.splice(0)], [[], []]);
  });

  function hear(topic: string, payload: string, retain = false): void {
    const incoming: Incoming = { topic, payload, retain };
    const command = readCommand(link.topics, incoming, []);
    if (command.kind === 'heard' || command.kind === 'config' || command.kind === 'configs-heard') {
      link.take(command, retain);
    } else assert.fail(command.kind);
  }

  /** What comes when so much time has passed. */
  async function after(ms: number): Promise<void> {
    timePasses(ms);
    // What is published has been written to the disk before.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  const configs = (): string[] =>
    published.splice(0).flatMap(({ topic, payload }) => (topic.endsWith('/config') && payload !== '' ? [topic] : []));
  const configOf = (other: string): string =>
    JSON.stringify({ availability: [{ topic: 'sonota/status', payload_available: `online ${other}` }] });

  it('announces nothing before it has heard every config that the broker has', async () => {
    begin(ALL);
    hear('sonota/status', 'offline', true);
    await after(1000);
    const knock = 'homeassistant/device/sonota_flasher/knock';
    assert.deepEqual(
      published.filter(({ topic }) => topic.endsWith('/knock')),
      [{ topic: knock, payload: instance, qos: 1, retain: false }],
    );
    assert.deepEqual(configs(), []);
    link.take({ kind: 'home-assistant-online' }, false);
    await after(1000);
    assert.deepEqual(configs(), [], 'nor when Home Assistant asks');
    hear('homeassistant/device/sonota_flasher/knock', 'ffffffff');
    await after(1000);
    assert.deepEqual(configs(), [], "another instance's knock");
    hear(knock, instance);
    await after(200);
    assert.deepEqual(configs(), [FLASHER]);
    hear(knock, instance);
    await after(1000);
    assert.deepEqual(configs(), [], 'its second echo asks for nothing');
  });

  it('gives way where the configs at the broker show that another one was first, whatever its id', async () => {
    begin(ALL);
    hear('sonota/status', 'offline', true);
    hear(FLASHER, configOf('ffffffff'), true);
    hear('homeassistant/device/sonota_flasher/knock', instance);
    await after(200);
    assert.deepEqual(configs(), [`homeassistant/device/sonota_${instance}/config`]);
  });

  it('does not wait for configs without end, nor where no mqtt in brings them', async () => {
    begin(ALL);
    hear('sonota/status', 'offline', true);
    await after(4999);
    await after(0);
    assert.deepEqual(configs(), []);
    await after(1);
    await after(100);
    assert.deepEqual(configs(), [FLASHER]);
    await link.stop(false);
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(200);
    assert.deepEqual(configs(), [FLASHER]);
    assert.deepEqual([state?.missing, state?.isMissed], ['homeassistant/device/#', false]);
  });

  it('stays or gives way by the ids where both were first, so that one of the two stays', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(200);
    assert.deepEqual(configs(), [FLASHER]);
    hear(FLASHER, configOf('ffffffff'));
    await after(200);
    assert.deepEqual(configs(), [FLASHER], 'the greater id gives way');
    hear(FLASHER, configOf('00000000'));
    await after(200);
    assert.deepEqual(configs(), [`homeassistant/device/sonota_${instance}/config`]);
    hear(FLASHER, configOf('ffffffff'));
    await after(200);
    assert.deepEqual(configs(), [], 'that one is none of its own now');
  });

  for (const [other, who] of [
    ['ffffffff', 'stays'],
    ['00000000', 'gives way'],
  ] as const) {
    it(`${who} where ${other} starts at the same time and neither has announced anything`, async () => {
      begin(ALL);
      hear('sonota/status', 'offline', true);
      hear('sonota/status', `online ${other}`);
      hear('homeassistant/device/sonota_flasher/knock', instance);
      await after(200);
      const own = `homeassistant/device/sonota_${instance}/config`;
      assert.deepEqual(configs(), [who === 'stays' ? FLASHER : own]);
      assert.equal(state?.other?.code, 'topic-shared');
    });
  }

  it('has given way for good: after a restart it starts beside the other one, which need not be there', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(200);
    hear(FLASHER, configOf('00000000'));
    await after(200);
    await link.stop(false);
    published.length = 0;
    begin(ALL.slice(0, 3), { again: nodeId });
    hear('sonota/status', 'offline', true);
    await after(200);
    assert.deepEqual(configs(), [`homeassistant/device/sonota_${instance}/config`]);
  });

  it('publishes nothing under names that it gives up while it writes down what it is to publish', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-link-'));
    try {
      begin(ALL.slice(0, 3), { folder });
      hear('sonota/status', 'offline', true);
      timePasses(100);
      await Promise.resolve();
      hear(FLASHER, configOf('00000000'));
      timePasses(100);
      const own = [`homeassistant/device/sonota_${instance}/config`, `sonota/${instance}/state`];
      while (!published.some(({ topic }) => topic === own[1])) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(topics(), own);
      await link.stop(false);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('does not give way to a node of its own Node-RED that is gone', async () => {
    const all = Publications.in(undefined, assert.fail);
    const gone = all.arrives('broker-link-gone-before');
    all.leaves('broker-link-gone-before');
    begin(ALL.slice(0, 3));
    hear('sonota/status', `online ${gone.instance}`, true);
    hear(FLASHER, configOf(gone.instance), true);
    await after(200);
    assert.deepEqual([configs(), state?.other], [[FLASHER], undefined]);
  });

  it('leaves alone what was its own before it gave way, though the other one removes that', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(200);
    hear(FLASHER, configOf('00000000'));
    await after(200);
    topics();
    hear(FLASHER, '');
    link.take({ kind: 'home-assistant-online' }, false);
    await after(1000);
    const said = topics();
    assert.ok(said.includes(`homeassistant/device/sonota_${instance}/config`), said.join());
    assert.ok(!said.some((topic) => topic.startsWith('-')), said.join());
  });

  it('leaves its former names to the other one also where the echo of its own config comes behind that of the other', async () => {
    begin(ALL);
    hear('sonota/status', 'offline', true);
    hear('homeassistant/device/sonota_flasher/knock', instance);
    await after(200);
    topics();
    hear(FLASHER, configOf('00000000'));
    hear(FLASHER, configOf(instance));
    await after(200);
    assert.deepEqual(
      topics().filter((topic) => topic.startsWith('-')),
      [],
    );
  });

  it('gives way to one that says that it is there, and reports it for as long as that is so', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'online ffffffff', true);
    await after(200);
    assert.deepEqual(configs(), [`homeassistant/device/sonota_${instance}/config`]);
    assert.equal(state?.other?.code, 'topic-shared');
    assert.deepEqual(state.other.values, { instance: 'ffffffff', topic: 'sonota/status' });
    hear('sonota/status', 'offline');
    link.lookSoon();
    await after(300);
    assert.equal(state?.other, undefined);
    hear('sonota/status', 'online ffffffff');
    assert.equal((state as BrokerState | undefined)?.other?.code, 'topic-shared');
  });

  /** Reached, and all announced. */
  async function announced(): Promise<void> {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(200);
  }

  /** Topics of what went out since, `-` before those that were cleared. */
  const topics = (): string[] =>
    published
      .splice(0)
      .flatMap(({ topic, payload }) => (topic === 'sonota/status' ? [] : [(payload === '' ? '-' : '') + topic]));
  const [CONFIG, UPDATE, STATE] = [
    `homeassistant/device/sonota_${ID}/config`,
    `sonota/device/${ID}/update`,
    `sonota/device/${ID}/state`,
  ] as const;
  const withDevice: Snapshot = { ...EMPTY, devices: [DEVICE] };

  it('notices a device that a person deleted, and not of one that it has removed itself', async () => {
    world = withDevice;
    await announced();
    assert.deepEqual(configs(), [FLASHER, CONFIG]);
    hear('homeassistant/device/sonota_other/config', '');
    hear(CONFIG, '');
    assert.deepEqual(deleted.splice(0), [CONFIG]);
    published.length = 0;
    world = EMPTY;
    await after(300);
    assert.deepEqual(topics(), [`-${UPDATE}`, `-${STATE}`], 'its config is gone already');
    link.take({ kind: 'home-assistant-online' }, false);
    await after(1000);
    assert.deepEqual(topics(), [FLASHER, 'sonota/state'], 'it is not removed again');
    world = withDevice;
    link.lookSoon();
    await after(300);
    assert.deepEqual(topics(), [CONFIG, UPDATE, STATE, 'sonota/event']);
    world = EMPTY;
    link.lookSoon();
    await after(300);
    assert.deepEqual(topics(), [`-${CONFIG}`, `-${UPDATE}`, `-${STATE}`]);
    hear(CONFIG, '');
    assert.deepEqual(deleted, [], 'the echo of its own');
  });

  it('clears what a node that is gone has left under a config that is no other instance’s any more', async () => {
    const left = Publications.in(undefined, assert.fail);
    const broker = 'localhost:1883';
    const states = ['sonota/device/1000000009/update', 'sonota/device/1000000009/state'];
    const config = 'homeassistant/device/sonota_1000000009/config';
    const leave = (nodeId: string): Promise<void> => {
      const gone = left.arrives(nodeId);
      left.leaves(nodeId);
      return gone.set({ broker, outlets: ['out'], groups: [{ config, states }] });
    };
    const connect = async (...heard: string[]): Promise<string[]> => {
      hear('sonota/status', 'offline', true);
      for (const payload of heard) hear(config, payload);
      hear('homeassistant/device/sonota_flasher/knock', instance);
      await after(200);
      return topics().filter((topic) => topic.startsWith('-'));
    };
    begin(ALL);
    await leave('broker-link-gone-1');
    assert.deepEqual(await connect(configOf('ffffffff')), [], 'it is of another instance');
    await leave('broker-link-gone-2');
    const cleared = [config, ...states].map((topic) => `-${topic}`);
    assert.deepEqual(await connect(configOf('ffffffff'), ''), cleared, 'that one has removed it');
  });

  it('finds out at the next connect what was deleted in between', async () => {
    world = withDevice;
    begin(ALL);
    const connect = async (...kept: string[]): Promise<void> => {
      hear('sonota/status', `online ${instance}`, true);
      for (const config of kept) hear(config, configOf(instance), true);
      hear('homeassistant/device/sonota_flasher/knock', instance);
      await after(200);
    };
    await connect();
    for (const config of configs()) hear(config, configOf(instance));
    await connect(FLASHER, CONFIG);
    assert.deepEqual(deleted, []);
    await connect(FLASHER);
    assert.deepEqual(deleted.splice(0), [CONFIG]);
    await connect();
    assert.deepEqual(deleted, [], 'the broker has lost everything');
  });

  it('takes nothing for deleted while it does not know all that the broker has', async () => {
    world = withDevice;
    begin(ALL);
    const connect = (...kept: string[]): void => {
      hear('sonota/status', `online ${instance}`, true);
      for (const config of kept) hear(config, configOf(instance), true);
    };
    connect();
    hear('homeassistant/device/sonota_flasher/knock', instance);
    await after(200);
    for (const config of configs()) hear(config, configOf(instance));
    connect(FLASHER);
    await after(5000);
    await after(100);
    assert.deepEqual([deleted, configs()], [[], [FLASHER, CONFIG]]);
  });

  it('removes what went while the broker was not reached once it is reached again, and once', async () => {
    world = withDevice;
    await announced();
    // Two knocks without an answer.
    await after(60_000);
    await after(1000);
    assert.equal(state?.isReached, false);
    world = EMPTY;
    link.lookSoon();
    await after(300);
    topics();
    // The next look comes between the connect and the announcement.
    link.lookSoon();
    await after(200);
    hear('sonota/status', `online ${instance}`);
    await after(50);
    await after(50);
    const removed = (): string[] => topics().filter((topic) => topic.startsWith('-'));
    assert.deepEqual(removed(), [`-${CONFIG}`, `-${UPDATE}`, `-${STATE}`]);
    link.take({ kind: 'home-assistant-online' }, false);
    await after(1000);
    assert.deepEqual(removed(), []);
  });

  it('ends a flash that an earlier run had published before it publishes its own, at its first connect alone', async () => {
    const running = job({ stage: 'upgrade', percent: 40 });
    const queue = { isPaused: false, waiting: ['1000000002'], counts: { waiting: 1, done: 0, failed: 0 }, percent: 20 };
    const devices = [DEVICE, { deviceid: '1000000002' }];
    world = { ...EMPTY, devices, jobs: [running], queue };
    // Of this name alone: what is published in this process is remembered.
    begin(ALL.slice(0, 3), { base: 'cellar' });
    const progress = (): unknown[] =>
      published.splice(0).flatMap(({ topic, payload }) => {
        if (!topic.endsWith('/update')) return [];
        const update = JSON.parse(payload) as Record<string, unknown>;
        return [[topic.split('/')[2], update['in_progress'], update['update_percentage']]];
      });
    hear('cellar/status', 'offline', true);
    await after(200);
    const now = [
      [ID, true, 40],
      ['1000000002', true, null],
    ];
    assert.deepEqual(progress(), [[ID, false, null], ['1000000002', false, null], ...now]);
    link.take({ kind: 'home-assistant-online' }, false);
    await after(1000);
    assert.deepEqual(progress(), now);
  });

  it('says nothing of the host before the broker is reached, and all of it when it is reached again', async () => {
    begin(ALL.slice(0, 3));
    link.lookSoon();
    link.take({ kind: 'home-assistant-online' }, false);
    await after(2000);
    assert.deepEqual([topics(), state?.isReached], [[], false]);
    hear('sonota/status', `online ${instance}`);
    await after(200);
    assert.deepEqual([topics(), state?.isReached], [[FLASHER, 'sonota/state'], true]);
    // No answer to a knock.
    await after(60_000);
    await after(1000);
    assert.equal(state?.isReached, false);
    link.take({ kind: 'home-assistant-online' }, false);
    await after(1000);
    assert.deepEqual(topics(), []);
    hear('sonota/status', `online ${instance}`);
    await after(200);
    assert.deepEqual([topics(), state?.isReached], [[FLASHER, 'sonota/state'], true]);
  });

  it('says everything again when Home Assistant has started, and that it is there when another message denies it', async () => {
    await announced();
    topics();
    link.take({ kind: 'home-assistant-online' }, false);
    await after(1000);
    assert.deepEqual([published[0]?.topic, published[0]?.payload], ['sonota/status', `online ${instance}`]);
    assert.deepEqual(topics(), [FLASHER, 'sonota/state']);
    hear('sonota/status', 'offline');
    assert.deepEqual(
      published.splice(0).map(({ topic, payload, retain }) => [topic, payload, retain]),
      [['sonota/status', `online ${instance}`, true]],
    );
    hear('sonota/status', 'online ffffffff');
    assert.deepEqual(
      published.filter(({ topic }) => topic === 'sonota/status'),
      [],
      'nobody has denied it',
    );
  });

  it('says everything again at each connect, and at no other message under its status topic', async () => {
    await announced();
    topics();
    for (const [payload, isKept, expected] of [
      ['online', false, [FLASHER, 'sonota/state']],
      [`online ${instance}`, false, []],
      // It was there first: the other one gives way, whichever id is the smaller one.
      ['online 00000000', false, ['sonota/state']],
      ['online 00000000', false, []],
      [`online ${instance}`, true, [FLASHER, 'sonota/state']],
    ] as const) {
      hear('sonota/status', payload, isKept);
      await after(300);
      assert.deepEqual(topics(), expected, payload);
    }
  });

  it('takes the message of any instance for a sign that the broker is there', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'online ffffffff');
    await after(200);
    assert.deepEqual([state?.isReached, configs()], [true, [`homeassistant/device/sonota_${instance}/config`]]);
  });

  it('announces once for a connect that is noticed twice, and publishes the changes of a quarter of a second in one go', async () => {
    begin(ALL.slice(0, 3));
    hear('sonota/status', 'offline', true);
    await after(99);
    hear('sonota/status', 'online');
    await after(99);
    assert.deepEqual(topics(), []);
    await after(1);
    assert.deepEqual(topics(), [FLASHER, 'sonota/state']);
    world = withDevice;
    link.lookSoon();
    await after(200);
    world = { ...withDevice, devices: [{ ...DEVICE, romVersion: '1.5.6' }] };
    link.lookSoon();
    await after(49);
    assert.deepEqual(topics(), []);
    await after(1);
    assert.deepEqual(topics(), [CONFIG, UPDATE, STATE, 'sonota/event']);
    await after(1000);
    assert.deepEqual(topics(), []);
  });

  it('is known to have said that it is there, though it is deleted before the broker was reached', async () => {
    begin(ALL);
    await after(0);
    const all = Publications.in(undefined, assert.fail);
    all.leaves(`broker-link-${nodes}`);
    const left = all.leftovers().filter((one) => one.instance === instance);
    assert.deepEqual(
      left.map(({ broker, groups }) => [broker, groups]),
      [['localhost:1883', [{ states: ['sonota/status'] }]]],
    );
    for (const one of left) one.drop();
  });

  it('waits up to a second with its answer to the start of Home Assistant, which all instances hear', async () => {
    await announced();
    topics();
    const chance = mock.method(Math, 'random', () => 0.999);
    try {
      link.take({ kind: 'home-assistant-online' }, false);
      await after(998);
      assert.deepEqual(topics(), []);
      await after(1);
      assert.deepEqual(topics(), [FLASHER, 'sonota/state']);
    } finally {
      chance.mock.restore();
    }
  });

  it('tells no news of what is so when it starts, nor when it gives way', async () => {
    const failed = { id: 1, code: 'device-silent', text: 'So it was.', remedy: 'Do so.', deviceid: ID } as const;
    world = { ...withDevice, failures: [failed] };
    await announced();
    assert.ok(!topics().some((topic) => topic.endsWith('/event')));
    hear('sonota/status', 'online 00000000');
    hear(FLASHER, configOf('00000000'));
    await after(200);
    const said = topics();
    assert.ok(said.includes(`homeassistant/device/sonota_${instance}/config`), said.join());
    assert.ok(!said.some((topic) => topic.endsWith('/event')), said.join());
  });

  it('says goodbye where it is removed alone, and nothing after that', async () => {
    await announced();
    published.length = 0;
    await link.stop(false);
    assert.deepEqual(published, [], 'it will be back');
    await announced();
    published.length = 0;
    link.lookSoon();
    link.take({ kind: 'home-assistant-online' }, false);
    await link.stop(true);
    assert.deepEqual(
      published.splice(0).map(({ topic, payload, retain }) => [topic, payload, retain]),
      [['sonota/status', 'offline', true]],
    );
    link.refuse(undefined, new FlashError('cancel-nothing'));
    state = undefined;
    await after(120_000);
    assert.deepEqual([published, state], [[], undefined]);
  });

  it('has all on disk once it has stopped', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-link-'));
    try {
      begin(ALL, { folder });
      await link.stop(false);
      assert.deepEqual(readdirSync(folder), [`${nodeId}.published.json`]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('reports a refusal under the device where that is known, and under the flasher', async () => {
    world = withDevice;
    await announced();
    topics();
    link.refuse(ID, new FlashError('not-armed', { deviceid: ID }));
    assert.deepEqual(topics(), [`sonota/device/${ID}/event`, 'sonota/event']);
    link.refuse('1000ffffff', new FlashError('not-armed', { deviceid: '1000ffffff' }));
    link.refuse(undefined, new FlashError('cancel-nothing'));
    const event = (code: 'not-armed' | 'cancel-nothing', named: { deviceid?: string } = {}): MqttMessage => {
      const { what, remedy } = sentencesOf(code, named);
      const refusal = { event_type: 'refused', ...named, error: code, text: `${what} ${remedy}`, remedy };
      return { topic: 'sonota/event', payload: JSON.stringify(refusal), qos: 1, retain: false };
    };
    assert.deepEqual(published, [event('not-armed', { deviceid: '1000ffffff' }), event('cancel-nothing')]);
  });

  for (const [what, filters, missing, isMissed] of [
    ['every topic', ALL, undefined, false],
    ['whatever there is', ['#'], undefined, false],
    ['what cannot be read from the flow', undefined, undefined, false],
    ['nothing', [], 'sonota/status', true],
    ['its status alone', ['sonota/status'], 'sonota/set/#', true],
    ['no commands', ['sonota/status', 'homeassistant/#'], 'sonota/set/#', true],
    ['nothing of Home Assistant', ['sonota/#'], 'homeassistant/status', true],
    ['no configs', ALL.slice(0, 3), 'homeassistant/device/#', false],
  ] as const) {
    it(`shows what is not heard where mqtt in brings ${what}`, () => {
      begin(filters);
      assert.deepEqual(state, { isReached: false, missing, isMissed, other: undefined });
    });
  }

  it('misses nothing where a client of another kind brings what is heard', () => {
    begin([]);
    hear('sonota/status', 'online');
    assert.deepEqual(state, { isReached: true, missing: undefined, isMissed: false, other: undefined });
  });

  it('shows in Home Assistant that another instance is in its place, unless something worse is wrong', async () => {
    await announced();
    topics();
    hear('sonota/status', 'online ffffffff');
    await after(300);
    const told = (): unknown =>
      published.splice(0).flatMap(({ topic, payload }) => {
        if (topic !== 'sonota/state') return [];
        const { problem, code, text } = JSON.parse(payload) as Record<string, unknown>;
        return [[problem, code, text]];
      });
    const { what, remedy } = sentencesOf('topic-shared', { instance: 'ffffffff', topic: 'sonota/status' });
    assert.deepEqual(told(), [['ON', 'topic-shared', `${what} ${remedy}`]]);
    world = { ...EMPTY, trouble: { code: 'port-in-use', text: 'So it is.' } };
    link.lookSoon();
    await after(300);
    assert.deepEqual(told(), [['ON', 'port-in-use', 'So it is.']]);
  });

  it('reports what fails, and continues', async () => {
    await announced();
    topics();
    world = undefined;
    link.lookSoon();
    await after(300);
    assert.match(String(failed.splice(0)), /there is no world/);
    world = withDevice;
    link.lookSoon();
    await after(300);
    assert.deepEqual(topics(), [CONFIG, UPDATE, STATE, 'sonota/event']);
  });

  it('has on disk what it is to publish before it does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-link-'));
    try {
      world = withDevice;
      const early: string[] = [];
      onPublish = ({ topic }) => {
        if (topic.endsWith('/knock') || topic === 'sonota/status') return;
        const names = readdirSync(folder).filter((name) => name.endsWith('.published.json'));
        if (!names.some((name) => readFileSync(join(folder, name), 'utf8').includes(`"${topic}"`))) early.push(topic);
      };
      begin(ALL.slice(0, 3), { folder });
      hear('sonota/status', 'offline', true);
      timePasses(200);
      while (!published.some(({ topic }) => topic === STATE)) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(early, []);
      await link.stop(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
