/** The discovery configs of our devices and their entities: one message a device (its schema: 2024.12 and newer). */

import { stageNames } from './device-state';
import { FLASHER_STATES } from './flasher-state';
import { DEVICE_EVENTS, FLASHER_EVENTS } from './diff-events';
import { onlineWord } from './instance';
import { productOf } from './models';
import type { Phrase } from './phrases';
import type { StateNames } from './states';
import { cut } from './text';
import type { Topics } from './topics';
import type { ShownDevice, Snapshot } from './snapshot';

/** The entities' names, in the person's language. */
export type EntityNames = Readonly<Record<EntityName, string>>;

export const ENTITY_NAMES = [
  'flasher',
  'state',
  'queue',
  'done',
  'failed',
  'percent',
  'problem',
  'start',
  'pause',
  'retry',
  'firmware',
  'events',
  'update',
  'stage',
  'error',
  'result',
  'remove',
  'arm',
  'arm_all',
  'hand_needed',
  'found',
  'cancel',
  'cancel_all',
  'restore',
  'newFirmware',
] as const;

export type EntityName = (typeof ENTITY_NAMES)[number];

/** Home Assistant takes no unknown key in `device` and `origin`, nor at the root: one more, and the device is not there. */
export interface DiscoveryConfig {
  readonly device: Readonly<Record<string, string | readonly (string | readonly string[])[]>>;
  readonly origin: { readonly name: string; readonly sw_version: string };
  readonly availability: readonly { readonly topic: string; readonly payload_available: string }[];
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Announcer {
  readonly topics: Topics;
  /** Of the node: by it other Node-REDs at the broker know what is not theirs. */
  readonly instance: string;
  readonly names: EntityNames;
  readonly states: StateNames;
  readonly phrase: Phrase;
  /** Of this package. */
  readonly version: string;
}

export const PAYLOAD_INSTALL = 'INSTALL';
export const PAYLOAD_PRESS = 'PRESS';
export const PAYLOAD_ON = 'ON';
export const PAYLOAD_OFF = 'OFF';

export function flasherConfig(announcer: Announcer, { firmware, sonoffs }: Snapshot): DiscoveryConfig {
  const { topics, names, states, version } = announcer;
  const id = topics.flasherId;
  const { state, event } = topics.flasher;
  const entity = entities(id, names);
  const sensor = (key: 'queue' | 'done' | 'failed' | 'found', icon: string): Record<string, unknown> =>
    entity('sensor', key, { ...field(state, key), icon, state_class: 'measurement' });
  const button = (key: 'start' | 'pause' | 'retry' | 'restore', icon: string): Record<string, unknown> =>
    entity('button', key, { command_topic: topics.command(key), payload_press: PAYLOAD_PRESS, icon });
  return {
    device: { identifiers: [id], name: flasherName(announcer), manufacturer: 'Sonota', sw_version: version },
    ...common(announcer),
    components: {
      state: entity('sensor', 'state', {
        ...field(state, 'state_name'),
        device_class: 'enum',
        options: FLASHER_STATES.map((one) => states[`flasher-${one}`]),
        icon: 'mdi:flash',
        ...attributes(state, { code: 'state' }),
      }),
      queue: sensor('queue', 'mdi:tray-full'),
      done: sensor('done', 'mdi:check'),
      failed: {
        ...sensor('failed', 'mdi:alert-circle-outline'),
        ...attributes(state, { last_failure: 'last_failure' }),
      },
      found: sonoffs
        ? { ...sensor('found', 'mdi:magnify'), ...attributes(state, { devices: 'found_devices' }) }
        : { platform: 'sensor' },
      percent: entity('sensor', 'percent', {
        ...field(state, 'percent'),
        unit_of_measurement: '%',
        icon: 'mdi:progress-download',
      }),
      problem: entity('binary_sensor', 'problem', {
        ...field(state, 'problem'),
        device_class: 'problem',
        ...attributes(state, { code: 'code', text: 'text' }),
      }),
      hand_needed: handNeeded(entity, state, 'instruction'),
      start: button('start', 'mdi:play'),
      pause: button('pause', 'mdi:pause'),
      retry: button('retry', 'mdi:restart'),
      cancel_all: entity('button', 'cancel_all', {
        command_topic: topics.command('cancel'),
        payload_press: PAYLOAD_PRESS,
        icon: 'mdi:stop',
      }),
      restore: { ...button('restore', 'mdi:delete-restore'), entity_category: 'config' },
      arm_all: entity('switch', 'arm_all', armingSwitch(topics.command('arm'), state)),
      firmware: firmware.options.length === 0 ? { platform: 'select' } : selection(),
      event: entity('event', 'events', { state_topic: event, event_types: FLASHER_EVENTS, icon: 'mdi:bell-outline' }),
    },
  };

  function selection(): Record<string, unknown> {
    return entity('select', 'firmware', {
      ...field(state, 'firmware'),
      command_topic: topics.command('firmware'),
      options: firmware.options,
      icon: 'mdi:chip',
    });
  }
}

/** @param isFlasherShown whether the flasher is there to hang on */
export function deviceConfig(announcer: Announcer, device: ShownDevice, isFlasherShown: boolean): DiscoveryConfig {
  const { topics, names, states } = announcer;
  const { deviceid } = device;
  const id = topics.deviceId(deviceid);
  const { update, state, event } = topics.device(deviceid);
  const entity = entities(id, names);
  return {
    device: {
      identifiers: [id],
      name: `Sonoff ${cut(deviceid)}`,
      manufacturer: 'ITEAD',
      serial_number: cut(deviceid),
      ...(isFlasherShown ? { via_device: topics.flasherId } : {}),
      ...factsOf(device),
    },
    ...common(announcer),
    components: {
      update: entity('update', 'update', {
        state_topic: update,
        command_topic: topics.command('install', deviceid),
        // It has no default, yet an install without it fails.
        payload_install: PAYLOAD_INSTALL,
        device_class: 'firmware',
        icon: 'mdi:chip',
      }),
      stage: entity('sensor', 'stage', {
        ...field(state, 'stage_name'),
        device_class: 'enum',
        options: stageNames(states),
        icon: 'mdi:progress-wrench',
        json_attributes_topic: state,
      }),
      error: entity('sensor', 'error', {
        ...field(state, 'error_name'),
        icon: 'mdi:alert-circle-outline',
        ...attributes(state, { code: 'error', text: 'text', remedy: 'remedy' }),
      }),
      hand_needed: handNeeded(entity, state, 'text'),
      arm: entity('switch', 'arm', armingSwitch(topics.command('arm', deviceid), state)),
      event: entity('event', 'result', { state_topic: event, event_types: DEVICE_EVENTS, icon: 'mdi:flash-outline' }),
      cancel: entity('button', 'cancel', {
        command_topic: topics.command('cancel', deviceid),
        payload_press: PAYLOAD_PRESS,
        icon: 'mdi:stop',
      }),
      remove: entity('button', 'remove', {
        command_topic: topics.command('remove', deviceid),
        payload_press: PAYLOAD_PRESS,
        entity_category: 'config',
        icon: 'mdi:delete-outline',
      }),
    },
  };
}

/** Two flashers of one base topic have the same name otherwise. */
function flasherName({ topics, names }: Announcer): string {
  return topics.suffix === '' ? names.flasher : `${names.flasher} ${topics.suffix}`;
}

/** Only this node's own word makes its entities available, not the birth message of a broker configuration. */
function common(announcer: Announcer): Pick<DiscoveryConfig, 'origin' | 'availability'> {
  const { topics, instance, version } = announcer;
  return {
    origin: { name: '@sonota/node-red', sw_version: version },
    availability: [{ topic: topics.status, payload_available: onlineWord(instance) }],
  };
}

/** Makes the entities of one device; each has an id of its own, by which Home Assistant knows it again. */
function entities(id: string, names: EntityNames) {
  return (platform: string, key: EntityName, more: object): Record<string, unknown> => ({
    platform,
    unique_id: `${id}_${key}`,
    default_entity_id: `${platform}.${id.toLowerCase()}_${key}`,
    name: names[key],
    ...more,
  });
}

/** On while a flash waits for a person; what to do is in its attribute `text`. */
function handNeeded(entity: ReturnType<typeof entities>, state: string, text: string): Record<string, unknown> {
  return entity('binary_sensor', 'hand_needed', {
    ...field(state, 'hand_needed'),
    icon: 'mdi:hand-back-right',
    ...attributes(state, { text }),
  });
}

/** Off until a person turns it on: Home Assistant must not be able to flash a device without that. */
function armingSwitch(command: string, state: string): object {
  return {
    ...field(state, 'armed'),
    command_topic: command,
    payload_on: PAYLOAD_ON,
    payload_off: PAYLOAD_OFF,
    entity_category: 'config',
    icon: 'mdi:lock-open-alert-outline',
  };
}

/** The facts of the device itself. The firmware that we have put on it counts, not the one that it came with. */
function factsOf({
  model,
  mac,
  page,
  romVersion,
  installed,
  installedVersion,
}: ShownDevice): DiscoveryConfig['device'] {
  const product = model === undefined ? undefined : productOf(model);
  const isIncluded = installedVersion === undefined || installed?.includes(installedVersion) === true;
  const version =
    installed === undefined || isIncluded ? (installed ?? romVersion) : `${installed} (${installedVersion})`;
  return {
    ...(model === undefined ? {} : product === undefined ? { model: cut(model) } : { model: product, model_id: model }),
    ...(version === undefined ? {} : { sw_version: cut(version) }),
    ...(mac === undefined ? {} : { connections: [['mac', mac.toLowerCase()]] }),
    ...(page === undefined || installed === undefined ? {} : { configuration_url: page }),
  };
}

/** Attributes by their names, from the keys of a topic. */
function attributes(topic: string, keys: Readonly<Record<string, string>>): object {
  const pairs = Object.entries(keys).map(([name, key]) => `'${name}': value_json.${key}`);
  return { json_attributes_topic: topic, json_attributes_template: `{{ {${pairs.join(', ')}} | tojson }}` };
}

/** One value out of a topic that carries several. */
function field(topic: string, key: string): object {
  return { state_topic: topic, value_template: `{{ value_json.${key} }}` };
}
