import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Message, systemBus, Variant, type MessageBus } from '@jellybrick/dbus-next';

/** Debian's own; another one in the path would not have its packages. */
const PYTHON = '/usr/bin/python3';
const NM = 'org.freedesktop.NetworkManager';
const NM_PATH = '/org/freedesktop/NetworkManager';
const MOCK = 'org.freedesktop.DBus.Mock';
const START_LIMIT_MS = 10_000;
/** WPA2 with a password, as dbusmock knows it. */
const PSK = 0x100;
const DISCONNECTED = 30;

/** Why there can be no dbusmock here; undefined where there can. */
export function whyNoDBusMock(): string | undefined {
  const { status } = spawnSync(PYTHON, ['-c', 'import dbusmock'], { stdio: 'ignore' });
  return status === 0 ? undefined : 'there is no dbusmock here (Debian: apt-get install python3-dbusmock)';
}

/**
 * dbusmock's NetworkManager on the system bus: a second opinion on the calls, with types as its Python library wants
 * them. What its template leaves out is added here; every join succeeds immediately.
 */
export class DBusMock {
  private constructor(
    private readonly process: ChildProcess,
    private readonly bus: MessageBus,
    readonly device: string,
  ) {}

  static async start(): Promise<DBusMock> {
    const bus = systemBus();
    await once(bus as never, 'connect');
    const rule = `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${NM}'`;
    const own = {
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus',
    };
    await bus.call(new Message({ ...own, member: 'AddMatch', signature: 's', body: [rule] }));
    const isThere = once(bus, 'message', { signal: AbortSignal.timeout(START_LIMIT_MS) });
    const child = spawn(PYTHON, ['-m', 'dbusmock', '--system', '--template', 'networkmanager'], { stdio: 'ignore' });
    await isThere;
    const device = String(await mock(bus, NM_PATH, 'AddWiFiDevice', 'ssi', ['wifi0', 'wlan0', DISCONNECTED]));
    await addWhatIsMissing(bus, device);
    return new DBusMock(child, bus, device);
  }

  async addAccessPoint(ssid: string, bssid: string, { isOpen = false } = {}): Promise<void> {
    const name = bssid.replaceAll(':', '');
    const body = [this.device, name, ssid, bssid, 2, 2437, 54_000, 82, isOpen ? 0 : PSK];
    await mock(this.bus, NM_PATH, 'AddAccessPoint', 'ssssuuuyu', body);
  }

  /** The network is gone. */
  async disconnect(): Promise<void> {
    await mock(this.bus, NM_PATH, 'SetDeviceDisconnected', 's', [this.device]);
  }

  /** The settings of every profile, as they arrived. */
  async profiles(): Promise<Record<string, Record<string, unknown>>[]> {
    const paths = (await call(this.bus, `${NM_PATH}/Settings`, `${NM}.Settings`, 'ListConnections')) as string[];
    const all = paths.map((path) => call(this.bus, path, `${NM}.Settings.Connection`, 'GetSettings'));
    return (await Promise.all(all)).map((groups) =>
      Object.fromEntries(Object.entries(groups as Settings).map(([group, values]) => [group, plain(values)])),
    );
  }

  async stop(): Promise<void> {
    this.bus.disconnect();
    const isOver = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await isOver;
  }
}

type Settings = Record<string, Record<string, Variant>>;

/** The clock of scans, the address of an interface, its access point, and a profile that is made and activated in one. */
async function addWhatIsMissing(bus: MessageBus, device: string): Promise<void> {
  const wireless = `${NM}.Device.Wireless`;
  const ip4 = `${NM_PATH}/IP4Config/1`;
  const address = { address: new Variant('s', '10.10.7.2'), prefix: new Variant('u', 24) };
  const data = { AddressData: new Variant('aa{sv}', [address]) };
  await mock(bus, NM_PATH, 'AddObject', 'ssa{sv}a(ssss)', [ip4, `${NM}.IP4Config`, data, []]);
  const own = { Ip4Config: new Variant('o', ip4) };
  await mock(bus, device, 'AddProperties', 'sa{sv}', [`${NM}.Device`, own]);
  const radio = { LastScan: new Variant('x', 0n), ActiveAccessPoint: new Variant('o', '/') };
  await mock(bus, device, 'AddProperties', 'sa{sv}', [wireless, radio]);
  const scan = `self.Set('${wireless}', 'LastScan', self.Get('${wireless}', 'LastScan') + 1)`;
  await mock(bus, device, 'AddMethod', 'sssss', [wireless, 'RequestScan', 'a{sv}', '', scan]);
  const activate = [
    `profile = get_object('${NM_PATH}/Settings').SettingsAddConnection(args[0])`,
    `get_object(args[1]).Set('${wireless}', 'ActiveAccessPoint', args[2])`,
    'ret = (profile, self.activate_connection(self, profile, args[1], args[2]), {})',
  ].join('\n');
  const types = ['a{sa{sv}}ooa{sv}', 'ooa{sv}'];
  await mock(bus, NM_PATH, 'AddMethod', 'sssss', [NM, 'AddAndActivateConnection2', ...types, activate]);
}

async function mock(
  bus: MessageBus,
  path: string,
  member: string,
  signature: string,
  body: unknown[],
): Promise<unknown> {
  return await call(bus, path, MOCK, member, signature, body);
}

async function call(
  bus: MessageBus,
  path: string,
  iface: string,
  member: string,
  signature = '',
  body: unknown[] = [],
): Promise<unknown> {
  const answer = await bus.call(new Message({ destination: NM, path, interface: iface, member, signature, body }));
  return answer?.body[0];
}

function plain(values: Record<string, Variant>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value]));
}
