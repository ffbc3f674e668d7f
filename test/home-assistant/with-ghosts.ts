import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Flow } from '../shared/node-red';
import { keptAt, needMosquitto } from './broker';
import { at, Scene, type SceneOptions } from './scene';

const ID = '1000a1b2c3';
const FLASHER = 'homeassistant/device/sonota_flasher/config';
const CONFIG = `homeassistant/device/sonota_${ID}/config`;
const UPDATE = `sonota/device/${ID}/update`;
const STATE = `sonota/device/${ID}/state`;
/** Of other programs, and of another flasher. */
const OF_OTHERS = [
  'homeassistant/device/sonota_garage/config',
  'homeassistant/device/lamp/config',
  'sonota/garage/state',
  'sonota/device/other/state',
];

describe('home assistant: no ghosts, with a real Mosquitto and Node-RED', () => {
  let scene: Scene | undefined;

  before(needMosquitto);
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') console.log(scene?.red.log.slice(-40).join('\n'));
    await scene?.close();
    scene = undefined;
  });

  async function open(options: SceneOptions = {}): Promise<Scene> {
    scene = await Scene.open(options);
    return scene;
  }

  /** The same flow with other values at its nodes of a type. */
  const changed = (flow: Flow, type: string, values: Record<string, unknown>): Flow =>
    flow.map((node) => (node.type === type ? { ...node, ...values } : node));

  const isClear =
    (topic: string) =>
    (message: { topic: string; payload: string }): boolean =>
      message.topic === topic && message.payload === '';

  /** The retained messages of the flasher and of the device, by topic. */
  async function ours({ broker }: Scene): Promise<string[]> {
    const kept = await keptAt(broker);
    return [...kept.keys()].filter((topic) => !OF_OTHERS.includes(topic));
  }

  async function othersKeep({ listener }: Scene): Promise<void> {
    for (const topic of OF_OTHERS) await listener.others(topic, '{}');
  }

  async function assertOthersRemain({ broker }: Scene): Promise<void> {
    const kept = await keptAt(broker);
    assert.deepEqual(
      OF_OTHERS.filter((topic) => kept.get(topic) !== '{}'),
      [],
    );
  }

  /** Everything is published again, from the flasher's config on. */
  async function restated({ listener }: Scene): Promise<void> {
    const from = listener.messages.length;
    await listener.say('homeassistant/status', 'online');
    await listener.heard('said again', at(FLASHER), from);
    await listener.heard('to its end', at('sonota/state'), from);
  }

  /** Home Assistant deletes a device: it removes its config from the broker. */
  async function deletedInHomeAssistant(here: Scene, config = CONFIG): Promise<void> {
    await here.listener.others(config, '');
  }

  it('keeps a deleted device deleted while it dials in, until a person asks for it', async () => {
    const here = await open();
    const device = await here.dialsIn();
    await deletedInHomeAssistant(here);
    await here.listener.heard('its states go', isClear(STATE));
    await device.stop();
    await here.device().start();
    await here.ready(ID);
    await restated(here);
    assert.deepEqual((await ours(here)).sort(), [FLASHER, 'sonota/state', 'sonota/status']);
    const from = here.listener.messages.length;
    await here.listener.say('sonota/set/restore', 'PRESS');
    await here.listener.heard('it is back', at(CONFIG), from);
    await here.listener.heard('with its state', at(STATE, { stage: 'idle' }), from);
  });

  it('shows a deleted device again when a flash uses it', async () => {
    const here = await open();
    await here.dialsIn();
    await deletedInHomeAssistant(here);
    await here.listener.heard('its states go', isClear(UPDATE));
    const from = here.listener.messages.length;
    await here.listener.say('sonota/set/start', JSON.stringify({ deviceid: ID }));
    await here.listener.heard('it is back', at(CONFIG), from);
    await here.listener.heard('flashed', at(`sonota/device/${ID}/event`, { event_type: 'succeeded' }), from);
  });

  it('does not let go of a device in work', async () => {
    const here = await open();
    const device = await here.dialsIn({ behaviours: { holdsAtByte: 8192 } });
    await here.install(ID);
    await here.listener.heard('in work', at(STATE, { stage: 'upgrade' }));
    const from = here.listener.messages.length;
    await deletedInHomeAssistant(here);
    await here.listener.heard('it is back', at(CONFIG), from);
    device.behave({ holdsAtByte: undefined });
    await here.listener.heard('flashed', at(STATE, { stage: 'done' }), from);
  });

  it('keeps deleted what was deleted while Node-RED was off', async () => {
    const here = await open();
    await here.dialsIn();
    await here.listener.heard('the device', at(CONFIG));
    await restated(here);
    await here.red.kill();
    await deletedInHomeAssistant(here);
    const from = here.listener.messages.length;
    await here.startAgain();
    await here.listener.heard('said again', at(FLASHER), from);
    await here.ready(ID);
    await restated(here);
    assert.deepEqual((await ours(here)).sort(), [FLASHER, 'sonota/state', 'sonota/status']);
  });

  it('announces everything again at a broker that has lost everything', async () => {
    const here = await open();
    await here.dialsIn();
    await here.listener.heard('the device', at(CONFIG));
    await restated(here);
    await here.red.kill();
    for (const topic of await ours(here)) await here.listener.others(topic, '');
    const from = here.listener.messages.length;
    await here.startAgain();
    await here.listener.heard('the device', at(CONFIG), from);
    await here.listener.heard('its state', at(STATE), from);
  });

  it('keeps a deleted flasher deleted until a person wants something of it', async () => {
    const here = await open();
    await here.dialsIn();
    const from = here.listener.messages.length;
    await deletedInHomeAssistant(here, FLASHER);
    await here.listener.heard('its state goes', isClear('sonota/state'), from);
    await here.listener.say('homeassistant/status', 'online');
    await here.listener.heard('the device stays', at(CONFIG), from);
    assert.ok(!(await ours(here)).includes(FLASHER));
    const later = here.listener.messages.length;
    await here.listener.say('sonota/set/pause', 'PRESS');
    await here.listener.heard('it is back', at(FLASHER), later);
  });

  for (const [how, change, type] of [
    ['deleted', (flow: Flow) => flow.filter((node) => node.type !== 'sonota-home-assistant'), 'full'],
    ['deleted', (flow: Flow) => flow.filter((node) => node.type !== 'sonota-home-assistant'), 'nodes'],
    ['disabled', (flow: Flow) => changed(flow, 'sonota-home-assistant', { d: true }), 'full'],
  ] as const) {
    it(`removes exactly what it has published when the node is ${how} (${type} deploy)`, async () => {
      const here = await open();
      await othersKeep(here);
      await here.dialsIn();
      await here.listener.heard('the device', at(CONFIG));
      const from = here.listener.messages.length;
      await here.red.deploy(change(here.flow), type);
      for (const topic of [FLASHER, CONFIG, UPDATE, STATE, 'sonota/state', 'sonota/status']) {
        await here.listener.heard(`${topic} goes`, isClear(topic), from);
      }
      assert.deepEqual(await ours(here), []);
      await assertOthersRemain(here);
    });
  }

  it('leaves what it cannot remove with its flow to the next node at this broker', async () => {
    const here = await open();
    await othersKeep(here);
    const device = await here.dialsIn();
    await device.stop();
    await here.listener.heard('the device', at(CONFIG));
    await here.red.deploy([]);
    await here.red.kill();
    assert.ok((await ours(here)).includes(CONFIG), 'nothing was there to remove it');
    await here.startAgain();
    const from = here.listener.messages.length;
    await here.red.deploy(withOtherIds(here.flow));
    for (const topic of [CONFIG, UPDATE, STATE]) await here.listener.heard(`${topic} goes`, isClear(topic), from);
    await here.listener.heard('the flasher has its ids', at(FLASHER), from);
    assert.deepEqual((await ours(here)).sort(), [FLASHER, 'sonota/state', 'sonota/status']);
    await assertOthersRemain(here);
  });

  it('hands the entities over to another node at the same mqtt out', async () => {
    const here = await open();
    const device = await here.dialsIn();
    await device.stop();
    await here.listener.heard('the device', at(CONFIG));
    const before = here.listener.last(FLASHER);
    const from = here.listener.messages.length;
    const node = here.flow.find(({ type }) => type === 'sonota-home-assistant');
    const text = JSON.stringify(here.flow).replaceAll(String(node?.id), 'another-node');
    await here.red.deploy(JSON.parse(text) as Flow);
    await here.listener.heard('the device goes', isClear(CONFIG), from);
    const after = await here.listener.heard('the flasher stays', at(FLASHER), from);
    assert.notEqual(after.payload, before, 'of another instance');
    await restated(here);
    assert.ok(!here.listener.messages.slice(from).some(isClear(FLASHER)));
  });

  it('removes what lies under the old prefix and the old topic', async () => {
    const here = await open();
    await othersKeep(here);
    await here.dialsIn();
    await here.listener.heard('the device', at(CONFIG));
    // The schemas know one prefix.
    here.listener.passes = () => true;
    const from = here.listener.messages.length;
    await here.red.deploy(changed(here.flow, 'sonota-home-assistant', { prefix: 'ha' }));
    for (const topic of [FLASHER, CONFIG]) await here.listener.heard(`${topic} goes`, isClear(topic), from);
    await here.listener.heard('the new one', at(`ha/device/sonota_${ID}/config`), from);
    const later = here.listener.messages.length;
    const moved = here.flow.map((node) => {
      if (node.type === 'sonota-home-assistant') return { ...node, prefix: 'ha', topic: 'attic' };
      if (node.type !== 'mqtt in') return node;
      return { ...node, topic: String(node['topic']).replace('sonota/', 'attic/') };
    });
    await here.red.deploy(changed(moved, 'mqtt-broker', { willTopic: 'attic/status', closeTopic: 'attic/status' }));
    for (const topic of [UPDATE, STATE, 'sonota/state', 'sonota/status']) {
      await here.listener.heard(`${topic} goes`, isClear(topic), later);
    }
    await here.listener.heard('the new state', at(`attic/device/${ID}/state`), later);
    assert.deepEqual(
      (await ours(here)).filter((topic) => /^(homeassistant|sonota)/.test(topic)),
      [],
    );
    await assertOthersRemain(here);
  });

  it('works with the flow of an older version, and does not take its birth message for the node', async () => {
    const here = await open({
      change: (flow) => flow.filter((node) => node['topic'] !== 'homeassistant/device/#'),
      overrides: {
        'mqtt-broker': { birthTopic: 'sonota/status', birthQos: '1', birthRetain: 'true', birthPayload: 'online' },
      },
    });
    const device = await here.dialsIn();
    const { payload } = await here.listener.heard('the flasher', at(FLASHER));
    const { availability } = JSON.parse(payload) as { availability: { payload_available: string }[] };
    assert.match(String(availability[0]?.payload_available), /^online [0-9a-f]{8}$/);
    await here.listener.heard('its own word', isWord(availability[0]?.payload_available));
    await here.install(ID);
    assert.equal((await device.ended).result, 'flashed');
  });

  it('names a topic that no mqtt in subscribes to', async () => {
    const here = await open();
    const editor = await here.red.comms();
    const [node] = here.flow.filter(({ type }) => type === 'sonota-home-assistant');
    let from = 0;
    const shows = async (text: string): Promise<void> => {
      const isShown = (): boolean =>
        editor.statuses.slice(from).some(({ id, status }) => id === node?.id && status.text === text);
      while (!isShown()) await once(editor, 'status');
      from = editor.statuses.length;
    };
    try {
      for (const [topic, text] of [
        ['homeassistant/device/#', '0 devices, no mqtt in: homeassistant/device/#'],
        ['sonota/set/#', 'no mqtt in: sonota/set/#'],
        ['sonota/status', 'no mqtt in: sonota/status'],
      ]) {
        await here.red.deploy(here.flow.filter((one) => one['topic'] !== topic));
        await shows(String(text));
      }
      await here.red.deploy(here.flow);
      await shows('0 devices');
    } finally {
      editor.close();
    }
  });
});

function isWord(word: string | undefined) {
  return ({ topic, payload }: { topic: string; payload: string }): boolean =>
    topic === 'sonota/status' && payload === word;
}

/** As an import makes it. */
function withOtherIds(flow: Flow): Flow {
  const ids = flow.map(({ id }) => id);
  let text = JSON.stringify(flow);
  for (const id of ids) text = text.replaceAll(`"${id}"`, `"f${id.slice(1)}"`);
  return JSON.parse(text) as Flow;
}
