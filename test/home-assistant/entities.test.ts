import assert from 'node:assert/strict';
import { DiscoveryPublisher, Topics, type ShownDevice, type Snapshot } from '../../lib/home-assistant';
import { CheckedMirror, DEVICE, EMPTY, FIRMWARE, ID, INSTANCE, NAMES, phrase, STATES, under } from './snapshots';

const ONE: Snapshot = { ...EMPTY, devices: [DEVICE], firmware: FIRMWARE };
const FLASHER = 'homeassistant/device/sonota_flasher/config';
const CONFIG = `homeassistant/device/sonota_${ID}/config`;
const [UPDATE, STATE] = [`sonota/device/${ID}/update`, `sonota/device/${ID}/state`];

type Component = Record<string, unknown>;
interface Config {
  device: Record<string, unknown>;
  origin: unknown;
  availability: unknown;
  components: Record<string, Component>;
}

function configOf(topic: string, snapshot: Snapshot = ONE): Config {
  return under(new CheckedMirror().news(snapshot), topic) as unknown as Config;
}

/** A sensor whose state is one value of a topic. */
const shows = (topic: string, key: string): Component => ({
  state_topic: topic,
  value_template: `{{ value_json.${key} }}`,
});
const explains = (topic: string, keys: Record<string, string>): Component => ({
  json_attributes_topic: topic,
  json_attributes_template: `{{ {${Object.entries(keys)
    .map(([name, key]) => `'${name}': value_json.${key}`)
    .join(', ')}} | tojson }}`,
});
const presses = (command: string): Component => ({ command_topic: `sonota/set/${command}`, payload_press: 'PRESS' });
const switches = (command: string, state: string): Component => ({
  ...shows(state, 'armed'),
  ...{ command_topic: `sonota/set/${command}`, payload_on: 'ON', payload_off: 'OFF', entity_category: 'config' },
});

/** Each with its platform, the end of its ids, and all that Home Assistant does with it. */
const OF_DEVICE: Record<string, readonly [platform: string, key: string, does: Component]> = {
  update: [
    'update',
    'update',
    {
      ...{ state_topic: UPDATE, command_topic: `sonota/set/install/${ID}`, payload_install: 'INSTALL' },
      device_class: 'firmware',
    },
  ],
  stage: [
    'sensor',
    'stage',
    {
      ...shows(STATE, 'stage_name'),
      device_class: 'enum',
      options: [
        ...['idle', 'queued', 'provision', 'provision-waiting', 'cloud', 'cloud-waiting', 'upgrade', 'upgrade-waiting'],
        ...['diy', 'diy-waiting', 'finalstage', 'finalstage-waiting', 'newfirmware', 'newfirmware-waiting'],
        ...['done', 'failed'],
      ].map((name) => `The ${name}`),
      json_attributes_topic: STATE,
    },
  ],
  error: [
    'sensor',
    'error',
    { ...shows(STATE, 'error_name'), ...explains(STATE, { code: 'error', text: 'text', remedy: 'remedy' }) },
  ],
  hand_needed: [
    'binary_sensor',
    'hand_needed',
    { ...shows(STATE, 'hand_needed'), ...explains(STATE, { text: 'text' }) },
  ],
  arm: ['switch', 'arm', switches(`arm/${ID}`, STATE)],
  event: [
    'event',
    'result',
    {
      state_topic: `sonota/device/${ID}/event`,
      event_types: ['queued', 'started', 'stage', 'waiting', 'succeeded', 'failed', 'refused'],
    },
  ],
  cancel: ['button', 'cancel', presses(`cancel/${ID}`)],
  remove: ['button', 'remove', { ...presses(`remove/${ID}`), entity_category: 'config' }],
};

const OF_FLASHER: typeof OF_DEVICE = {
  state: [
    'sensor',
    'state',
    {
      ...shows('sonota/state', 'state_name'),
      device_class: 'enum',
      options: ['idle', 'waiting', 'flashing', 'paused'].map((name) => `The flasher-${name}`),
      ...explains('sonota/state', { code: 'state' }),
    },
  ],
  queue: ['sensor', 'queue', { ...shows('sonota/state', 'queue'), state_class: 'measurement' }],
  done: ['sensor', 'done', { ...shows('sonota/state', 'done'), state_class: 'measurement' }],
  failed: [
    'sensor',
    'failed',
    {
      ...{ ...shows('sonota/state', 'failed'), state_class: 'measurement' },
      ...explains('sonota/state', { last_failure: 'last_failure' }),
    },
  ],
  found: [
    'sensor',
    'found',
    {
      ...{ ...shows('sonota/state', 'found'), state_class: 'measurement' },
      ...explains('sonota/state', { devices: 'found_devices' }),
    },
  ],
  percent: ['sensor', 'percent', { ...shows('sonota/state', 'percent'), unit_of_measurement: '%' }],
  problem: [
    'binary_sensor',
    'problem',
    {
      ...{ ...shows('sonota/state', 'problem'), device_class: 'problem' },
      ...explains('sonota/state', { code: 'code', text: 'text' }),
    },
  ],
  hand_needed: [
    'binary_sensor',
    'hand_needed',
    { ...shows('sonota/state', 'hand_needed'), ...explains('sonota/state', { text: 'instruction' }) },
  ],
  start: ['button', 'start', presses('start')],
  pause: ['button', 'pause', presses('pause')],
  retry: ['button', 'retry', presses('retry')],
  cancel_all: ['button', 'cancel_all', presses('cancel')],
  restore: ['button', 'restore', { ...presses('restore'), entity_category: 'config' }],
  arm_all: ['switch', 'arm_all', switches('arm', 'sonota/state')],
  firmware: [
    'select',
    'firmware',
    {
      ...shows('sonota/state', 'firmware'),
      command_topic: 'sonota/set/firmware',
      options: ['Tasmota 15', 'ESPHome'],
    },
  ],
  event: [
    'event',
    'events',
    {
      state_topic: 'sonota/event',
      event_types: ['device_found', 'started', 'waiting', 'succeeded', 'failed', 'finished', 'refused'],
    },
  ],
};

/** Icons are a matter of taste. */
function withoutIcons(components: Record<string, Component>): Record<string, Component> {
  return Object.fromEntries(Object.entries(components).map(([key, { icon: _, ...rest }]) => [key, rest]));
}

function announced(id: string, entities: typeof OF_DEVICE): Record<string, Component> {
  return Object.fromEntries(
    Object.entries(entities).map(([name, [platform, key, does]]) => {
      const ids = { unique_id: `${id}_${key}`, default_entity_id: `${platform}.${id}_${key}` };
      return [name, { platform, ...ids, name: key, ...does }];
    }),
  );
}

describe('home assistant: how it is announced', () => {
  const ours = {
    origin: { name: '@sonota/node-red', sw_version: '0.1.0' },
    availability: [{ topic: 'sonota/status', payload_available: `online ${INSTANCE}` }],
  };

  it('a device, with its entities', () => {
    const { components, ...rest } = configOf(CONFIG);
    const device = {
      ...{ identifiers: [`sonota_${ID}`], name: `Sonoff ${ID}`, manufacturer: 'ITEAD', serial_number: ID },
      ...{ via_device: 'sonota_flasher', model: 'Sonoff Basic', model_id: 'ITA-GZ1-GL', sw_version: '1.5.5' },
    };
    assert.deepEqual(rest, { device, ...ours });
    assert.deepEqual(withoutIcons(components), announced(`sonota_${ID}`, OF_DEVICE));
    assert.ok(Object.values(components).every(({ icon }) => /^mdi:[a-z-]+$/.test(String(icon))));
  });

  it('the flasher, with its entities', () => {
    const { components, ...rest } = configOf(FLASHER, { ...ONE, sonoffs: [] });
    const device = { identifiers: ['sonota_flasher'], name: 'flasher', manufacturer: 'Sonota', sw_version: '0.1.0' };
    assert.deepEqual(rest, { device, ...ours });
    assert.deepEqual(withoutIcons(components), announced('sonota_flasher', OF_FLASHER));
  });

  it('what there is no more is announced as removed', () => {
    const { components } = configOf(FLASHER, { ...ONE, firmware: { options: [], chosen: undefined } });
    assert.deepEqual([components['firmware'], components['found']], [{ platform: 'select' }, { platform: 'sensor' }]);
  });

  for (const [model, names] of [
    ['PSA-B01-GL', { model: 'Sonoff S20', model_id: 'PSA-B01-GL' }],
    ['PSX-NEW', { model: 'PSX-NEW' }],
    ['x'.repeat(300), { model: `${'x'.repeat(254)}…` }],
    [undefined, {}],
  ] as const) {
    it(`a device of the model ${String(model).slice(0, 20)}`, () => {
      const device: ShownDevice = { deviceid: ID, model, romVersion: '1.5.5' };
      const {
        identifiers: _,
        name: __,
        manufacturer,
        serial_number,
        via_device,
        ...rest
      } = configOf(CONFIG, {
        ...ONE,
        devices: [device],
      }).device;
      assert.deepEqual([manufacturer, serial_number, via_device], ['ITEAD', ID, 'sonota_flasher']);
      assert.deepEqual(rest, { ...names, sw_version: '1.5.5' });
    });
  }

  it('under an id of its own where a base topic or another instance asks for that', () => {
    for (const [settings, suffix, expected] of [
      [{ prefix: 'homeassistant', base: 'sonota' }, '', ['sonota_flasher', 'sonota_1000', 'sonota/']],
      [{ prefix: 'homeassistant', base: 'sonota' }, INSTANCE, [`sonota_${INSTANCE}`, `sonota_${INSTANCE}_1000`]],
      [{ prefix: '/ha/', base: '/sonota/garage/' }, '', ['sonota_garage', 'sonota_garage_1000']],
      [{ prefix: 'ha', base: 'my home' }, '', ['sonota_my_home', 'sonota_my_home_1000']],
      [{ prefix: 'ha', base: 'sonota-two' }, INSTANCE, [`sonota_two_${INSTANCE}`, `sonota_two_${INSTANCE}_1000`]],
    ] as const) {
      const topics = new Topics(settings, suffix);
      assert.deepEqual([topics.flasherId, topics.deviceId('1000')], expected.slice(0, 2));
      assert.equal(topics.knock, new Topics(settings).knock, 'each knows the echo after it has given way');
    }
    const topics = new Topics({ prefix: '/ha/', base: '/sonota/garage/' }, INSTANCE);
    const below = `sonota/garage/${INSTANCE}`;
    assert.deepEqual(topics.flasher, {
      config: `ha/device/sonota_garage_${INSTANCE}/config`,
      state: `${below}/state`,
      event: `${below}/event`,
    });
    assert.deepEqual(topics.device('1000/b'), {
      config: `ha/device/sonota_garage_${INSTANCE}_1000_b/config`,
      update: `${below}/device/1000_b/update`,
      state: `${below}/device/1000_b/state`,
      event: `${below}/device/1000_b/event`,
    });
    const { status, homeAssistant, allConfigs, allCommands, knock } = topics;
    assert.deepEqual(
      { status, homeAssistant, allConfigs, allCommands, knock },
      {
        ...{ status: 'sonota/garage/status', homeAssistant: 'ha/status', allConfigs: 'ha/device/#' },
        ...{ allCommands: 'sonota/garage/set/#', knock: 'ha/device/sonota_garage/knock' },
      },
    );
    const set = `sonota/garage/set/${INSTANCE}`;
    assert.deepEqual([topics.command('start'), topics.command('arm', '1/2')], [`${set}/start`, `${set}/arm/1_2`]);
  });

  it('with the suffix in the name of the flasher, where another one has the usual one', () => {
    const topics = new Topics({ prefix: 'homeassistant', base: 'sonota' }, INSTANCE);
    const parts = { topics, instance: INSTANCE, names: NAMES, states: STATES, phrase, version: '0.1.0' };
    const messages = new DiscoveryPublisher(parts).changes(ONE);
    const [flasher, device] = [topics.flasher.config, topics.device(ID).config].map(
      (topic) => (under(messages, topic) as unknown as Config).device,
    );
    assert.equal(flasher?.['name'], `flasher ${INSTANCE}`);
    assert.deepEqual([device?.['name'], device?.['via_device']], [`Sonoff ${ID}`, `sonota_${INSTANCE}`]);
  });
});

describe('home assistant: a flasher that a person has deleted', () => {
  const hidden: Snapshot = { ...ONE, isFlasherHidden: true };
  const said = (messages: readonly { topic: string; payload: string }[]): string[] =>
    messages.map(({ topic, payload }) => `${payload === '' ? '-' : ''}${topic}`);

  it('is not announced, and has no states and events; its devices hang on nothing', () => {
    const mirror = new CheckedMirror();
    mirror.knows(hidden);
    const messages = mirror.everything(hidden);
    assert.deepEqual(said(messages), [CONFIG, UPDATE, STATE]);
    assert.equal('via_device' in (under(messages, CONFIG) as unknown as Config).device, false);
  });

  it('is removed, and is back when it is shown again', () => {
    const mirror = new CheckedMirror();
    mirror.news(ONE);
    assert.deepEqual(said(mirror.news(hidden)), [`-${FLASHER}`, '-sonota/state', CONFIG]);
    assert.deepEqual(said(mirror.news(hidden)), []);
    assert.deepEqual(said(mirror.news(ONE)), [FLASHER, 'sonota/state', CONFIG]);
  });

  it('is not removed from Home Assistant once more', () => {
    const mirror = new CheckedMirror();
    mirror.news(ONE);
    assert.equal(mirror.wasRemoved(FLASHER), true);
    mirror.deletedThere(FLASHER);
    assert.equal(mirror.wasRemoved(FLASHER), false, 'it is not there any more');
    assert.deepEqual(said(mirror.news(hidden)), ['-sonota/state', CONFIG]);
  });

  it('reports no refusal; the device does', () => {
    const mirror = new CheckedMirror();
    mirror.knows(hidden);
    mirror.everything(hidden);
    const refusal = { code: 'not-armed', text: 'So it was.', remedy: 'Arm it.' } as const;
    assert.deepEqual(said(mirror.refused(ID, refusal)), [`sonota/device/${ID}/event`]);
    assert.deepEqual(mirror.refused(undefined, refusal), []);
  });

  it('takes a removal by another one for that, where its own was lost with the broker', () => {
    const mirror = new CheckedMirror();
    mirror.news(ONE);
    mirror.news(hidden);
    mirror.everything(ONE);
    assert.equal(mirror.wasRemoved(FLASHER), true);
  });
});
