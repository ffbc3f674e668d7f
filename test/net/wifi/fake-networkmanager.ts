import { EventEmitter, once } from 'node:events';
import { Message, systemBus, Variant, type MessageBus } from '@jellybrick/dbus-next';

const NM = 'org.freedesktop.NetworkManager';
const ROOT = '/org/freedesktop/NetworkManager';

export interface FakeAccessPoint {
  ssid: string;
  bssid: string;
  /** Undefined = open. */
  psk?: string;
  signal?: number;
  /** Whether its DHCP server answers; default true. */
  dhcp?: boolean;
  /** The network that its DHCP server gives addresses of; default 10.10.7. */
  network?: string;
  /** It is shown and does not answer: a join neither succeeds nor fails. */
  hangs?: boolean;
}

type Settings = Record<string, Record<string, Variant>>;

interface Profile {
  path: string;
  settings: Settings;
  isVolatile: boolean;
  /** The client with which it goes. */
  boundTo: string | undefined;
}

interface Device {
  path: string;
  name: string;
  type: number;
  state: number;
  lastScan: number;
  active: { path: string; profile: Profile } | undefined;
  address: string | undefined;
  joined: FakeAccessPoint | undefined;
}

/** Its settings as NetworkManager types them; any other, or any other type, is refused as it does. */
const TYPES: Record<string, Record<string, string>> = {
  connection: { id: 's', type: 's', uuid: 's', autoconnect: 'b', 'interface-name': 's', permissions: 'as' },
  '802-11-wireless': { ssid: 'ay', mode: 's', bssid: 'ay' },
  '802-11-wireless-security': { 'key-mgmt': 's', psk: 's' },
  ipv4: {
    method: 's',
    'address-data': 'aa{sv}',
    'never-default': 'b',
    'ignore-auto-dns': 'b',
    'ignore-auto-routes': 'b',
    'may-fail': 'b',
    'dhcp-timeout': 'i',
  },
  ipv6: { method: 's' },
};

/**
 * A small NetworkManager on the bus, with the parts that the driver speaks to and their order of events: state changes
 * with reasons, volatile profiles, profiles bound to a client, autoconnect.
 *
 * Emits `call` with each method's name, `state` with each device's new state, `joined` (SSID, address) when a device is
 * in a network, `left` when that has ended.
 */
export class FakeNetworkManager extends EventEmitter {
  readonly devices: Device[] = [];
  readonly profiles: Profile[] = [];
  accessPoints: FakeAccessPoint[] = [];
  readonly calls: string[] = [];
  /** What `GetPermissions` tells beside "yes". */
  permissions: Record<string, string> = {};
  /** Methods that fail with a D-Bus error. */
  readonly refusals: Record<string, string> = {};
  /** Methods that are never answered. */
  readonly hanging = new Set<string>();
  stepMs = 2;
  scanMs = 10;
  /** How long a profile that was deleted stays active. */
  downMs = 2;
  private count = 0;
  private uptime = 1000;
  private bus: MessageBus | undefined;

  static async start(): Promise<FakeNetworkManager> {
    const fake = new FakeNetworkManager();
    await fake.appear();
    return fake;
  }

  /** It comes back after a restart with what it had in memory; its objects have new paths. */
  async appear(): Promise<void> {
    const bus = systemBus();
    this.bus = bus;
    (bus as unknown as EventEmitter).on('error', () => undefined);
    await once(bus, 'connect');
    bus.addMethodHandler((message) => this.answer(message));
    bus.on('message', (message) => this.clientWent(message));
    const rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'";
    await bus.call(
      new Message({
        destination: 'org.freedesktop.DBus',
        path: '/org/freedesktop/DBus',
        interface: 'org.freedesktop.DBus',
        member: 'AddMatch',
        signature: 's',
        body: [rule],
      }),
    );
    for (const device of this.devices) device.path = `${ROOT}/Devices/${++this.count}`;
    await bus.requestName(NM);
  }

  async vanish(): Promise<void> {
    const { bus } = this;
    this.bus = undefined;
    await bus?.releaseName(NM);
    bus?.disconnect();
  }

  addWifi(name: string, state = 30): Device {
    const path = `${ROOT}/Devices/${++this.count}`;
    const device: Device = {
      path,
      name,
      type: 2,
      state,
      lastScan: -1,
      active: undefined,
      address: undefined,
      joined: undefined,
    };
    this.devices.push(device);
    return device;
  }

  /** The stick is pulled out. */
  unplug(device: Device): void {
    this.change(device, 10, 36);
    this.devices.splice(this.devices.indexOf(device), 1);
    this.signal(ROOT, NM, 'DeviceRemoved', 'o', [device.path]);
  }

  /** A profile of the user's. */
  addProfile(id: string, ssid: string, { autoconnect = true } = {}): Profile {
    return this.store({
      connection: { id: new Variant('s', id), autoconnect: new Variant('b', autoconnect) },
      '802-11-wireless': { ssid: new Variant('ay', Buffer.from(ssid)) },
      ipv4: { method: new Variant('s', 'auto') },
    });
  }

  /** The network of the device's active profile goes out of range. */
  loseNetwork(device: Device, reason = 53): void {
    this.change(device, 120, reason);
    this.release(device);
    this.change(device, 30, 0);
    this.autoconnectSoon(device);
  }

  /** Makes a profile active, as at the machine's start. */
  connect(device: Device, profile: Profile, address = '192.168.1.7'): void {
    device.active = { path: `${ROOT}/ActiveConnection/${++this.count}`, profile };
    device.address = address;
    device.state = 100;
  }

  /** A profile's activation that started before ends now. */
  comeUp(device: Device, profile: Profile): void {
    const old = device.state;
    this.connect(device, profile);
    this.signal(device.path, `${NM}.Device`, 'StateChanged', 'uuu', [device.state, old, 0]);
  }

  /** Names of all profiles, and of the active one of each device. */
  names(): { profiles: string[]; active: (string | undefined)[] } {
    const id = (profile: Profile | undefined): string | undefined =>
      profile && String(profile.settings['connection']?.['id']?.value);
    return {
      profiles: this.profiles.map((profile) => id(profile) ?? ''),
      active: this.devices.map(({ active }) => id(active?.profile)),
    };
  }

  private answer(message: Message): boolean {
    const { member, interface: iface, path } = message;
    const call = member === 'Get' || member === 'GetAll' ? `${member} ${String(message.body[0])}` : member;
    this.calls.push(call);
    this.emit('call', call);
    if (this.hanging.has(member)) return true;
    const refusal = this.refusals[member];
    const bus = this.bus;
    if (!bus) return true;
    const fail = (type: string, text: string): boolean => (bus.send(Message.newError(message, type, text)), true);
    if (refusal !== undefined) return fail(refusal, 'Not authorized to do this.');
    const reply = (signature: string, ...body: unknown[]): boolean => (
      bus.send(Message.newMethodReturn(message, signature, body)),
      true
    );
    if (iface === 'org.freedesktop.DBus.Properties') {
      const all = this.properties(path, String(message.body[0]));
      if (!all) return fail('org.freedesktop.DBus.Error.UnknownMethod', `No such object path ${path}`);
      if (member === 'GetAll') return reply('a{sv}', all);
      const one = all[String(message.body[1])];
      return one ? reply('v', one) : fail('org.freedesktop.DBus.Error.InvalidArgs', 'No such property');
    }
    const device = this.devices.find((one) => one.path === path);
    const profile = this.profiles.find((one) => one.path === path);
    switch (member) {
      case 'GetPermissions': {
        const all = ['network-control', 'settings.modify.system', 'settings.modify.own', 'wifi.scan'];
        const permissions = Object.fromEntries(all.map((name) => [`${NM}.${name}`, 'yes']));
        return reply('a{ss}', { ...permissions, ...this.permissions });
      }
      case 'GetDevices':
        return reply(
          'ao',
          this.devices.map((one) => one.path),
        );
      case 'ListConnections':
        return reply(
          'ao',
          this.profiles.map((one) => one.path),
        );
      case 'GetSettings':
        return profile ? reply('a{sa{sv}}', withoutSecrets(profile.settings)) : fail(UNKNOWN, path);
      case 'Delete':
        if (!profile) return fail(UNKNOWN, path);
        this.profiles.splice(this.profiles.indexOf(profile), 1);
        setTimeout(() => this.remove(profile), this.downMs);
        return reply('');
      case 'RequestScan':
        if (!device) return fail(UNKNOWN, path);
        setTimeout(() => (device.lastScan = ++this.uptime), this.scanMs);
        return reply('');
      case 'GetAllAccessPoints':
        return reply(
          'ao',
          this.accessPoints.map((_, index) => `${ROOT}/AccessPoint/${index}`),
        );
      case 'AddAndActivateConnection2': {
        const [settings, devicePath, accessPoint, options] = message.body as [
          Settings,
          string,
          string,
          Record<string, Variant>,
        ];
        const fault = faultIn(settings);
        if (message.signature !== 'a{sa{sv}}ooa{sv}')
          return fail('org.freedesktop.DBus.Error.InvalidArgs', 'signature');
        if (fault) return fail(`${NM}.Settings.Connection.InvalidProperty`, fault);
        const isOwn = settings['connection']?.['permissions'] !== undefined;
        const right = `${NM}.settings.modify.${isOwn ? 'own' : 'system'}`;
        if ((this.permissions[right] ?? 'yes') !== 'yes') return fail(`${NM}.PermissionDenied`, `No ${right}`);
        const target = this.devices.find((one) => one.path === devicePath);
        if (!target) return fail(`${NM}.UnknownDevice`, 'Device not found');
        // One that has vanished meanwhile is left to the activation.
        const named = this.accessPoints[Number(/AccessPoint\/(\d+)$/.exec(accessPoint)?.[1])];
        if (named && !fits(settings, named)) return fail(`${NM}.UnknownConnection`, 'profile is not compatible');
        const isBound = options['bind-activation']?.value === 'dbus-client';
        const added = this.store(
          settings,
          options['persist']?.value === 'volatile',
          isBound ? message.sender : undefined,
        );
        const active = this.activate(target, added);
        return reply('ooa{sv}', added.path, active, {});
      }
      case 'ActivateConnection': {
        const [profilePath, devicePath] = message.body as string[];
        const target = this.devices.find((one) => one.path === devicePath);
        const wanted = this.profiles.find((one) => one.path === profilePath);
        if (!target || !wanted) return fail(`${NM}.UnknownConnection`, 'not found');
        return reply('o', this.activate(target, wanted));
      }
      default:
        return fail('org.freedesktop.DBus.Error.UnknownMethod', member);
    }
  }

  private properties(path: string, iface: string): Record<string, Variant> | undefined {
    if (path === ROOT) return { Version: new Variant('s', '1.42.4') };
    const device = this.devices.find((one) => one.path === path);
    if (device && iface.endsWith('.Wireless')) {
      const joined = this.accessPoints.findIndex((one) => one === device.joined);
      const active = joined < 0 ? '/' : `${ROOT}/AccessPoint/${joined}`;
      return { LastScan: new Variant('x', BigInt(device.lastScan)), ActiveAccessPoint: new Variant('o', active) };
    }
    if (device) {
      return {
        Interface: new Variant('s', device.name),
        DeviceType: new Variant('u', device.type),
        State: new Variant('u', device.state),
        ActiveConnection: new Variant('o', device.active?.path ?? '/'),
        Ip4Config: new Variant('o', device.address === undefined ? '/' : `${device.path}/ip4`),
      };
    }
    const holder = this.devices.find((one) => `${one.path}/ip4` === path);
    if (holder) {
      const entry = { address: new Variant('s', holder.address), prefix: new Variant('u', 24) };
      return { AddressData: new Variant('aa{sv}', [entry]) };
    }
    const active = this.devices.find((one) => one.active?.path === path)?.active;
    if (active) {
      const { id, uuid } = active.profile.settings['connection'] ?? {};
      return { Id: id ?? new Variant('s', ''), Uuid: uuid ?? new Variant('s', '') };
    }
    const index = /AccessPoint\/(\d+)$/.exec(path)?.[1];
    const found = index === undefined ? undefined : this.accessPoints[Number(index)];
    if (!found) return undefined;
    return {
      Ssid: new Variant('ay', Buffer.from(found.ssid)),
      HwAddress: new Variant('s', found.bssid),
      Strength: new Variant('y', found.signal ?? 70),
      Frequency: new Variant('u', 2412),
      Flags: new Variant('u', found.psk === undefined ? 0 : 1),
      WpaFlags: new Variant('u', 0),
      RsnFlags: new Variant('u', found.psk === undefined ? 0 : 0x188),
    };
  }

  private store(settings: Settings, isVolatile = false, boundTo?: string): Profile {
    const number = ++this.count;
    const uuid = new Variant('s', `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`);
    const profile: Profile = {
      path: `${ROOT}/Settings/${number}`,
      settings: { ...settings, connection: { ...settings['connection'], uuid } },
      isVolatile,
      boundTo,
    };
    this.profiles.push(profile);
    return profile;
  }

  private remove(profile: Profile): void {
    const index = this.profiles.indexOf(profile);
    if (index >= 0) this.profiles.splice(index, 1);
    const device = this.devices.find(({ active }) => active?.profile === profile);
    if (!device) return;
    this.change(device, 110, 38);
    this.release(device);
    this.change(device, 30, 38);
    this.autoconnectSoon(device);
  }

  private activate(device: Device, profile: Profile): string {
    if (device.active) this.change(device, 110, 60);
    this.release(device);
    const active = { path: `${ROOT}/ActiveConnection/${++this.count}`, profile };
    device.active = active;
    void this.goThrough(device, active);
    return active.path;
  }

  private async goThrough(device: Device, active: NonNullable<Device['active']>): Promise<void> {
    const { settings } = active.profile;
    const ssid = (settings['802-11-wireless']?.['ssid']?.value as Buffer).toString();
    const step = async (state: number, reason = 0): Promise<boolean> => {
      await new Promise((resolve) => setTimeout(resolve, this.stepMs));
      if (device.active !== active || !this.devices.includes(device)) return false;
      this.change(device, state, reason);
      return true;
    };
    const fail = async (reason: number): Promise<void> => {
      if (!(await step(120, reason))) return;
      this.release(device);
      await new Promise((resolve) => setTimeout(resolve, this.stepMs));
      this.change(device, 30, 0);
      this.autoconnectSoon(device);
    };
    for (const state of [40, 50, 60, 40, 50]) if (!(await step(state))) return;
    // Without an access point of its own in the profile it takes the strongest, whichever was named beside it.
    const fitting = this.accessPoints.filter((one) => fits(settings, one));
    const found = fitting.sort((a, b) => (b.signal ?? 70) - (a.signal ?? 70))[0];
    if (!found) return fail(53);
    if (found.hangs) return;
    device.joined = found;
    const psk = settings['802-11-wireless-security']?.['psk']?.value;
    const isStored = settings['802-11-wireless-security'] === undefined && !active.profile.isVolatile;
    if (!isStored && psk !== found.psk) {
      await step(60, 8);
      return fail(7);
    }
    if (!(await step(70))) return;
    if (settings['ipv4']?.['method']?.value === 'auto' && found.dhcp === false) return fail(5);
    const fixed = settings['ipv4']?.['address-data']?.value as Record<string, Variant>[] | undefined;
    const own = fixed?.[0]?.['address']?.value as string | undefined;
    device.address = own ?? `${found.network ?? '10.10.7'}.2`;
    this.emit('joined', ssid, device.address);
    for (const state of [80, 90, 100]) if (!(await step(state))) return;
  }

  /** The active profile ends; a volatile one is deleted. */
  private release(device: Device): void {
    const profile = device.active?.profile;
    if (device.address !== undefined) this.emit('left');
    device.active = undefined;
    device.address = undefined;
    device.joined = undefined;
    const index = profile?.isVolatile ? this.profiles.indexOf(profile) : -1;
    if (index >= 0) this.profiles.splice(index, 1);
  }

  private autoconnectSoon(device: Device): void {
    setTimeout(() => {
      if (device.active || device.state !== 30) return;
      const wanted = this.profiles.find(({ settings }) => {
        const ssid = (settings['802-11-wireless']?.['ssid']?.value as Buffer).toString();
        const isWanted = settings['connection']?.['autoconnect']?.value !== false;
        return isWanted && this.accessPoints.some((one) => one.ssid === ssid);
      });
      if (wanted) this.activate(device, wanted);
    }, this.stepMs * 3);
  }

  private change(device: Device, state: number, reason: number): void {
    const old = device.state;
    device.state = state;
    this.signal(device.path, `${NM}.Device`, 'StateChanged', 'uuu', [state, old, reason]);
    this.emit('state', state, device.name);
  }

  private signal(path: string, iface: string, member: string, signature: string, body: unknown[]): void {
    this.bus?.send(Message.newSignal(path, iface, member, signature, body));
  }

  private clientWent({ member, body }: Message): void {
    if (member !== 'NameOwnerChanged' || body[2] !== '') return;
    for (const profile of this.profiles.filter(({ boundTo }) => boundTo === body[0])) this.remove(profile);
  }
}

/** Whether a profile is for this access point. */
function fits(settings: Settings, { ssid, bssid }: FakeAccessPoint): boolean {
  const { ssid: name, bssid: own } = settings['802-11-wireless'] ?? {};
  const isOwn = own === undefined || (own.value as Buffer).toString('hex') === bssid.replaceAll(':', '').toLowerCase();
  return (name?.value as Buffer | undefined)?.toString() === ssid && isOwn;
}

const UNKNOWN = 'org.freedesktop.DBus.Error.UnknownMethod';

function faultIn(settings: Settings): string | undefined {
  for (const [group, values] of Object.entries(settings)) {
    for (const [name, { signature }] of Object.entries(values)) {
      const wanted = TYPES[group]?.[name];
      if (wanted !== signature) return `${group}.${name}: ${wanted ? `must be ${wanted}` : 'unknown property'}`;
    }
  }
  return undefined;
}

function withoutSecrets({ '802-11-wireless-security': security, ...settings }: Settings): Settings {
  if (!security) return settings;
  const { 'key-mgmt': keys } = security;
  return { ...settings, '802-11-wireless-security': keys ? { 'key-mgmt': keys } : {} };
}
