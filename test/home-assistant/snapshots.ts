import type { ShownJob, Snapshot } from '../../lib/home-assistant';
import {
  ENTITY_NAMES,
  STATE_NAMES,
  type StateNames,
  DiscoveryPublisher,
  Topics,
  type EntityNames,
  type MqttMessage,
  type Phrase,
} from '../../lib/home-assistant';
import { Schemas } from './schemas';

export const ID = '1000a1b2c3';

export const INSTANCE = '0a1b2c3d';

export const EMPTY: Snapshot = {
  devices: [],
  jobs: [],
  firmware: { options: [], chosen: undefined },
  arming: { isForAll: false, devices: [] },
  failures: [],
};

export const DEVICE = { deviceid: ID, model: 'ITA-GZ1-GL', romVersion: '1.5.5' };

export const FIRMWARE = { options: ['Tasmota 15', 'ESPHome'], chosen: 'Tasmota 15' };

export function job(more: Partial<ShownJob> = {}): ShownJob {
  return {
    deviceid: ID,
    model: 'ITA-GZ1-GL',
    romVersion: '1.5.5',
    ip: '192.168.1.30',
    mac: null,
    stage: 'cloud',
    percent: 10,
    startedAt: '2026-01-02T03:04:05.000Z',
    stages: {},
    isAtWork: true,
    ...more,
  };
}

export const NAMES = Object.fromEntries(ENTITY_NAMES.map((name) => [name, name])) as EntityNames;

export const STATES = Object.fromEntries(STATE_NAMES.map((name) => [name, `The ${name}`])) as StateNames;

/** The name of the sentence, and what fills it. */
export const phrase: Phrase = (name, values = {}) => [name, ...Object.values(values)].join(' ');

/** A mirror whose every message passes the schemas. */
export class CheckedMirror {
  readonly schemas: Schemas;
  readonly topics: Topics;
  private readonly mirror: DiscoveryPublisher;

  constructor(settings = { prefix: 'homeassistant', base: 'sonota' }) {
    this.topics = new Topics(settings);
    this.schemas = new Schemas(settings.prefix.replaceAll('/', ''));
    this.mirror = new DiscoveryPublisher({
      topics: this.topics,
      instance: INSTANCE,
      names: NAMES,
      states: STATES,
      phrase,
      version: '0.1.0',
    });
  }

  news(snapshot: Snapshot): MqttMessage[] {
    return this.checked(this.mirror.changes(snapshot));
  }

  everything(snapshot: Snapshot): MqttMessage[] {
    return this.checked(this.mirror.everything(snapshot));
  }

  first(snapshot: Snapshot): MqttMessage[] {
    return this.checked(this.mirror.first(snapshot));
  }

  refused(...refusal: Parameters<DiscoveryPublisher['refused']>): MqttMessage[] {
    return this.checked(this.mirror.refused(...refusal));
  }

  wasRemoved(config: string): boolean {
    return this.mirror.wasRemoved(config);
  }

  deletedThere(config: string): void {
    this.mirror.deletedThere(config);
  }

  knows(snapshot: Snapshot): void {
    this.mirror.knows(snapshot);
  }

  private checked(messages: MqttMessage[]): MqttMessage[] {
    for (const message of messages) this.schemas.take(message);
    return messages;
  }
}

/** The JSON said under a topic, the last of it. */
export function under(messages: readonly MqttMessage[], topic: string): Record<string, unknown> | undefined {
  const found = messages.findLast((message) => message.topic === topic);
  return found && (JSON.parse(found.payload) as Record<string, unknown>);
}
