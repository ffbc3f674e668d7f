import assert from 'node:assert/strict';
import { keptAt } from './broker';
import type { HomeAssistant } from './home-assistant';
import { RealSuite } from './real-suite';
import { at } from './scene';

const ID = '1000a1b2c3';
const FLASHER = 'homeassistant/device/sonota_flasher/config';
const CONFIG = `homeassistant/device/sonota_${ID}/config`;
const UPDATE = `update.sonota_${ID}_update`;

interface Device {
  readonly id: string;
  readonly identifiers: readonly (readonly string[])[];
  readonly config_entries: readonly string[];
  readonly model: string | null;
  readonly model_id: string | null;
  readonly sw_version: string | null;
}

describe('home assistant: no ghosts in a real one', function () {
  this.timeout(300_000);
  // It clears the topic of a device that was deleted several times, and complains of what comes back.
  const suite = RealSuite.register(() => ({}), [/No device components to cleanup for sonota_/]);
  let ha: HomeAssistant;
  before(() => (ha = suite.ha));

  async function deviceOf(id: string): Promise<Device> {
    const devices = (await ha.api.ask({ type: 'config/device_registry/list' })) as Device[];
    const device = devices.find(({ identifiers }) => identifiers.some((one) => one[1] === id));
    assert.ok(device, id);
    return device;
  }

  it('shows the product, and keeps a device deleted that a person has deleted there', async () => {
    const scene = await suite.open();
    const { listener } = scene;
    const device = await scene.dialsIn();
    await ha.state(UPDATE, ({ state }) => state === 'off');
    const { id, config_entries, model, model_id, sw_version } = await deviceOf(`sonota_${ID}`);
    assert.deepEqual([model, model_id, sw_version], ['Sonoff Basic', 'ITA-GZ1-GL', '1.5.5']);

    // Home Assistant removes the config once for each entity.
    listener.passes = (topic) => topic === CONFIG;
    const from = listener.messages.length;
    const entry = { type: 'config/device_registry/remove_config_entry', device_id: id };
    await ha.api.ask({ ...entry, config_entry_id: config_entries[0] });
    const isGone = (topic: string) => (message: { topic: string; payload: string }) =>
      message.topic === topic && message.payload === '';
    await listener.heard('its config is removed', isGone(CONFIG), from);
    await listener.heard('its states go', isGone(`sonota/device/${ID}/state`), from);
    await device.stop();
    await scene.device().start();
    await scene.ready(ID);
    const later = listener.messages.length;
    await listener.say('homeassistant/status', 'online');
    await listener.heard('all is said again', at(FLASHER), later);
    await listener.heard('to its end', at('sonota/state'), later);
    const kept = [...(await keptAt(scene.broker)).keys()];
    assert.deepEqual(
      kept.filter((topic) => topic.includes(ID)),
      [],
    );
    const before = ha.states.length;
    await ha.call('button.press', { entity_id: 'button.sonota_flasher_restore' });
    await ha.state(UPDATE, ({ state }) => state === 'off', before);
  });

  it('is rid of everything when the node is deleted', async () => {
    const scene = await suite.open();
    await scene.dialsIn();
    await ha.state(UPDATE, ({ state }) => state === 'off');
    const from = ha.states.length;
    await scene.red.deploy(scene.flow.filter(({ type }) => type !== 'sonota-home-assistant'));
    await ha.state(UPDATE, ({ state }) => state === 'removed', from);
    await ha.state('sensor.sonota_flasher_state', ({ state }) => state === 'removed', from);
  });
});
