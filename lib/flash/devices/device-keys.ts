import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { FollowingFile, type Place } from '../../storage/following-file';
import { hashOf, isHashOf, KEYS_FORMAT, type KeyHash, type StoredKeys, type StoredKeysOfDevice } from './stored-keys';

/** A device holds the newest session key that it was given, or the one before where the answer was lost. */
const ISSUED_KEPT = 4;
/** Of those that are not pinned, and have no session, the oldest go first. */
const DEVICES_KEPT = 200;

/**
 * What is known of the devices' keys over a restart of the process: the one that a device stated in its access point,
 * which pins it, and the session keys that this host gave out. Only salted hashes are kept, in memory too.
 */
export class DeviceKeys {
  /** Whether a device has a session: then its keys are needed until it ends. */
  isHeld: (deviceid: string) => boolean = () => false;
  private readonly devices: Map<string, StoredKeysOfDevice>;
  private readonly file: FollowingFile<StoredKeys>;

  /**
   * @param place undefined = for this process only
   * @param onTrouble called for a file that cannot be used or written
   */
  constructor(place?: Place, onTrouble: (text: string) => void = () => undefined) {
    this.file = new FollowingFile(place, KEYS_FORMAT, onTrouble);
    const known = Object.entries(this.file.read()?.devices ?? {}).flatMap(([id, keys]) =>
      keys ? [[id, keys] as const] : [],
    );
    this.devices = new Map(known);
  }

  /** @param hostId of the host's config node, of which people can make anything */
  static at(folder: string, hostId: string, onTrouble: (text: string) => void): DeviceKeys {
    const safe = /^[\w-]{1,64}$/.test(hostId) ? hostId : createHash('sha256').update(hostId).digest('hex');
    return new DeviceKeys({ folder: join(folder, 'keys'), name: `${safe}.json` }, onTrouble);
  }

  /** The device stated this key in its access point; it takes the place of what was pinned before. */
  pin(deviceid: string, apikey: string): void {
    if (this.isPinnedTo(deviceid, apikey) !== true) this.change(deviceid, { pin: hashOf(apikey) });
  }

  unpin(deviceid: string): void {
    if (this.devices.get(deviceid)?.pin) this.change(deviceid, { pin: undefined });
  }

  /** Whether this is the device's own key; undefined where it is not pinned. */
  isPinnedTo(deviceid: string, apikey: string): boolean | undefined {
    const pin = this.devices.get(deviceid)?.pin;
    return pin && isHashOf(apikey, pin);
  }

  /** The device calls itself by this key in its session. */
  issued(deviceid: string, sessionKey: string): void {
    if (this.wasIssued(deviceid, sessionKey)) return;
    const before = this.devices.get(deviceid)?.issued ?? [];
    this.change(deviceid, { issued: [...before, hashOf(sessionKey)].slice(-ISSUED_KEPT) });
  }

  wasIssued(deviceid: string, key: string): boolean {
    return this.devices.get(deviceid)?.issued.some((hash) => isHashOf(key, hash)) ?? false;
  }

  /** Resolves when what there is now is on disk, could not be written, or the disk has had its time. */
  settled(limitMs: number): Promise<void> {
    return this.file.settled(limitMs);
  }

  /** The host is closed. */
  async forget(): Promise<void> {
    this.devices.clear();
    this.file.follow(() => undefined);
    await this.file.settled();
  }

  private change(deviceid: string, news: { pin?: KeyHash | undefined; issued?: readonly KeyHash[] }): void {
    const { pin, issued = [] } = { ...this.devices.get(deviceid), ...news };
    this.devices.delete(deviceid);
    this.devices.set(deviceid, { ...(pin ? { pin } : {}), issued });
    if (this.devices.size > DEVICES_KEPT) this.forgetOne();
    this.file.follow(() => ({ devices: Object.fromEntries(this.devices) }));
  }

  /** Anyone can make up devices that register; a pin comes of a person's doing alone. */
  private forgetOne(): void {
    const all = [...this.devices];
    const unpinned = all.filter(([, { pin }]) => !pin);
    const [oldest] = unpinned.find(([deviceid]) => !this.isHeld(deviceid)) ?? unpinned[0] ?? all[0] ?? [];
    if (oldest !== undefined) this.devices.delete(oldest);
  }
}
