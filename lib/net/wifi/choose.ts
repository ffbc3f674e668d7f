import { existsSync } from 'node:fs';
import { FlashError, asFlashError } from '../../errors';
import type { FormerMemory } from './former';
import { ManualDriver } from './manual';
import { NmApi } from './networkmanager/api';
import { NetworkManagerDriver } from './networkmanager/driver';
import { SystemBus } from './networkmanager/system-bus';
import { SupervisorClient } from './supervisor/client';
import { OF_A_DEVICE, SupervisorDriver, type HomeWifi } from './supervisor/driver';
import { whyUplink } from './uplink';
import type { WifiDriver, WifiDriverName } from './wifi';
import { orAborted } from './within';
import { wording } from '../../wordings/wording';

export interface WifiSettings {
  readonly driver: WifiDriverName | 'auto';
  /** Empty = the first one that is free. */
  readonly interfaceName: string;
  /** The name of the interface that may be taken although it is the uplink. */
  readonly allowUplink: string;
  readonly editorPort?: number | undefined;
  /** To bring the home Wi-Fi back where the operating system does not give its password. */
  readonly home?: HomeWifi | undefined;
}

export const BY_DEFAULT: WifiSettings = { driver: 'auto', interfaceName: '', allowUplink: '' };

/** The chosen method, and why the preferred ones were ruled out. */
export interface WifiChoice {
  readonly driver: Exclude<WifiDriverName, 'manual'> | 'manual';
  readonly interfaceName: string;
  readonly refusals: readonly { readonly driver: WifiDriverName; readonly error: FlashError }[];
}

/** The Supervisor, if there is one, and the interfaces that this process sees. */
export interface Surroundings {
  readonly supervisorToken?: string | undefined;
  readonly supervisorUrl?: string | undefined;
  /** Whether this process sees an interface: in a container it may see NetworkManager, but not its interfaces. */
  readonly sees?: (interfaceName: string) => boolean;
}

export function surroundings(): Surroundings {
  return { supervisorToken: process.env['SUPERVISOR_TOKEN'] };
}

/**
 * Which driver can join networks here, without touching anything: the first that can of those that may be.
 *
 * @throws FlashError `wifi-*` where one is asked for by name and cannot; `cancelled`
 */
export async function chooseWifi(
  settings: WifiSettings,
  signal: AbortSignal,
  around: Surroundings = surroundings(),
): Promise<WifiChoice> {
  if (settings.driver === 'manual') return { driver: 'manual', interfaceName: '', refusals: [] };
  const all = around.supervisorToken ? (['supervisor', 'networkmanager'] as const) : (['networkmanager'] as const);
  const tried = settings.driver === 'auto' ? all : [settings.driver];
  const refusals: { driver: WifiDriverName; error: FlashError }[] = [];
  for (const driver of tried) {
    try {
      const interfaceName = await FREE_INTERFACE[driver](settings, signal, around);
      return { driver, interfaceName, refusals };
    } catch (thrown) {
      const error = asFlashError(thrown);
      if (signal.aborted || settings.driver !== 'auto') throw error;
      refusals.push({ driver, error });
    }
  }
  return { driver: 'manual', interfaceName: '', refusals };
}

export function makeDriver(
  { driver, interfaceName }: WifiChoice,
  {
    home,
    memory,
    around = surroundings(),
  }: { home?: (() => HomeWifi | undefined) | undefined; memory?: FormerMemory | undefined; around?: Surroundings },
): WifiDriver {
  if (driver === 'networkmanager') return new NetworkManagerDriver(interfaceName, { memory });
  if (driver === 'supervisor') return new SupervisorDriver(interfaceName, clientOf(around), { memory, home });
  return new ManualDriver();
}

/** The names of this machine's Wi-Fi interfaces, as far as any driver knows them. */
export async function wifiInterfaces(signal: AbortSignal, around: Surroundings = surroundings()): Promise<string[]> {
  const names = await Promise.all([
    withNetworkManager(signal, async (api) => (await api.wifiDevices()).map(({ name }) => name)).catch(() => []),
    around.supervisorToken ? supervisorInterfaces(around, signal).catch(() => []) : [],
  ]);
  return [...new Set(names.flat())].sort();
}

/** The interfaces of this machine that have joined the Wi-Fi of a name, as far as any driver knows. */
export async function interfacesJoinedTo(
  ssid: string,
  signal: AbortSignal,
  around: Surroundings = surroundings(),
): Promise<string[]> {
  const byNetworkManager = withNetworkManager(signal, async (api) => {
    const devices = await api.wifiDevices();
    const ssids = await Promise.all(devices.map(({ path }) => api.ssidOn(path)));
    return devices.filter((_, index) => ssids[index] === ssid).map(({ name }) => name);
  });
  const bySupervisor = around.supervisorToken
    ? clientOf(around)
        .interfaces(signal)
        .then((all) => all.filter(({ connected, wifi }) => connected && wifi?.ssid === ssid))
    : Promise.resolve([]);
  const names = await Promise.all([
    byNetworkManager.catch(() => []),
    bySupervisor.then((all) => all.map((one) => one.interface)).catch(() => []),
  ]);
  return [...new Set(names.flat())];
}

/** The Wi-Fi networks that this machine is in, as far as any driver knows, without those that a device makes. */
export async function joinedWifiNames(signal: AbortSignal, around: Surroundings = surroundings()): Promise<string[]> {
  const byNetworkManager = withNetworkManager(signal, async (api) =>
    Promise.all((await api.wifiDevices()).map(({ path }) => api.ssidOn(path))),
  );
  const bySupervisor = around.supervisorToken
    ? clientOf(around)
        .interfaces(signal)
        .then((all) => all.map(({ connected, wifi }) => (connected ? wifi?.ssid : undefined)))
    : Promise.resolve([]);
  const names = await Promise.all([byNetworkManager.catch(() => []), bySupervisor.catch(() => [])]);
  const known = names.flat().filter((name): name is string => name !== undefined && name !== '');
  return [...new Set(known)].filter((name) => !OF_A_DEVICE.test(name));
}

type FreeInterface = (settings: WifiSettings, signal: AbortSignal, around: Surroundings) => Promise<string>;

const FREE_INTERFACE: Record<Exclude<WifiDriverName, 'manual'>, FreeInterface> = {
  networkmanager: (settings, signal, around) =>
    withNetworkManager(signal, async (api) => {
      const { forbidden } = await api.permissions();
      const names = (await api.wifiDevices()).map((device) => device.name);
      const name = await pick(settings, { names, noneKnown: 'networkmanager-knows-none', sees: around.sees ?? isHere });
      if (forbidden.length === 0) return name;
      throw new FlashError('wifi-not-permitted', {
        name,
        reason: wording('permissions-missing', { list: forbidden.join(', ') }),
      });
    }),
  supervisor: async (settings, signal, around) => {
    if (!around.supervisorToken) throw new FlashError('wifi-unavailable', { reason: wording('no-supervisor') });
    const client = clientOf(around);
    const names = await supervisorInterfaces(around, signal);
    const name = await pick(settings, { names, noneKnown: 'supervisor-knows-none', sees: () => true });
    const driver = new SupervisorDriver(name, client, { home: () => settings.home });
    await driver.refuseIfNeeded(signal, { isUplinkAllowed: settings.allowUplink === name });
    return name;
  },
};

interface Known {
  readonly names: readonly string[];
  readonly noneKnown: 'networkmanager-knows-none' | 'supervisor-knows-none';
  readonly sees: (interfaceName: string) => boolean;
}

/** The one that is asked for, or the first that is not the branch we sit on. */
async function pick(settings: WifiSettings, { names, noneKnown, sees }: Known): Promise<string> {
  const { interfaceName, allowUplink, editorPort } = settings;
  const meant = interfaceName === '' ? names : names.filter((name) => name === interfaceName);
  if (interfaceName !== '' && meant.length === 0) {
    throw new FlashError('wifi-interface-missing', { name: interfaceName });
  }
  if (meant.length === 0) throw new FlashError('wifi-unavailable', { reason: wording(noneKnown) });
  const visible = meant.filter(sees);
  if (visible.length === 0) {
    const reason = wording('container-without-interface', { list: meant.join(', ') });
    throw new FlashError('wifi-unavailable', { reason });
  }
  let refusal: FlashError | undefined;
  for (const name of visible) {
    const reason = name === allowUplink ? undefined : await whyUplink(name, { editorPort });
    if (reason === undefined) return name;
    refusal ??= new FlashError('wifi-uplink', { name, reason });
  }
  throw refusal ?? new FlashError('wifi-unavailable', { reason: wording('no-interface-free') });
}

function isHere(interfaceName: string): boolean {
  return existsSync(`/sys/class/net/${interfaceName}`);
}

async function withNetworkManager<T>(signal: AbortSignal, work: (api: NmApi) => Promise<T>): Promise<T> {
  const bus = await SystemBus.connect(signal);
  try {
    // Otherwise an unanswered call delays a cancel until its own limit.
    return await orAborted(askedOf(new NmApi(bus, ''), work), signal);
  } finally {
    bus.close();
  }
}

async function askedOf<T>(api: NmApi, work: (api: NmApi) => Promise<T>): Promise<T> {
  if (!(await api.isThere())) throw new FlashError('wifi-service-away', { reason: wording('networkmanager-stopped') });
  return work(api);
}

async function supervisorInterfaces(around: Surroundings, signal: AbortSignal): Promise<string[]> {
  const all = await clientOf(around).interfaces(signal);
  return all.filter(({ type }) => type === 'wireless').map((one) => one.interface);
}

function clientOf({ supervisorToken = '', supervisorUrl = 'http://supervisor' }: Surroundings): SupervisorClient {
  return new SupervisorClient(supervisorUrl, supervisorToken);
}
