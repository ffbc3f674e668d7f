import assert from 'node:assert/strict';
import type { MqttMessage } from '../../lib/home-assistant';
import { Schemas } from './schemas';
import { CheckedMirror, DEVICE, EMPTY, FIRMWARE, ID } from './snapshots';

const CONFIG = `homeassistant/device/sonota_${ID}/config`;
const UPDATE = `sonota/device/${ID}/update`;
const STATE = `sonota/device/${ID}/state`;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what is spoiled has no type
type Json = Record<string, any>;

/** Each a thing that Home Assistant drops in silence, or does wrong in silence. */
const FAULTS: readonly [what: string, topic: string, spoil: (content: Json) => void, retain?: boolean][] = [
  ['an unknown key at the root', CONFIG, (config) => (config['extra'] = 1)],
  ['an unknown key in the device', CONFIG, (config) => (config['device'].room = 'hall')],
  ['an unknown key in the origin', CONFIG, (config) => (config['origin'].url = 'http://x')],
  ['no origin', CONFIG, (config) => delete config['origin']],
  ['no identifiers', CONFIG, (config) => delete config['device'].identifiers],
  ['a via_device that is not there', CONFIG, (config) => (config['device'].via_device = 'sonota_other')],
  ['an entity without unique_id', CONFIG, (config) => delete config['components'].stage.unique_id],
  ['a unique_id twice', CONFIG, (config) => (config['components'].stage.unique_id = `sonota_${ID}_error`)],
  ['a letter in an id', CONFIG, (config) => (config['components'].stage.unique_id = 'sonota_ä')],
  ['object_id', CONFIG, (config) => (config['components'].stage.object_id = 'x')],
  ['no payload_install', CONFIG, (config) => delete config['components'].update.payload_install],
  ['kept commands', CONFIG, (config) => (config['components'].update.retain = true)],
  ['an enum without options', CONFIG, (config) => delete config['components'].stage.options],
  ['no event_types', CONFIG, (config) => delete config['components'].event.event_types],
  ['a config that is not kept', CONFIG, () => undefined, false],
  ['an unknown key in the update', UPDATE, (state) => (state['stage'] = 'cloud')],
  ['a version that is null', UPDATE, (state) => (state['installed_version'] = null)],
  ['more than 100 %', UPDATE, (state) => Object.assign(state, { in_progress: true, update_percentage: 101 })],
  ['no in_progress', UPDATE, (state) => delete state['in_progress']],
  ['no update_percentage', UPDATE, (state) => delete state['update_percentage']],
  ['a percent of nothing', UPDATE, (state) => (state['update_percentage'] = 3)],
  ['a summary that is too long', UPDATE, (state) => (state['release_summary'] = 'x'.repeat(256))],
  ['an update that is not kept', UPDATE, () => undefined, false],
  ['a stage that was not announced', STATE, (state) => (state['stage_name'] = 'flying')],
  ['a state that is too long', STATE, (state) => (state['error_name'] = 'x'.repeat(256))],
  ['a state without its value', STATE, (state) => delete state['stage_name']],
];

describe('home assistant: the schemas of the tests', () => {
  let messages: MqttMessage[];
  beforeEach(() => {
    messages = new CheckedMirror().everything({ ...EMPTY, devices: [DEVICE], firmware: FIRMWARE });
  });

  for (const [what, topic, spoil, retain = true] of FAULTS) {
    it(`refuse ${what}`, () => {
      const schemas = new Schemas();
      const spoiled = messages.map((message) => {
        if (message.topic !== topic) return message;
        const content = JSON.parse(message.payload) as Json;
        spoil(content);
        return { ...message, payload: JSON.stringify(content), retain };
      });
      assert.notDeepEqual(spoiled, messages);
      assert.throws(() => spoiled.forEach((message) => schemas.take(message)), { name: 'AssertionError' });
    });
  }

  it('refuse a progress that falls, and an event that is kept', () => {
    const schemas = new Schemas();
    for (const message of messages) schemas.take(message);
    const update = (update_percentage: number): MqttMessage => ({
      topic: UPDATE,
      payload: JSON.stringify({ in_progress: true, update_percentage }),
      qos: 1,
      retain: true,
    });
    schemas.take(update(40));
    assert.throws(() => schemas.take(update(39)), /back to 39/);
    const event = { topic: `sonota/device/${ID}/event`, payload: '{"event_type":"started"}', qos: 1 as const };
    schemas.take({ ...event, retain: false });
    assert.throws(() => schemas.take({ ...event, retain: true }), /a kept event/);
    assert.throws(() => schemas.take({ ...event, payload: '{"event_type":"x"}', retain: false }), /not announced/);
  });

  it('refuse a topic without a config, and a removal of what is not there', () => {
    const schemas = new Schemas();
    const kept = { payload: '{}', qos: 1 as const, retain: true };
    assert.throws(() => schemas.take({ ...kept, topic: 'sonota/device/x/state' }), /nobody was told/);
    assert.throws(() => schemas.take({ ...kept, topic: CONFIG, payload: '' }), /not there/);
    assert.throws(() => schemas.take({ ...kept, topic: 'homeassistant/sensor/x/config' }), /no discovery topic/);
    assert.throws(() => schemas.take({ ...kept, topic: 'sonota/status', payload: 'gone' }), /sonota.status/);
  });
});
