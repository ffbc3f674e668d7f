import assert from 'node:assert/strict';
import { Broker, keptAt, Listener, needMosquitto } from './broker';
import { at, Scene } from './scene';

const FLASHER = 'homeassistant/device/sonota_flasher/config';
const OTHER_FLASHER = /^homeassistant\/device\/sonota_([0-9a-f]{8})\/config$/;

describe('home assistant: two Node-REDs at one Mosquitto', () => {
  let broker: Broker;
  let listener: Listener;
  const scenes: Scene[] = [];

  before(needMosquitto);
  beforeEach(async () => {
    broker = await Broker.start();
    listener = await Listener.at(broker.port);
    listener.passes = () => true;
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') for (const { red } of scenes) console.log(red.log.slice(-20).join('\n'));
    for (const scene of scenes.splice(0)) await scene.close();
    await listener?.close();
    await broker?.stop();
  });

  async function open(): Promise<Scene> {
    const scene = await Scene.open({ broker, overrides: { 'sonota-host': { ssid: '' } } });
    // Two of them say more than the schemas of one know.
    scene.listener.passes = () => true;
    scenes.push(scene);
    return scene;
  }

  /** The first that comes, and the one that finds it there. */
  async function openBoth(): Promise<{ first: Scene; second: Scene; suffix: string }> {
    const first = await open();
    await listener.heard('the first flasher', at(FLASHER));
    const second = await open();
    const config = await listener.heard('the second flasher', ({ topic }) => OTHER_FLASHER.test(topic));
    return { first, second, suffix: String(OTHER_FLASHER.exec(config.topic)?.[1]) };
  }

  const ownerOf = (config: string | undefined): string | undefined => /online ([0-9a-f]{8})/.exec(config ?? '')?.[1];

  it('leaves its ids to the first, gives the second a suffix, and reports it at both', async () => {
    const { suffix } = await openBoth();
    const owner = ownerOf(listener.last(FLASHER));
    assert.ok(owner !== undefined && owner !== suffix);
    for (const state of ['sonota/state', `sonota/${suffix}/state`]) {
      await listener.heard(state, at(state, { code: 'topic-shared', problem: 'ON' }));
    }
    const kept = await keptAt(broker);
    const config = String(kept.get(`homeassistant/device/sonota_${suffix}/config`));
    assert.equal(ownerOf(config), suffix);
    assert.equal((JSON.parse(config) as { device: { name: string } }).device.name, `Sonoff flasher ${suffix}`);
    assert.equal(ownerOf(kept.get(FLASHER)), owner);
  });

  it('starts at the one that is meant', async () => {
    const { suffix } = await openBoth();
    const failed = { event_type: 'failed', error: 'wifi-credentials-missing' };
    const from = listener.messages.length;
    await listener.say(`sonota/set/${suffix}/start`, 'PRESS');
    await listener.heard('the second', at(`sonota/${suffix}/event`, failed), from);
    assert.ok(!listener.messages.slice(from).some(at('sonota/event', failed)));
    const later = listener.messages.length;
    await listener.say('sonota/set/start', 'PRESS');
    await listener.heard('the first', at('sonota/event', failed), later);
    assert.ok(!listener.messages.slice(later).some(at(`sonota/${suffix}/event`, failed)));
  });

  it('keeps the ids of both over their restarts, and reports for each whether it is there', async () => {
    const { first, second, suffix } = await openBoth();
    const owner = String(ownerOf(listener.last(FLASHER)));
    for (const [scene, config, word] of [
      [first, FLASHER, `online ${owner}`],
      [second, `homeassistant/device/sonota_${suffix}/config`, `online ${suffix}`],
    ] as const) {
      const from = listener.messages.length;
      await scene.red.kill();
      await listener.heard('the will', isStatus('offline'), from);
      const stays = word.endsWith(suffix) ? `online ${owner}` : `online ${suffix}`;
      await listener.heard('the other is there still', isStatus(stays), from);
      const later = listener.messages.length;
      await scene.startAgain();
      await listener.heard('there again', isStatus(word), later);
      await listener.heard('under its ids', at(config), later);
    }
    const kept = [...(await keptAt(broker)).keys()].filter((topic) => topic.startsWith('homeassistant/device/'));
    assert.deepEqual(kept.sort(), [FLASHER, `homeassistant/device/sonota_${suffix}/config`].sort());
  });

  it('leaves its ids to one that is off', async () => {
    const first = await open();
    await listener.heard('the first flasher', at(FLASHER));
    const owner = ownerOf(listener.last(FLASHER));
    await first.red.kill();
    await listener.heard('the will', isStatus('offline'));
    await open();
    await listener.heard('the second flasher', ({ topic }) => OTHER_FLASHER.test(topic));
    assert.equal(ownerOf((await keptAt(broker)).get(FLASHER)), owner);
    const from = listener.messages.length;
    await first.startAgain();
    const { payload } = await listener.heard('the first again', at(FLASHER), from);
    assert.equal(ownerOf(payload), owner);
  });

  it('lets one of two that start at the same time have the usual ids', async () => {
    await Promise.all([open(), open()]);
    const config = await listener.heard('one has a suffix', ({ topic }) => OTHER_FLASHER.test(topic));
    const suffix = String(OTHER_FLASHER.exec(config.topic)?.[1]);
    const isTheOthers = ({ topic, payload }: { topic: string; payload: string }): boolean =>
      topic === FLASHER && payload !== '' && ownerOf(payload) !== suffix;
    const from = listener.messages.length;
    await listener.say('homeassistant/status', 'online');
    await listener.heard('the other has none', isTheOthers, from);
    await listener.heard('the second', at(config.topic), from);
    assert.notEqual(ownerOf((await keptAt(broker)).get(FLASHER)), suffix);
  });
});

function isStatus(word: string) {
  return ({ topic, payload }: { topic: string; payload: string }): boolean =>
    topic === 'sonota/status' && payload === word;
}
