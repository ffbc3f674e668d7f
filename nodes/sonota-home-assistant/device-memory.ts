/** The Sonoffs published to Home Assistant, stored so that a restart neither forgets nor revives one. */

import { ERROR_CODES } from '../../lib/errors';
import { RecentDevices } from '../../lib/flash/devices/recent-devices';
import { FollowingFile } from '../../lib/storage/following-file';
import {
  droppable,
  isoTime,
  matching,
  nullable,
  object,
  oneOf,
  optional,
  salvagedList,
  salvagedRecord,
  text,
} from '../../lib/storage/schema';
import type { StoredFormat } from '../../lib/storage/stored-file';
import type { ShownDevice, ShownFailure } from '../../lib/home-assistant';

/** A device that dials every minute is not written to the disk as often. */
const SEEN_KEPT_EVERY_MS = 60 * 60_000;
/** Ids as devices have them: what else dials in has no place in a topic. */
const DEVICE_ID = /^[\w-]{1,32}$/;

/** `seenAt` in ISO 8601. */
type StoredDevice = ShownDevice & { readonly seenAt?: string };

interface Content {
  readonly devices: readonly StoredDevice[];
  /** When a person removed a device: only a job from later, or a person, brings it back. */
  readonly removed: Readonly<Partial<Record<string, string>>>;
  /** The same of the flasher. */
  readonly flasherRemoved?: string | undefined;
  /** The newest failure since a flash ended well. */
  readonly lastFailure?: LastFailure | undefined;
  /** The firmware that was chosen in Home Assistant, by its name. */
  readonly chosen?: string | undefined;
}

export type LastFailure = Omit<ShownFailure, 'id'>;

const deviceid = matching(DEVICE_ID, 'an id of a device');
const fact = optional(text(1000));
const storedDevice = object<StoredDevice>({
  deviceid,
  model: fact,
  romVersion: fact,
  installed: fact,
  installedVersion: fact,
  page: fact,
  mac: fact,
  seenAt: droppable(isoTime),
  failure: droppable(
    object<NonNullable<ShownDevice['failure']>>({ code: oneOf(ERROR_CODES), what: fact, text: text(), remedy: fact }),
  ),
});
const FORMAT: StoredFormat<Content> = {
  format: 'sonota-home-assistant/1',
  schema: object<Content>({
    devices: salvagedList(storedDevice),
    removed: salvagedRecord(deviceid, isoTime),
    flasherRemoved: droppable(isoTime),
    lastFailure: droppable(
      object<LastFailure>({
        code: oneOf(ERROR_CODES),
        what: fact,
        text: text(),
        remedy: text(),
        deviceid: nullable(deviceid),
      }),
    ),
    chosen: droppable(text(1000)),
  }),
};

export class DeviceMemory {
  /** Devices that have a session, a job or a place in the queue. */
  inUse: () => readonly string[] = () => [];
  private readonly devices: RecentDevices<ShownDevice>;
  private removed: Partial<Record<string, string>> = {};
  private flasherRemovedAt: string | undefined;
  private failure: LastFailure | undefined;
  private chosenName: string | undefined;
  private readonly file: FollowingFile<Content>;

  /**
   * @param folder undefined = for this process only
   * @param warn called for a file that cannot be used or written
   */
  constructor(
    folder: string | undefined,
    name: string,
    warn: (text: string) => void,
    private readonly now: () => number = Date.now,
  ) {
    this.devices = new RecentDevices(() => this.held(), now);
    this.file = new FollowingFile(folder === undefined ? undefined : { folder, name }, FORMAT, warn);
    this.read();
  }

  /** Those that are shown. */
  all(): ShownDevice[] {
    return this.known().filter(({ deviceid }) => this.removed[deviceid] === undefined);
  }

  /** The facts of a device, shown or not. */
  get(deviceid: string): ShownDevice | undefined {
    return this.devices.get(deviceid);
  }

  /** Forgets what was not seen for long. */
  forgetOld(): void {
    if (this.devices.forgetOld()) this.keep();
  }

  /** Takes in facts that a device stated, or that it was seen. One that a person has removed stays removed. */
  saw(device: ShownDevice): void {
    const seenAt = this.devices.all().find(({ value }) => value.deviceid === device.deviceid)?.seenAt ?? 0;
    this.note(device);
    const known = this.devices.get(device.deviceid);
    if (known) this.devices.saw(device.deviceid, known);
    if (known && this.now() - seenAt >= SEEN_KEPT_EVERY_MS) this.keep();
  }

  get chosen(): string | undefined {
    return this.chosenName;
  }

  choose(name: string): void {
    this.chosenName = name;
    this.keep();
  }

  /** Takes in what was learned of a device in use; what is undefined there is forgotten, what is left out stays. */
  learn(device: ShownDevice): void {
    if (this.removed[device.deviceid] !== undefined) {
      delete this.removed[device.deviceid];
      this.keep();
    }
    this.note(device);
  }

  remove(deviceid: string, now = new Date(this.now())): void {
    if (this.devices.get(deviceid) === undefined) return;
    this.removed[deviceid] = now.toISOString();
    this.keep();
  }

  /** Whether something from then on belongs to a device that was removed later. */
  wasRemovedSince(deviceid: string, startedAt: string): boolean {
    return Date.parse(this.removed[deviceid] ?? '') >= Date.parse(startedAt);
  }

  /** A person has deleted the flasher in Home Assistant. */
  removeFlasher(): void {
    this.flasherRemovedAt = new Date(this.now()).toISOString();
    this.keep();
  }

  /** @param since when something started that needs the flasher; undefined where a person asks for it */
  showFlasher(since?: string): void {
    if (this.flasherRemovedAt === undefined) return;
    if (since !== undefined && Date.parse(since) <= Date.parse(this.flasherRemovedAt)) return;
    this.flasherRemovedAt = undefined;
    this.keep();
  }

  get isFlasherRemoved(): boolean {
    return this.flasherRemovedAt !== undefined;
  }

  /** Shows all devices that were removed. */
  restoreAll(): void {
    this.removed = {};
    this.keep();
  }

  get lastFailure(): LastFailure | undefined {
    return this.failure;
  }

  set lastFailure(failure: LastFailure | undefined) {
    this.failure = failure;
    this.keep();
  }

  /** Resolves when all is on disk. */
  settled(): Promise<void> {
    return this.file.settled();
  }

  /** Devices that are not forgotten: those in use, and those that a person has had flashed, or tried to. */
  private held(): Set<string> {
    const flashed = this.all().filter(({ installed, failure }) => installed !== undefined || failure !== undefined);
    return new Set([...this.inUse(), ...flashed.map(({ deviceid }) => deviceid)]);
  }

  private note(device: ShownDevice): void {
    const { deviceid } = device;
    if (!DEVICE_ID.test(deviceid)) return;
    const before = this.devices.get(deviceid);
    const now = { ...before, ...device };
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    this.devices.learn(deviceid, now);
    this.keep();
  }

  private known(): ShownDevice[] {
    return this.devices.all().map(({ value }) => value);
  }

  private keep(): void {
    this.file.follow(() => ({
      devices: this.stored(),
      removed: this.removed,
      flasherRemoved: this.flasherRemovedAt,
      lastFailure: this.failure,
      chosen: this.chosenName,
    }));
  }

  private stored(): StoredDevice[] {
    return this.devices.all().map(({ value, seenAt }) => ({ ...value, seenAt: new Date(seenAt).toISOString() }));
  }

  /** A file that is none of ours, or broken, is as good as none: devices come again. */
  private read(): void {
    const { devices = [], removed = {}, chosen, flasherRemoved, lastFailure } = this.file.read() ?? {};
    this.flasherRemovedAt = flasherRemoved;
    this.failure = lastFailure;
    for (const { seenAt, ...device } of devices) {
      this.devices.saw(device.deviceid, device, seenAt === undefined ? this.now() : Date.parse(seenAt));
    }
    this.removed = { ...removed };
    this.chosenName = chosen;
  }
}
