import { Variant } from '@jellybrick/dbus-next';
import { FlashError } from '../../../errors';
import type { AccessPoint } from '../wifi';
import {
  DEVICE_TYPE_WIFI,
  errorOfDBus,
  NM,
  NM_ACCESS_POINT,
  NM_ACTIVE,
  NM_DEVICE,
  NM_IP4,
  NM_PATH,
  NM_PROFILE,
  NM_SETTINGS,
  NM_SETTINGS_PATH,
  NM_WIRELESS,
  PERMISSIONS,
  PROFILE_PERMISSIONS,
} from './facts';
import type { Settings } from './profile';
import { isDBusError, type SystemBus } from './system-bus';

const PROPERTIES = 'org.freedesktop.DBus.Properties';
const PRIVACY = 0x1;
const KEY_PSK = 0x100;
/** The path that leads nowhere. */
const NOTHING = '/';

/** A Wi-Fi interface as NetworkManager has it. */
export interface NmDevice {
  readonly path: string;
  readonly name: string;
}

/** An access point with its path, which a connection is bound to. */
export interface NmAccessPoint extends AccessPoint {
  readonly path: string;
}

/** A stored connection. */
export interface NmProfile {
  readonly path: string;
  readonly id: string;
  readonly uuid: string;
}

/** Our calls of NetworkManager, in its words. Every call throws a FlashError `wifi-*` where it cannot be done. */
export class NmApi {
  /** @param interfaceName for what errors say */
  constructor(
    readonly bus: SystemBus,
    private readonly interfaceName: string,
  ) {}

  async isThere(): Promise<boolean> {
    return this.bus.hasOwner(NM);
  }

  /** The missing permissions of this process, and whether its profiles must be its user's own. */
  async permissions(): Promise<{ forbidden: string[]; isOwnOnly: boolean }> {
    const [answer] = await this.call(NM_PATH, NM, 'GetPermissions');
    const permissions = answer as Record<string, string>;
    // `auth`: NetworkManager would ask a person for a password, and no person is there.
    const mayNot = (permission: string): boolean => (permissions[permission] ?? 'yes') !== 'yes';
    const { system, own } = PROFILE_PERMISSIONS;
    const isOwnOnly = mayNot(system);
    const forbidden = [...PERMISSIONS.filter(mayNot), ...(isOwnOnly && mayNot(own) ? [system] : [])];
    return { forbidden, isOwnOnly };
  }

  /** Every Wi-Fi interface that it knows. */
  async wifiDevices(): Promise<NmDevice[]> {
    const [paths] = (await this.call(NM_PATH, NM, 'GetDevices')) as [string[]];
    const devices = await Promise.all(paths.map((path) => this.properties(path, NM_DEVICE).catch(() => undefined)));
    return devices.flatMap((device, index) =>
      device?.['DeviceType'] === DEVICE_TYPE_WIFI
        ? [{ path: paths[index] ?? '', name: String(device['Interface']) }]
        : [],
    );
  }

  async deviceState(path: string): Promise<number> {
    return Number(await this.get(path, NM_DEVICE, 'State'));
  }

  /** When it last ended a scan, in ms of a clock of its own; -1 = never. */
  async lastScan(path: string): Promise<number> {
    return Number(await this.get(path, NM_WIRELESS, 'LastScan'));
  }

  async requestScan(path: string): Promise<void> {
    await this.call(path, NM_WIRELESS, 'RequestScan', 'a{sv}', [{}]);
  }

  async accessPoints(path: string): Promise<NmAccessPoint[]> {
    const [paths] = (await this.call(path, NM_WIRELESS, 'GetAllAccessPoints')) as [string[]];
    // One may vanish while they are looked at.
    const all = await Promise.all(paths.map((one) => this.properties(one, NM_ACCESS_POINT).catch(() => undefined)));
    return all.flatMap((found, index) => (found ? [accessPointOf(paths[index] ?? '', found)] : []));
  }

  /** Starts to join; resolves with the paths of the profile and of its activation. */
  async activateNew(
    settings: Settings,
    device: string,
    accessPoint: string,
  ): Promise<{ profile: string; active: string }> {
    const options = {
      // Gone with its disconnection, and that with our connection to the bus: nothing outlives this process.
      persist: new Variant('s', 'volatile'),
      'bind-activation': new Variant('s', 'dbus-client'),
    };
    const body = [settings, device, accessPoint, options];
    const [profile, active] = await this.call(NM_PATH, NM, 'AddAndActivateConnection2', 'a{sa{sv}}ooa{sv}', body);
    return { profile: String(profile), active: String(active) };
  }

  async activate(profile: string, device: string): Promise<void> {
    await this.call(NM_PATH, NM, 'ActivateConnection', 'ooo', [profile, device, NOTHING]);
  }

  /** The name and the UUID of the profile that is active on a device. */
  async activeOn(device: string): Promise<{ id: string; uuid: string } | undefined> {
    const active = String(await this.get(device, NM_DEVICE, 'ActiveConnection'));
    if (active === NOTHING) return undefined;
    // It may have gone between the two questions.
    const found = await this.properties(active, NM_ACTIVE).catch((error: unknown) => {
      if (error instanceof FlashError && error.code === 'wifi-failed') return undefined;
      throw error;
    });
    return found && { id: String(found['Id']), uuid: String(found['Uuid']) };
  }

  async ipv4On(device: string): Promise<string | undefined> {
    const config = String(await this.get(device, NM_DEVICE, 'Ip4Config'));
    if (config === NOTHING) return undefined;
    const data = (await this.get(config, NM_IP4, 'AddressData')) as Record<string, Variant>[];
    return data.map(({ address }) => String(address?.value)).at(0);
  }

  /** The access point that a device is joined to, whichever of those of a name NetworkManager has taken. */
  async bssidOn(device: string): Promise<string | undefined> {
    const accessPoint = String(await this.get(device, NM_WIRELESS, 'ActiveAccessPoint'));
    if (accessPoint === NOTHING) return undefined;
    return String(await this.get(accessPoint, NM_ACCESS_POINT, 'HwAddress')).toUpperCase();
  }

  /** The name of the Wi-Fi that a device is joined to. */
  async ssidOn(device: string): Promise<string | undefined> {
    const accessPoint = String(await this.get(device, NM_WIRELESS, 'ActiveAccessPoint'));
    if (accessPoint === NOTHING) return undefined;
    return Buffer.from((await this.get(accessPoint, NM_ACCESS_POINT, 'Ssid')) as Uint8Array).toString();
  }

  async profiles(): Promise<NmProfile[]> {
    const [paths] = (await this.call(NM_SETTINGS_PATH, NM_SETTINGS, 'ListConnections')) as [string[]];
    const all = await Promise.all(paths.map((path) => this.profile(path).catch(() => undefined)));
    return all.flatMap((profile) => (profile ? [profile] : []));
  }

  async deleteProfile(path: string): Promise<void> {
    await this.call(path, NM_PROFILE, 'Delete');
  }

  private async profile(path: string): Promise<NmProfile> {
    const [settings] = (await this.call(path, NM_PROFILE, 'GetSettings')) as [Settings];
    const { id, uuid } = settings['connection'] ?? {};
    return { path, id: String(id?.value), uuid: String(uuid?.value) };
  }

  private async get(path: string, iface: string, property: string): Promise<unknown> {
    const [value] = await this.call(path, PROPERTIES, 'Get', 'ss', [iface, property]);
    return (value as Variant).value;
  }

  private async properties(path: string, iface: string): Promise<Record<string, unknown>> {
    const [values] = await this.call(path, PROPERTIES, 'GetAll', 's', [iface]);
    const variants = Object.entries(values as Record<string, Variant>);
    return Object.fromEntries(variants.map(([name, { value }]) => [name, value]));
  }

  private async call(
    path: string,
    iface: string,
    member: string,
    signature = '',
    body: unknown[] = [],
  ): Promise<unknown[]> {
    try {
      return await this.bus.call({ destination: NM, path, interface: iface, member, signature, body });
    } catch (error) {
      if (error instanceof FlashError || !isDBusError(error)) throw error;
      throw errorOfDBus(error, { path, name: this.interfaceName });
    }
  }
}

function accessPointOf(path: string, found: Record<string, unknown>): NmAccessPoint {
  const ssid = found['Ssid'] as Buffer;
  return {
    path,
    ssid: Buffer.from(ssid).toString('utf8'),
    bssid: String(found['HwAddress']).toUpperCase(),
    signal: Number(found['Strength']),
    frequency: Number(found['Frequency']),
    security: securityOf(Number(found['Flags']), Number(found['WpaFlags']) | Number(found['RsnFlags'])),
  };
}

function securityOf(flags: number, keys: number): AccessPoint['security'] {
  if ((keys & KEY_PSK) !== 0) return 'psk';
  return keys === 0 && (flags & PRIVACY) === 0 ? 'open' : 'other';
}
