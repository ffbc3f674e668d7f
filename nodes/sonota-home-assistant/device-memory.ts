/** The Sonoffs that Home Assistant has been told of, kept so that a restart neither forgets nor revives one. */

import { ERROR_CODES } from '../../lib/errors';
import { FollowingFile } from '../../lib/flash/kept/following-file';
import {
  droppable,
  isoTime,
  matching,
  object,
  oneOf,
  optional,
  salvagedList,
  salvagedRecord,
  text,
} from '../../lib/flash/kept/schema';
import type { StoredFormat } from '../../lib/flash/kept/stored-file';
import type { KnownDevice } from '../../lib/home-assistant';

/** Anyone on the network can make up devices; Home Assistant must not be flooded with them. */
const KNOWN_AT_MOST = 200;
/** Ids as devices have them: what else dials in has no place in a topic. */
const DEVICE_ID = /^[\w-]{1,32}$/;

interface Content {
  readonly devices: readonly KnownDevice[];
  /** When a person removed a device: jobs from before do not bring it back. */
  readonly removed: Readonly<Partial<Record<string, string>>>;
  /** The firmware that was chosen in Home Assistant, by its name. */
  readonly chosen?: string | undefined;
}

const deviceid = matching(DEVICE_ID, 'an id of a device');
const fact = optional(text(1000));
const knownDevice = object<KnownDevice>({
  deviceid,
  model: fact,
  romVersion: fact,
  installed: fact,
  failure: droppable(object<NonNullable<KnownDevice['failure']>>({ code: oneOf(ERROR_CODES), text: text() })),
});
const FORMAT: StoredFormat<Content> = {
  format: 'sonota-home-assistant/1',
  schema: object<Content>({
    devices: salvagedList(knownDevice),
    removed: salvagedRecord(deviceid, isoTime),
    chosen: droppable(text(1000)),
  }),
};

export class DeviceMemory {
  private readonly devices = new Map<string, KnownDevice>();
  private removed: Partial<Record<string, string>> = {};
  private chosenName: string | undefined;
  private readonly file: FollowingFile<Content>;

  /**
   * @param folder undefined = for this process only
   * @param warn told of a file that cannot be used or written
   */
  constructor(folder: string | undefined, name: string, warn: (text: string) => void) {
    this.file = new FollowingFile(folder === undefined ? undefined : { folder, name }, FORMAT, warn);
    this.read();
  }

  all(): KnownDevice[] {
    return [...this.devices.values()];
  }

  get chosen(): string | undefined {
    return this.chosenName;
  }

  choose(name: string): void {
    this.chosenName = name;
    this.keep();
  }

  /** Takes in what was learned of a device; what is undefined there is forgotten, what is left out stays. */
  learn(device: KnownDevice): void {
    const { deviceid } = device;
    if (!DEVICE_ID.test(deviceid)) return;
    const before = this.devices.get(deviceid);
    const now = { ...before, ...device };
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    this.devices.set(deviceid, now);
    for (const oldest of [...this.devices.keys()].slice(0, Math.max(0, this.devices.size - KNOWN_AT_MOST))) {
      this.devices.delete(oldest);
    }
    this.keep();
  }

  remove(deviceid: string, now = new Date()): void {
    if (!this.devices.delete(deviceid)) return;
    this.removed[deviceid] = now.toISOString();
    this.keep();
  }

  /** Whether something from then on belongs to a device that was removed later. */
  wasRemovedSince(deviceid: string, startedAt: string): boolean {
    return Date.parse(this.removed[deviceid] ?? '') >= Date.parse(startedAt);
  }

  /** Resolves when all is on disk. */
  settled(): Promise<void> {
    return this.file.settled();
  }

  private keep(): void {
    this.file.follow(() => ({ devices: this.all(), removed: this.removed, chosen: this.chosenName }));
  }

  /** A file that is none of ours, or broken, is as good as none: devices come again. */
  private read(): void {
    const { devices = [], removed = {}, chosen } = this.file.read() ?? {};
    for (const device of devices.slice(-KNOWN_AT_MOST)) this.devices.set(device.deviceid, device);
    this.removed = removed;
    this.chosenName = chosen;
  }
}
