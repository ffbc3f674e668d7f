import assert from 'node:assert/strict';
import { mosquitto } from './broker';
import { at, Scene } from './scene';

const ID = '1000a1b2c3';
const UPDATE = `sonota/device/${ID}/update`;
const STATE = `sonota/device/${ID}/state`;
const EVENT = `sonota/device/${ID}/event`;

describe('home assistant: with a real Mosquitto and the core mqtt nodes', function () {
  this.timeout(90_000);
  let scene: Scene | undefined;

  before(function () {
    if (mosquitto()) return;
    console.log('    Skipped: there is no mosquitto on this machine.');
    this.skip();
  });
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  it('INSTALL flashes a device to the end', async () => {
    scene = await Scene.open();
    const { listener } = scene;
    await listener.heard('the flasher', at('homeassistant/device/sonota_flasher/config'));
    await listener.heard('online', ({ topic, payload }) => topic === 'sonota/status' && payload === 'online');
    const device = scene.device({ behaviours: { blockPauseMs: 20 } });
    await device.start();
    await scene.announced(ID);
    assert.deepEqual(scene.update(ID), {
      installed_version: 'ITEAD 1.5.5',
      latest_version: 'Tasmota 15.0.1',
      release_summary: '',
      in_progress: false,
      update_percentage: null,
    });
    await scene.install(ID);
    await listener.heard('done', at(STATE, { stage: 'done' }));
    assert.equal((await device.ended).result, 'flashed');
    await listener.heard('at rest', at(UPDATE, { in_progress: false, installed_version: 'Tasmota 15.0.1' }));
    const percents = listener.messages
      .filter(at(UPDATE, { in_progress: true }))
      .map(({ payload }) => (JSON.parse(payload) as { update_percentage: number | null }).update_percentage);
    assert.ok(new Set(percents).size >= 4, `too few steps to call it progress: ${percents.join()}`);
    const events = listener.messages.filter(at(EVENT)).map(({ payload }) => (JSON.parse(payload) as Event).event_type);
    assert.deepEqual([events[0], events.at(-1)], ['started', 'succeeded']);
  });
});

interface Event {
  event_type: string;
}
