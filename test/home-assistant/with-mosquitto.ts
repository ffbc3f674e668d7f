import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { examine } from '../../lib/image';
import { needMosquitto } from './broker';
import { at, NEW_FIRMWARE, Scene } from './scene';

const ID = '1000a1b2c3';
const UPDATE = `sonota/device/${ID}/update`;
const STATE = `sonota/device/${ID}/state`;
const EVENT = `sonota/device/${ID}/event`;
/** Slow enough for a progress that can be looked at. */
const SLOWLY = { behaviours: { blockPauseMs: 60 } };

describe('home assistant: with a real Mosquitto and the core mqtt nodes', () => {
  let scene: Scene | undefined;

  before(needMosquitto);
  afterEach(async () => {
    await scene?.close();
    scene = undefined;
  });

  /** The types of the events of the device, in their order. */
  function events({ listener }: Scene): unknown[] {
    return listener.messages.filter(at(EVENT)).map(({ payload }) => (JSON.parse(payload) as Event).event_type);
  }

  it('INSTALL flashes a device to the end', async () => {
    scene = await Scene.open();
    const { listener } = scene;
    const flasher = 'homeassistant/device/sonota_flasher/config';
    const config = JSON.parse((await listener.heard('the flasher', at(flasher))).payload) as Config;
    assert.equal(config.device.name, 'Sonoff flasher');
    assert.equal(config.components['retry']?.name, 'Retry failed');
    await listener.heard(
      'online',
      ({ topic, payload }) => topic === 'sonota/status' && /^online [0-9a-f]{8}$/.test(payload),
    );
    const device = await scene.dialsIn(SLOWLY);
    assert.deepEqual(scene.update(ID), {
      installed_version: 'ITEAD 1.5.5',
      latest_version: 'ITEAD 1.5.5',
      release_summary: 'Turn on the switch "Allow flashing" of this device first: the update is offered for an hour.',
      in_progress: false,
      update_percentage: null,
    });
    await scene.arm(ID);
    const { sha256 } = examine(await readFile(scene.image('final')), 'finalstage');
    await listener.heard('which image', ({ topic, payload }) => topic === UPDATE && payload.includes(sha256));
    assert.equal(scene.update(ID)['latest_version'], NEW_FIRMWARE);
    await listener.say(`sonota/set/install/${ID}`, 'INSTALL');
    await listener.heard('the arming is used up', at(STATE, { armed: 'OFF' }), listener.messages.length - 1);
    await listener.heard('done', at(STATE, { stage: 'done', error: 'none' }));
    assert.equal((await device.ended).result, 'flashed');
    await listener.heard('at rest', at(UPDATE, { in_progress: false, installed_version: NEW_FIRMWARE }));
    await listener.heard('told', at(EVENT, { event_type: 'succeeded' }));
    const percents = listener.messages
      .filter(at(UPDATE, { in_progress: true }))
      .map(({ payload }) => (JSON.parse(payload) as Progress).update_percentage);
    assert.ok(new Set(percents).size >= 5, `too few steps to call it progress: ${percents.join()}`);
    assert.ok(events(scene).includes('started'));
    assert.equal(events(scene).at(-1), 'succeeded');
    await listener.heard(
      'the flasher at rest',
      at('sonota/state', { state: 'idle', done: 1, failed: 0, percent: 100 }),
    );
  });

  it('a flash that fails ends at rest, with its code and what to do', async () => {
    scene = await Scene.open();
    const { listener } = scene;
    await scene.dialsIn({ behaviours: { refusesWith: 406 } });
    await scene.install(ID);
    await listener.heard('failed', at(STATE, { stage: 'failed', error: 'model-refused' }));
    await listener.heard('told', at(EVENT, { event_type: 'failed', error: 'model-refused' }));
    assert.equal(scene.update(ID)['in_progress'], false);
    assert.notEqual(scene.update(ID)['release_summary'], '');
    assert.equal(events(scene).at(-1), 'failed');
    await listener.heard('counted', at('sonota/state', { state: 'idle', failed: 1 }));
  });

  it('hands on what a flash waits for, before the device takes its next step', async () => {
    scene = await Scene.open({ credentials: { 'sonota-host': { password: 'top secret' } } });
    const { listener } = scene;
    const before = await scene.dialsIn();
    await before.stop();
    await scene.install(ID);
    const event = { event_type: 'waiting', deviceid: ID, stage: 'cloud', hand_needed: false };
    const told = await listener.heard('it is switched off', at(EVENT, event));
    const { text } = JSON.parse(told.payload) as { text: string };
    assert.match(text, new RegExp(ID));
    await listener.heard('in the release summary', at(UPDATE, { release_summary: text, in_progress: true }));
    await listener.heard('as an attribute', at(STATE, { waiting: true, text }));
    const after = scene.device();
    await after.start();
    await listener.heard('flashed', at(EVENT, { event_type: 'succeeded' }));
    await listener.say('sonota/set/start', 'PRESS');
    const first = { event_type: 'waiting', stage: 'provision', hand_needed: true };
    const asked = await listener.heard('hold the button', at('sonota/event', first));
    const { text: instruction } = JSON.parse(asked.payload) as { text: string };
    assert.match(instruction, /^Hold the button/);
    await listener.heard('a hand is needed', at('sonota/state', { hand_needed: 'ON', instruction }));
    const from = listener.messages.length;
    await listener.say('sonota/set/cancel', 'PRESS');
    await listener.heard('cancelled', at('sonota/state', { hand_needed: 'OFF', queue: 0 }), from);
    await listener.say(`sonota/set/cancel/${ID}`, 'PRESS');
    await listener.heard('nothing more', at(EVENT, { event_type: 'refused', error: 'cancel-nothing' }), from);
  });

  it('reports a flash that fails before its device is known, until one ends well', async () => {
    scene = await Scene.open({ overrides: { 'sonota-host': { ssid: '' }, 'sonota-queue': { attempts: '1' } } });
    const { listener } = scene;
    await listener.heard('the flasher', at('sonota/state'));
    await listener.say('sonota/set/start', 'PRESS');
    const error = 'wifi-credentials-missing';
    const event = await listener.heard('failed', at('sonota/event', { event_type: 'failed', error }));
    const { text, remedy } = JSON.parse(event.payload) as { text: string; remedy: string };
    assert.ok(text.endsWith(remedy) && text.length > remedy.length, text);
    const hasFailure = ({ topic, payload }: { topic: string; payload: string }): boolean =>
      topic === 'sonota/state' && payload.includes(error);
    await listener.heard('kept as the last failure', hasFailure);
    await scene.dialsIn();
    const from = listener.messages.length;
    await scene.install(ID);
    await listener.heard('succeeded', at('sonota/event', { event_type: 'succeeded', deviceid: ID }));
    await listener.heard('cleared', at('sonota/state', { last_failure: null, state: 'idle' }), from);
  });

  it('keeps the last failure over a restart, and reports it once', async () => {
    scene = await Scene.open({ overrides: { 'sonota-host': { ssid: '' }, 'sonota-queue': { attempts: '1' } } });
    const { listener } = scene;
    await listener.heard('the flasher', at('sonota/state'));
    await listener.say('sonota/set/start', 'PRESS');
    const error = 'wifi-credentials-missing';
    await listener.heard('failed', at('sonota/event', { event_type: 'failed', error }));
    await scene.restart();
    const from = listener.messages.length;
    const { payload } = await listener.heard('there again', at('sonota/state'), from);
    const { last_failure } = JSON.parse(payload) as { last_failure: { code: string; remedy: string } };
    assert.equal(last_failure.code, error);
    await listener.say('homeassistant/status', 'online');
    await listener.heard('again', at('homeassistant/device/sonota_flasher/config'), from);
    assert.ok(!listener.messages.slice(from).some(at('sonota/event', { event_type: 'failed' })));
  });

  it("reports a device's failure in Node-RED's language", async () => {
    scene = await Scene.open({ nodeRed: { settings: { lang: 'de' } } });
    const { listener } = scene;
    await scene.dialsIn({ behaviours: { refusesWith: 406 } });
    await scene.install(ID);
    const told = await listener.heard('failed', at(STATE, { stage: 'failed', stage_name: 'Fehlgeschlagen' }));
    const { error, error_name, text } = JSON.parse(told.payload) as Record<string, string>;
    assert.equal(error, 'model-refused');
    assert.ok(error_name?.startsWith('Das Gerät') && text?.startsWith(error_name), `${error_name}; ${text}`);
    const event = await listener.heard('told', at(EVENT, { event_type: 'failed' }));
    assert.equal((JSON.parse(event.payload) as { text: string }).text, text);
    await listener.heard('in the update', at(UPDATE, { in_progress: false, release_summary: text }));
  });

  it('says offline by the will when it is killed, and in_progress false before anything else afterwards', async () => {
    scene = await Scene.open();
    const { listener } = scene;
    const device = await scene.dialsIn(SLOWLY);
    await scene.install(ID);
    await listener.heard(
      'in the middle of it',
      (message) => at(UPDATE, { in_progress: true })(message) && isHalfWay(message),
    );
    const from = listener.messages.length;
    await scene.restart();
    await listener.heard('offline', ({ topic, payload }) => topic === 'sonota/status' && payload === 'offline', from);
    const online = ({ topic, payload }: { topic: string; payload: string }): boolean =>
      topic === 'sonota/status' && payload.startsWith('online');
    await listener.heard('online', online, from);
    await listener.heard('at rest', at(UPDATE), from);
    const first = listener.messages.slice(from).find(at(UPDATE));
    assert.equal((JSON.parse(first?.payload ?? '{}') as Progress).in_progress, false);
    // The flash itself continues where it was.
    await listener.heard('done', at(STATE, { stage: 'done' }), from);
    await listener.heard('at rest', at(UPDATE, { in_progress: false, installed_version: NEW_FIRMWARE }), from);
    assert.equal((await device.ended).result, 'flashed');
  });

  it('a kept INSTALL starts nothing, whenever Node-RED or the broker comes', async () => {
    scene = await Scene.open();
    const { listener } = scene;
    await scene.dialsIn();
    // The broker sends what it retains to new subscribers: after a restart the node gets it, marked as retained.
    await scene.arm(ID);
    await listener.say(`sonota/set/install/${ID}`, 'INSTALL', true);
    await listener.heard('the first, which was said just now', at(EVENT, { event_type: 'succeeded' }));
    const from = listener.messages.length;
    await scene.restart();
    await listener.heard('everything again', at(STATE), from);
    await listener.say('homeassistant/status', 'online');
    const again = listener.messages.length;
    await listener.heard('everything once more', at(STATE), again);
    assert.deepEqual(
      listener.messages
        .slice(from)
        .filter((message) => at(EVENT)(message) || at(UPDATE, { in_progress: true })(message)),
      [],
    );
  });

  it('flashes no device that is not armed, whatever is installed, and reports why', async () => {
    scene = await Scene.open();
    const { listener } = scene;
    const devices = [ID, '1000d4e5f6', '1000f6e5d4'];
    for (const deviceid of devices) await scene.dialsIn({ deviceid });
    for (const deviceid of devices) await listener.say(`sonota/set/install/${deviceid}`, 'INSTALL');
    for (const deviceid of devices) {
      const refusal = { event_type: 'refused', deviceid, error: 'not-armed' };
      await listener.heard('refused', at(`sonota/device/${deviceid}/event`, refusal));
      await listener.heard('told at the flasher', at('sonota/event', refusal));
    }
    await listener.say('homeassistant/status', 'online');
    const from = listener.messages.length;
    for (const deviceid of devices) {
      const rest = at(`sonota/device/${deviceid}/state`, { stage: 'idle', armed: 'OFF' });
      await listener.heard('still at rest', rest, from);
    }
  });

  it('republishes everything when Home Assistant starts', async () => {
    scene = await Scene.open();
    const { listener } = scene;
    await scene.dialsIn();
    const from = listener.messages.length;
    await listener.say('homeassistant/status', 'online');
    for (const topic of [
      'homeassistant/device/sonota_flasher/config',
      `homeassistant/device/sonota_${ID}/config`,
      UPDATE,
    ]) {
      await listener.heard(topic, at(topic), from);
    }
  });
});

function isHalfWay({ payload }: { payload: string }): boolean {
  const percent = (JSON.parse(payload) as Progress).update_percentage ?? 0;
  return percent >= 25 && percent < 55;
}

interface Event {
  event_type: string;
}

interface Progress {
  in_progress: boolean;
  update_percentage: number | null;
}

interface Config {
  device: { name: string };
  components: Record<string, { name: string }>;
}
