import { EventEmitter } from 'node:events';
import { RecentDevices } from './recent-devices';

/**
 * In which way a device was seen last:
 * - `access-point`: it answered in its own network
 * - `dispatch`, `session`: it dialled the emulated cloud
 * - `announcement`: it announced itself on the home network
 * - `answer`: it answered at an address that was asked
 */
export type SeenHow = 'access-point' | 'dispatch' | 'session' | 'announcement' | 'answer';

/** The statement of a source on a device; omitted facts stay as they were. */
export interface DeviceSighting {
  readonly deviceid: string;
  readonly how: SeenHow;
  readonly model?: string | undefined;
  /** Of its stock firmware. */
  readonly version?: string | undefined;
  /** Its address on the home network. */
  readonly address?: string | undefined;
  /** Of its station, as it reported it. */
  readonly mac?: string | undefined;
}

/** A device as it is known by now. `seenAt` in ms since the epoch. */
export type ListedDevice = DeviceSighting & { readonly seenAt: number };

/**
 * The devices that were seen lately, in whichever way: what each is and where. Whether a device really is the one that it
 * says is not judged here; see `Claims`.
 */
export class DeviceDirectory extends EventEmitter<{ seen: [ListedDevice] }> {
  private readonly devices: RecentDevices<DeviceSighting>;

  /** @param held devices that are not forgotten: those in work or with a session */
  constructor(
    held: () => ReadonlySet<string> = () => new Set(),
    private readonly now: () => number = Date.now,
  ) {
    super();
    this.setMaxListeners(0);
    this.devices = new RecentDevices(held, now);
  }

  /** Adds what was seen of a device to what is known of it. */
  saw(sighting: DeviceSighting): void {
    const stated = Object.entries(sighting).filter(([, fact]) => fact !== undefined);
    const device = {
      ...this.devices.get(sighting.deviceid),
      ...(Object.fromEntries(stated) as unknown as DeviceSighting),
    };
    const seenAt = this.now();
    this.devices.saw(sighting.deviceid, device, seenAt);
    this.emit('seen', { ...device, seenAt });
  }

  get(deviceid: string): DeviceSighting | undefined {
    return this.devices.get(deviceid);
  }

  /** The one that was seen longest ago first. */
  all(): ListedDevice[] {
    this.devices.forgetOld();
    return this.devices.all().map(({ value, seenAt }) => ({ ...value, seenAt }));
  }
}
