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

/** Retained messages that belong together. */
export interface PublishedGroup {
  /** Of the device in Home Assistant; without it the group is none. */
  readonly config?: string;
  readonly states: readonly string[];
}

/** Where everything lies in the broker, and under which ids in Home Assistant. */
export class Topics {
  private readonly base: string;
  private readonly prefix: string;
  /** Tells two base topics on one broker apart; empty for the usual one. */
  private readonly named: string;
  /** The same with the suffix: tells two flashers on one broker apart. */
  private readonly name: string;
  /** Below which states and commands lie: other instances of the same base topic have theirs elsewhere. */
  private readonly below: string;

  /** @param suffix where another instance has the usual ids */
  constructor(
    { prefix, base }: TopicSettings,
    readonly suffix = '',
  ) {
    this.prefix = withoutSlashes(prefix);
    this.base = withoutSlashes(base);
    this.named = this.base === ONLY_BASE ? '' : safeId(this.base.replace(/^sonota[/_-]/, ''));
    this.name = [this.named, suffix].filter((part) => part !== '').join('_');
    this.below = suffix === '' ? '' : `${suffix}/`;
  }

  /** Where Home Assistant says `online` after each of its starts. */
  get homeAssistant(): string {
    return `${this.prefix}/status`;
  }

  /**
   * Which instance is there: `online <instance>`, or `offline` by the broker's will. The same for all instances of a base
   * topic: a broker configuration has one will.
   */
  get status(): string {
    return `${this.base}/status`;
  }

  /** Where all devices are announced, ours and others'. */
  get allConfigs(): string {
    return `${this.prefix}/device/#`;
  }

  /**
   * Lies among the configs, where Home Assistant does not listen: its echo comes after every config that is kept. The same
   * for all instances of a base topic: one that gives way before the echo has come knows it all the same.
   */
  get knock(): string {
    return `${this.prefix}/device/${idOf(this.named)}/knock`;
  }

  get allCommands(): string {
    return `${this.base}/set/#`;
  }

  get flasherId(): string {
    return idOf(this.name);
  }

  get flasher(): Omit<DeviceTopics, 'update'> {
    const own = `${this.base}/${this.below}`;
    return { config: this.config(this.flasherId), state: `${own}state`, event: `${own}event` };
  }

  deviceId(deviceid: string): string {
    return `sonota_${this.name === '' ? '' : `${this.name}_`}${safeId(deviceid)}`;
  }

  device(deviceid: string): DeviceTopics {
    const own = `${this.base}/${this.below}device/${safeId(deviceid)}`;
    return {
      config: this.config(this.deviceId(deviceid)),
      update: `${own}/update`,
      state: `${own}/state`,
      event: `${own}/event`,
    };
  }

  /** Where a command arrives; all of them lie below `<base>/set/`. */
  command(name: string, deviceid?: string): string {
    return `${this.base}/set/${this.below}${name}${deviceid === undefined ? '' : `/${safeId(deviceid)}`}`;
  }

  /** Whether a topic is that of a device's config which may be one of ours. */
  isConfig(topic: string): boolean {
    return topic.startsWith(`${this.prefix}/device/sonota_`) && topic.endsWith('/config');
  }

  private config(id: string): string {
    return `${this.prefix}/device/${id}/config`;
  }
}

function idOf(flasher: string): string {
  return flasher === '' ? 'sonota_flasher' : `sonota_${flasher}`;
}

function withoutSlashes(topic: string): string {
  return topic.replace(/^\/+|\/+$/g, '');
}
