import { deviceConfig, flasherConfig, type Announcer } from './discovery';
import { deviceState, updateState } from './device-state';
import { flasherState } from './flasher-state';
import { diffEvents } from './diff-events';
import { kept, passing, type MqttMessage } from './message';
import type { PublishedGroup } from './topics';
import type { Failure, Snapshot } from './snapshot';

const NOTHING: Snapshot = {
  devices: [],
  jobs: [],
  firmware: { options: [], chosen: undefined },
  arming: { isForAll: false, devices: [] },
  failures: [],
};

/**
 * Keeps Home Assistant's view up to date: publishes changes, and nothing twice. Retained topics are published again where
 * they may have been lost; events once.
 */
export class DiscoveryPublisher {
  /** The last payload published under each retained topic. */
  private readonly published = new Map<string, string>();
  /** Configs that others have removed, before this does. */
  private readonly deleted = new Set<string>();
  /** How often a config's removal is still to come back from the broker. */
  private readonly echoes = new Map<string, number>();
  private last = NOTHING;

  constructor(private readonly announcer: Announcer) {}

  /** The changes: devices before their states, states before events. */
  changes(snapshot: Snapshot): MqttMessage[] {
    const messages = [...this.gone(snapshot), ...this.standing(snapshot)].filter(
      ({ topic, payload }) => this.published.get(topic) !== payload,
    );
    this.note(messages);
    const happened = this.happened(snapshot);
    this.last = snapshot;
    return [...messages, ...happened];
  }

  /** Everything retained, without events: for a snapshot that is published before the first changes. */
  first(snapshot: Snapshot): MqttMessage[] {
    const messages = this.standing(snapshot);
    this.note(messages);
    return messages;
  }

  /** Everything retained, published or not. */
  everything(snapshot: Snapshot): MqttMessage[] {
    this.published.clear();
    // A lost removal brings no echo.
    this.echoes.clear();
    return this.changes(snapshot);
  }

  /** Takes a snapshot as known, without its events: at the start, jobs that continue after a restart. */
  knows(snapshot: Snapshot): void {
    this.last = snapshot;
  }

  /** The events for a refused request. @param deviceid undefined = of the flasher */
  refused(deviceid: string | undefined, { code, text, remedy }: Failure): MqttMessage[] {
    const { topics } = this.announcer;
    const refusal = { event_type: 'refused', ...(deviceid !== undefined && { deviceid }), error: code, text, remedy };
    const ofFlasher = this.last.isFlasherHidden ? [] : [passing(topics.flasher.event, refusal)];
    const isKnown = this.last.devices.some((device) => device.deviceid === deviceid);
    return deviceid === undefined || !isKnown
      ? ofFlasher
      : [passing(topics.device(deviceid).event, refusal), ...ofFlasher];
  }

  /** Everything retained of a snapshot, in groups. */
  groups(snapshot: Snapshot): PublishedGroup[] {
    const { topics } = this.announcer;
    const { config, state } = topics.flasher;
    const devices = snapshot.devices.map(({ deviceid }) => topics.device(deviceid));
    return [
      { states: [topics.status] },
      ...(snapshot.isFlasherHidden ? [] : [{ config, states: [state] }]),
      ...devices.map((device) => ({ config: device.config, states: [device.update, device.state] })),
    ];
  }

  /** A config was removed from the broker. @returns whether others have done it, and to a device that was there */
  wasRemoved(config: string): boolean {
    const echoes = this.echoes.get(config) ?? 0;
    if (echoes > 0) this.echoes.set(config, echoes - 1);
    return echoes === 0 && (this.published.get(config) ?? '') !== '';
  }

  /** A person has deleted the device of a config in Home Assistant, which has removed the config. */
  deletedThere(config: string): void {
    this.published.delete(config);
    this.deleted.add(config);
  }

  private standing(snapshot: Snapshot): MqttMessage[] {
    const { topics, names, states, phrase } = this.announcer;
    const isFlasherShown = snapshot.isFlasherHidden !== true;
    return [
      ...(isFlasherShown
        ? [
            kept(topics.flasher.config, flasherConfig(this.announcer, snapshot)),
            kept(topics.flasher.state, flasherState(snapshot, states)),
          ]
        : []),
      ...snapshot.devices.flatMap((device) => {
        const { config, update, state } = topics.device(device.deviceid);
        return [
          kept(config, deviceConfig(this.announcer, device, isFlasherShown)),
          kept(update, updateState(device, snapshot, { newFirmware: names.newFirmware, phrase })),
          kept(state, deviceState(device, snapshot, states)),
        ];
      }),
    ];
  }

  /** Removals of everything that is no longer there. */
  private gone(snapshot: Snapshot): MqttMessage[] {
    const { topics } = this.announcer;
    const left = this.last.devices.filter(({ deviceid }) => !snapshot.devices.some((one) => one.deviceid === deviceid));
    const groups = left.map(({ deviceid }) => topics.device(deviceid));
    return [
      ...groups.flatMap(({ config, update, state }) => this.removed(config, [update, state])),
      ...(snapshot.isFlasherHidden && !this.last.isFlasherHidden
        ? this.removed(topics.flasher.config, [topics.flasher.state])
        : []),
    ];
  }

  private note(messages: readonly MqttMessage[]): void {
    for (const { topic, payload } of messages) {
      this.published.set(topic, payload);
      if (payload === '') this.echoes.set(topic, (this.echoes.get(topic) ?? 0) + 1);
      else this.deleted.delete(topic);
    }
  }

  /** Home Assistant complains of the removal of a device that it does not have: one that it has deleted itself. */
  private removed(config: string, states: readonly string[]): MqttMessage[] {
    const isDeleted = this.deleted.delete(config);
    return [...(isDeleted ? [] : [config]), ...states].map((topic) => kept(topic, ''));
  }

  private happened(snapshot: Snapshot): MqttMessage[] {
    const { topics } = this.announcer;
    const { devices, flasher } = diffEvents(this.last, snapshot);
    return [
      ...devices.map((one) => passing(topics.device(one.deviceid).event, one)),
      ...(snapshot.isFlasherHidden ? [] : flasher.map((one) => passing(topics.flasher.event, one))),
    ];
  }
}
