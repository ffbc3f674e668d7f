/**
 * What Home Assistant takes over MQTT, as strict as it is itself, written from its documentation and its behaviour: it
 * drops a message whole at the first property that it does not accept, and only logs that. Here that is thrown.
 *
 * Every message that `sonota-home-assistant` puts out in any test passes through `Schemas.take`.
 */

import assert from 'node:assert/strict';
import type { MqttMessage } from '../../lib/home-assistant';

type Json = Record<string, unknown>;

const TEXT_AT_MOST = 255;
const ID = /^[a-zA-Z0-9_-]+$/;
const ENTITY_ID = /^[a-z][a-z_]*\.[a-z0-9_]+$/;
const ICON = /^mdi:[a-z0-9-]+$/;

const DEVICE_KEYS = [
  'identifiers',
  'connections',
  'manufacturer',
  'model',
  'model_id',
  'name',
  'hw_version',
  'serial_number',
  'sw_version',
  'via_device',
  'suggested_area',
  'configuration_url',
];
const ORIGIN_KEYS = ['name', 'sw_version', 'support_url'];
const ROOT_KEYS = [
  ...['device', 'origin', 'components', 'state_topic', 'command_topic', 'qos', 'encoding'],
  ...['availability', 'availability_mode', 'availability_topic', 'availability_template'],
  ...['payload_available', 'payload_not_available'],
];
const AVAILABILITY_KEYS = ['topic', 'payload_available', 'payload_not_available', 'value_template'];

/** Keys of every entity; Home Assistant would pass over more, so more is a mistake of ours. */
const COMMON_KEYS = [
  ...['platform', 'unique_id', 'default_entity_id', 'name', 'icon', 'entity_category', 'enabled_by_default'],
  ...['json_attributes_topic', 'json_attributes_template'],
];
const PLATFORMS: Readonly<Record<string, { needs: string[]; may: string[] }>> = {
  sensor: {
    needs: ['state_topic'],
    may: ['value_template', 'device_class', 'options', 'unit_of_measurement', 'state_class'],
  },
  binary_sensor: { needs: ['state_topic'], may: ['value_template', 'device_class', 'payload_on', 'payload_off'] },
  button: { needs: ['command_topic'], may: ['payload_press', 'device_class', 'retain'] },
  switch: {
    needs: ['state_topic', 'command_topic', 'payload_on', 'payload_off'],
    may: ['value_template', 'device_class', 'retain'],
  },
  select: { needs: ['command_topic', 'options'], may: ['state_topic', 'value_template', 'retain'] },
  event: { needs: ['state_topic', 'event_types'], may: ['value_template', 'device_class'] },
  update: {
    // payload_install has no default, yet an install without it fails.
    needs: ['state_topic', 'command_topic', 'payload_install'],
    may: ['value_template', 'device_class', 'title', 'release_url', 'release_summary', 'display_precision', 'retain'],
  },
};

/** The facts of one topic from the configs seen so far. */
type StateCheck = (payload: string, message: MqttMessage) => void;

export class Schemas {
  /** Every message so far. */
  readonly taken: MqttMessage[] = [];
  private readonly checks = new Map<string, Map<string, StateCheck>>();
  private readonly uniqueIds = new Map<string, string>();
  private readonly statusTopics = new Set<string>();
  /** The devices that stand in Home Assistant now, by their config topics. */
  private readonly devices = new Map<string, { id: string; topics: string[] }>();
  private readonly progress = new Map<string, { started: boolean; percent: number }>();

  constructor(private readonly prefix = 'homeassistant') {}

  /** @throws AssertionError where Home Assistant would drop the message, or misread it */
  take(message: MqttMessage): void {
    const { topic, payload, qos, retain } = message;
    this.taken.push(message);
    checkTopic(topic);
    assert.equal(typeof payload, 'string', `${topic}: the payload is no text`);
    assert.ok(qos === 0 || qos === 1 || qos === 2, `${topic}: qos ${String(qos)}`);
    assert.equal(typeof retain, 'boolean', `${topic}: retain`);
    if (isKnock(message)) return;
    if (topic.startsWith(`${this.prefix}/`)) return this.config(message);
    if (this.statusTopics.has(topic) || topic.endsWith('/status')) return availability(message);
    if (payload === '') return assert.ok(retain, `${topic}: an empty payload that removes nothing`);
    const checks = this.checks.get(topic);
    assert.ok(checks, `${topic}: nobody was told of it`);
    for (const check of checks.values()) check(payload, message);
  }

  private config({ topic, payload, retain }: MqttMessage): void {
    const id = new RegExp(`^${this.prefix}/device/([^/]+)/config$`).exec(topic)?.[1];
    assert.ok(id !== undefined && ID.test(id), `${topic}: no discovery topic`);
    assert.ok(id.startsWith('sonota_'), `${topic}: the id does not begin with sonota_`);
    assert.ok(retain, `${topic}: a config that is not kept`);
    if (payload === '') {
      assert.ok(this.devices.has(topic), `${topic}: removed, but it was not there`);
      this.forget(topic);
      return;
    }
    const config = object(JSON.parse(payload), topic);
    onlyKeys(config, ROOT_KEYS, topic);
    this.device(object(config['device'], `${topic} device`), id, topic);
    const origin = object(config['origin'], `${topic} origin`);
    onlyKeys(origin, ORIGIN_KEYS, `${topic} origin`);
    text(origin['name'], `${topic} origin.name`);
    for (const one of list(config['availability'], `${topic} availability`)) {
      const place = object(one, `${topic} availability`);
      onlyKeys(place, AVAILABILITY_KEYS, `${topic} availability`);
      checkTopic(text(place['topic'], `${topic} availability`));
      assert.match(text(place['payload_available'], `${topic} availability`), /^online [0-9a-f]{8}$/);
      this.statusTopics.add(String(place['topic']));
    }
    this.forget(topic);
    const topics: string[] = [];
    this.devices.set(topic, { id, topics });
    const components = object(config['components'], `${topic} components`);
    assert.ok(Object.keys(components).length > 0, `${topic}: no entity`);
    for (const [key, component] of Object.entries(components)) {
      assert.match(key, ID, `${topic} ${key}`);
      this.component(topic, key, object(component, `${topic} ${key}`), topics);
    }
  }

  private device(device: Json, id: string, topic: string): void {
    onlyKeys(device, DEVICE_KEYS, `${topic} device`);
    const identifiers = list(device['identifiers'], `${topic} identifiers`);
    assert.deepEqual(identifiers, [id], `${topic}: the device is called otherwise than its topic`);
    for (const [key, value] of Object.entries(device)) {
      if (key !== 'identifiers' && key !== 'connections') text(value, `${topic} device.${key}`);
    }
    for (const connection of list(device['connections'] ?? [], `${topic} connections`)) {
      const [kind, mac] = list(connection, `${topic} connections`);
      assert.equal(kind, 'mac', `${topic} connections`);
      assert.match(text(mac, `${topic} connections`), /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, topic);
    }
    const page = device['configuration_url'];
    assert.ok(page === undefined || /^https?:/.test(text(page, topic)), `${topic}: no page`);
    const via = device['via_device'];
    if (via === undefined) return;
    const known = [...this.devices.values()].some((one) => one.id === via);
    assert.ok(known, `${topic}: it hangs on ${JSON.stringify(via)}, which was not announced before it`);
  }

  private component(config: string, key: string, component: Json, topics: string[]): void {
    const where = `${config} ${key}`;
    const platform = text(component['platform'], `${where} platform`);
    const rules = PLATFORMS[platform];
    assert.ok(rules, `${where}: ${platform} is not among the platforms that we use`);
    // The form in which one entity is removed.
    if (Object.keys(component).length === 1) return;
    onlyKeys(component, [...COMMON_KEYS, ...rules.needs, ...rules.may], where);
    for (const need of rules.needs) assert.ok(component[need] !== undefined, `${where}: ${need} is missing`);
    const uniqueId = text(component['unique_id'], `${where} unique_id`);
    assert.match(uniqueId, ID, where);
    const owner = this.uniqueIds.get(uniqueId);
    assert.ok(owner === undefined || owner === where, `${where}: ${uniqueId} is ${owner ?? ''}'s`);
    this.uniqueIds.set(uniqueId, where);
    const entityId = text(component['default_entity_id'], `${where} default_entity_id`);
    assert.match(entityId, ENTITY_ID, where);
    assert.ok(entityId.startsWith(`${platform}.`), `${where}: ${entityId} is no ${platform}`);
    text(component['name'], `${where} name`);
    if (component['icon'] !== undefined) assert.match(text(component['icon'], where), ICON, where);
    const category = component['entity_category'];
    assert.ok([undefined, 'config', 'diagnostic'].includes(category as string), `${where}: ${String(category)}`);
    checkSensor(platform, component, where);
    if (component['command_topic'] !== undefined) {
      const topic = checkTopic(text(component['command_topic'], where));
      assert.ok(!/[+#]/.test(topic), `${where}: a wildcard in ${topic}`);
      // A kept command would come again after each start.
      assert.notEqual(component['retain'], true, `${where}: its commands are kept`);
    }
    this.states(where, platform, component, topics);
  }

  /** Remembers what may arrive under the topics that this entity names. */
  private states(where: string, platform: string, component: Json, topics: string[]): void {
    const add = (topic: unknown, check: StateCheck, name = where): void => {
      if (topic === undefined) return;
      const known = checkTopic(text(topic, where));
      topics.push(known);
      this.checks.set(known, (this.checks.get(known) ?? new Map<string, StateCheck>()).set(name, check));
    };
    add(
      component['json_attributes_topic'],
      (payload, { topic }) => void object(JSON.parse(payload), `${topic} attributes`),
      `${where} attributes`,
    );
    const value = (payload: string): string => valueOf(component, payload, where);
    switch (platform) {
      case 'update':
        return add(component['state_topic'], (payload, message) => this.update(payload, message));
      case 'event':
        return add(component['state_topic'], (payload, message) => checkEvent(component, payload, message));
      case 'binary_sensor':
      case 'switch':
        return add(component['state_topic'], (payload, message) => {
          assert.ok(message.retain, `${message.topic}: a state that is not kept`);
          assert.ok(['ON', 'OFF'].includes(value(payload)), `${where}: ${value(payload)}`);
        });
      case 'sensor':
      case 'select':
        return add(component['state_topic'], (payload, message) => {
          assert.ok(message.retain, `${message.topic}: a state that is not kept`);
          checkState(component, value(payload), where);
        });
      default:
    }
  }

  /** The closed schema of an update's state, and the two keys without which it goes wrong in silence. */
  private update(payload: string, { topic, retain }: MqttMessage): void {
    assert.ok(retain, `${topic}: a state that is not kept`);
    const state = object(JSON.parse(payload), topic);
    onlyKeys(
      state,
      [
        ...['installed_version', 'latest_version', 'title', 'release_summary', 'release_url', 'entity_picture'],
        ...['in_progress', 'update_percentage'],
      ],
      topic,
    );
    const { in_progress, update_percentage, ...texts } = state;
    for (const [key, one] of Object.entries(texts)) {
      assert.equal(typeof one, 'string', `${topic} ${key}`);
      assert.ok(Array.from(String(one)).length <= TEXT_AT_MOST, `${topic} ${key} is longer than ${TEXT_AT_MOST}`);
    }
    if ('release_url' in texts)
      assert.ok(URL.canParse(String(texts['release_url'])), `${topic}: no address of a release`);
    assert.equal(typeof in_progress, 'boolean', `${topic}: in_progress is left out`);
    assert.ok('update_percentage' in state, `${topic}: update_percentage is left out`);
    if (update_percentage !== null) {
      assert.ok(Number.isInteger(update_percentage), `${topic}: ${JSON.stringify(update_percentage)} %`);
      assert.ok(Number(update_percentage) >= 0 && Number(update_percentage) <= 100, `${topic}: not in 0 to 100`);
    }
    if (in_progress === false) assert.equal(update_percentage, null, `${topic}: a percent of nothing`);
    this.climb(topic, in_progress === true, update_percentage as number | null);
  }

  /** Within one install the percent never falls. */
  private climb(topic: string, isInProgress: boolean, percent: number | null): void {
    const before = this.progress.get(topic);
    if (!isInProgress) return void this.progress.delete(topic);
    const reached = percent ?? before?.percent ?? 0;
    assert.ok(reached >= (before?.percent ?? 0), `${topic}: from ${before?.percent ?? 0} % back to ${reached} %`);
    this.progress.set(topic, { started: true, percent: reached });
  }

  private forget(config: string): void {
    for (const topic of this.devices.get(config)?.topics ?? []) {
      const checks = this.checks.get(topic);
      for (const name of checks?.keys() ?? []) if (name.startsWith(`${config} `)) checks?.delete(name);
      if (checks?.size === 0) this.checks.delete(topic);
    }
    for (const [uniqueId, where] of this.uniqueIds) if (where.startsWith(`${config} `)) this.uniqueIds.delete(uniqueId);
    this.devices.delete(config);
  }
}

/** Where Home Assistant does not listen; it must leave nothing behind there. */
function isKnock({ topic, retain }: MqttMessage): boolean {
  return !retain && /\/device\/sonota_[^/]+\/knock$/.test(topic);
}

function availability({ topic, payload, retain }: MqttMessage): void {
  if (payload === '') return assert.ok(retain, `${topic}: an empty payload that removes nothing`);
  // Without an id it is the birth message of a broker configuration.
  assert.match(payload, /^(online( [0-9a-f]{8})?|offline)$/, topic);
  assert.ok(retain, `${topic}: who comes later would never hear it`);
}

function checkSensor(platform: string, component: Json, where: string): void {
  if (platform !== 'sensor') return;
  const { options, device_class, unit_of_measurement, state_class } = component;
  assert.equal(options !== undefined, device_class === 'enum', `${where}: options and enum go together`);
  if (options === undefined) return;
  assert.ok(list(options, where).length > 0, `${where}: no option`);
  assert.ok(unit_of_measurement === undefined && state_class === undefined, `${where}: an enum has no unit and class`);
}

function checkState(component: Json, state: string, where: string): void {
  assert.ok(Array.from(state).length <= TEXT_AT_MOST, `${where}: a state longer than ${TEXT_AT_MOST}`);
  const { options, unit_of_measurement, state_class } = component;
  // Home Assistant takes None for unknown.
  if (state === 'None') return;
  if (options !== undefined) assert.ok(list(options, where).includes(state), `${where}: ${state} is no option`);
  const isNumeric = unit_of_measurement !== undefined || state_class !== undefined;
  if (isNumeric) assert.ok(state !== '' && Number.isFinite(Number(state)), `${where}: ${state} is no number`);
  else assert.notEqual(state, '', `${where}: an empty state leaves the old one`);
}

function checkEvent(component: Json, payload: string, { topic, retain, qos }: MqttMessage): void {
  assert.ok(!retain, `${topic}: a kept event would happen again after each start`);
  assert.ok(qos <= 1, `${topic}: an event twice`);
  const event = object(JSON.parse(payload), topic);
  const type = text(event['event_type'], `${topic} event_type`);
  assert.ok(list(component['event_types'], topic).includes(type), `${topic}: ${type} was not announced`);
}

/** The value of the one kind of template that we use: `{{ value_json.key }}`. */
function valueOf(component: Json, payload: string, where: string): string {
  const template = component['value_template'];
  if (template === undefined) return payload;
  const key = /^\{\{ value_json\.(\w+) \}\}$/.exec(text(template, where))?.[1];
  assert.ok(key !== undefined, `${where}: ${JSON.stringify(template)}`);
  const content = object(JSON.parse(payload), where);
  assert.ok(key in content, `${where}: ${key} is not in ${payload}`);
  const value = content[key];
  // As Jinja writes them.
  return value === null
    ? 'None'
    : typeof value === 'boolean'
      ? value
        ? 'True'
        : 'False'
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
}

function checkTopic(topic: string): string {
  assert.ok(topic !== '' && Buffer.byteLength(topic) <= 65_535, 'a topic without a name, or too long');
  // eslint-disable-next-line no-control-regex -- that is what MQTT forbids
  assert.ok(!/[\u0000-\u001f\u007f-\u009f+#]/.test(topic), `${topic}: a letter that no topic takes`);
  return topic;
}

function object(value: unknown, where: string): Json {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${where}: no object`);
  return value as Json;
}

function list(value: unknown, where: string): unknown[] {
  assert.ok(Array.isArray(value), `${where}: no list`);
  return value;
}

function text(value: unknown, where: string): string {
  assert.ok(typeof value === 'string' && value !== '', `${where}: no text`);
  return value;
}

function onlyKeys(value: Json, keys: readonly string[], where: string): void {
  const unknown = Object.keys(value).filter((key) => !keys.includes(key));
  assert.deepEqual(unknown, [], `${where}: keys that Home Assistant does not know`);
}
