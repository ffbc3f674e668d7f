import { safeId } from './text';

export interface TopicSettings {
  /** Home Assistant's discovery prefix: `homeassistant` unless a person has changed it there. */
  readonly prefix: string;
  /** Below which everything of ours lies, such as `sonota`. */
  readonly base: string;
}

/** The base topic that needs no name of its own in ids: most people have one flasher. */
const ONLY_BASE = 'sonota';

export interface DeviceTopics {
  readonly config: string;
  /** Of the update entity alone: its schema is closed. */
  readonly update: string;
  readonly state: string;
  readonly event: string;
}

/** Where everything lies in the broker, and under which ids in Home Assistant. */
export class Topics {
  readonly base: string;
  private readonly prefix: string;
  /** Tells two flashers on one broker apart; empty for the one with the usual base topic. */
  private readonly instance: string;

  constructor({ prefix, base }: TopicSettings) {
    this.prefix = withoutSlashes(prefix);
    this.base = withoutSlashes(base);
    this.instance = this.base === ONLY_BASE ? '' : safeId(this.base.replace(/^sonota[/_-]/, ''));
  }

  /** Where Home Assistant says `online` after each of its starts. */
  get homeAssistant(): string {
    return `${this.prefix}/status`;
  }

  /** Whether we are there: `online`, or `offline` by the broker's will. */
  get status(): string {
    return `${this.base}/status`;
  }

  get flasherId(): string {
    return this.instance === '' ? 'sonota_flasher' : `sonota_${this.instance}`;
  }

  get flasher(): Omit<DeviceTopics, 'update'> {
    return { config: this.config(this.flasherId), state: `${this.base}/state`, event: `${this.base}/event` };
  }

  deviceId(deviceid: string): string {
    return `sonota_${this.instance === '' ? '' : `${this.instance}_`}${safeId(deviceid)}`;
  }

  device(deviceid: string): DeviceTopics {
    const own = `${this.base}/device/${safeId(deviceid)}`;
    return {
      config: this.config(this.deviceId(deviceid)),
      update: `${own}/update`,
      state: `${own}/state`,
      event: `${own}/event`,
    };
  }

  /** Where a command arrives; all of them lie below `<base>/set/`. */
  command(name: string, deviceid?: string): string {
    return `${this.base}/set/${name}${deviceid === undefined ? '' : `/${safeId(deviceid)}`}`;
  }

  private config(id: string): string {
    return `${this.prefix}/device/${id}/config`;
  }
}

function withoutSlashes(topic: string): string {
  return topic.replace(/^\/+|\/+$/g, '');
}
