import { deviceConfig, flasherConfig, type Announcer } from './discovery';
import { deviceState, updateState } from './device-state';
import { flasherState } from './flasher-state';
import { happenings } from './happenings';
import { kept, passing, type MqttMessage } from './message';
import type { Failure, World } from './world';

const NOTHING: World = {
  devices: [],
  jobs: [],
  firmware: { options: [], chosen: undefined },
  arming: { isForAll: false, devices: [] },
  failures: [],
};

/**
 * Keeps what Home Assistant shows like the world is: says what is new and nothing twice. What is kept by the broker is
 * said again where it may have been lost; what happened is said once.
 */
export class Mirror {
  /** What was said last under each topic that the broker keeps. */
  private readonly said = new Map<string, string>();
  private last = NOTHING;

  constructor(private readonly announcer: Announcer) {}

  /** What is new: devices before their states, states before what happened. */
  news(world: World): MqttMessage[] {
    const messages = [...this.gone(world), ...this.standing(world)].filter(
      ({ topic, payload }) => this.said.get(topic) !== payload,
    );
    for (const { topic, payload } of messages) this.said.set(topic, payload);
    const happened = this.happened(world);
    this.last = world;
    return [...messages, ...happened];
  }

  /** Everything that the broker is to keep of a world that is not to be told as news: before the first one. */
  first(world: World): MqttMessage[] {
    const messages = this.standing(world);
    for (const { topic, payload } of messages) this.said.set(topic, payload);
    return messages;
  }

  /** Everything that the broker is to keep, whoever has heard it before. */
  everything(world: World): MqttMessage[] {
    this.said.clear();
    return this.news(world);
  }

  /** What of earlier worlds is not to be told as news: at the start, jobs that a restart goes on with. */
  knows(world: World): void {
    this.last = world;
  }

  /** What was asked for a device and is not done. */
  refused(deviceid: string | undefined, { code, text, remedy }: Failure): MqttMessage[] {
    const { topics } = this.announcer;
    const refusal = { event_type: 'refused', ...(deviceid !== undefined && { deviceid }), error: code, text, remedy };
    const ofFlasher = passing(topics.flasher.event, refusal);
    return deviceid === undefined ? [ofFlasher] : [passing(topics.device(deviceid).event, refusal), ofFlasher];
  }

  private standing(world: World): MqttMessage[] {
    const { topics, names, phrase } = this.announcer;
    return [
      kept(topics.flasher.config, flasherConfig(this.announcer, world)),
      kept(topics.flasher.state, flasherState(world)),
      ...world.devices.flatMap((device) => {
        const { config, update, state } = topics.device(device.deviceid);
        return [
          kept(config, deviceConfig(this.announcer, device)),
          kept(update, updateState(device, world, { newFirmware: names.newFirmware, phrase })),
          kept(state, deviceState(device, world)),
        ];
      }),
    ];
  }

  /** An empty kept message removes a device from Home Assistant, and what is kept of it from the broker. */
  private gone(world: World): MqttMessage[] {
    const left = this.last.devices.filter(({ deviceid }) => !world.devices.some((one) => one.deviceid === deviceid));
    return left.flatMap(({ deviceid }) => {
      const { config, update, state } = this.announcer.topics.device(deviceid);
      return [kept(config, ''), kept(update, ''), kept(state, '')];
    });
  }

  private happened(world: World): MqttMessage[] {
    const { topics } = this.announcer;
    const { devices, flasher } = happenings(this.last, world);
    return [
      ...devices.map((one) => passing(topics.device(one.deviceid).event, one)),
      ...flasher.map((one) => passing(topics.flasher.event, one)),
    ];
  }
}
