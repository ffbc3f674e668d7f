import { userInfo } from 'node:os';
import { FlashError } from '../../../errors';
import type { FormerMemory, FormerNetwork } from '../former';
import { ProfileDriver } from '../profile-driver';
import type { AccessPoint, JoinedNetwork, WifiNetwork } from '../wifi';
import { pause } from '../within';
import { NmApi, type NmAccessPoint, type NmDevice } from './api';
import { DeviceWatch } from './device-watch';
import { NM, STATE } from './facts';
import { ownerOf, profileName, settingsOf } from './profile';
import { SystemBus } from './system-bus';
import { wording, type Wording } from '../../../wordings/wording';

/** A scan takes 3 to 4 s; one that NetworkManager puts off takes as long again. */
export const SCAN_LIMIT_MS = 15_000;
const SCAN_POLL_MS = 250;
/** Where the scan that is under way already is waited for. */
export const OTHER_SCAN_LIMIT_MS = 5000;
/** How long it is looked for a network that the last scan did not show. */
export const FIND_LIMIT_MS = 12_000;
/** Finding, joining (6 s with a password) and an address. */
export const JOIN_LIMIT_MS = 45_000;
export const LEAVE_LIMIT_MS = 30_000;
/** NetworkManager's restart takes 2 to 3 s. */
export const AWAY_LIMIT_MS = 10_000;

export interface NetworkManagerOptions {
  readonly memory?: FormerMemory | undefined;
  /** How long a network is looked for that is not in reach. */
  readonly findLimitMs?: number;
}

/**
 * NetworkManager over D-Bus. Each join is a profile of its own that is gone with its disconnection, and with this
 * process: it never connects automatically, and takes neither the default route nor DNS.
 */
export class NetworkManagerDriver extends ProfileDriver {
  readonly name = 'networkmanager';
  private readonly findLimitMs: number;
  private watch: DeviceWatch | undefined;
  private connection: Promise<SystemBus> | undefined;

  constructor(interfaceName: string, { memory, findLimitMs = FIND_LIMIT_MS }: NetworkManagerOptions = {}) {
    super(interfaceName, { scan: SCAN_LIMIT_MS, join: JOIN_LIMIT_MS, leave: LEAVE_LIMIT_MS }, memory);
    this.findLimitMs = findLimitMs;
  }

  close(): void {
    this.stopWatching();
    const { connection } = this;
    this.connection = undefined;
    void connection?.then(
      (bus) => bus.close(),
      () => undefined,
    );
  }

  protected async scanNow(signal: AbortSignal): Promise<readonly AccessPoint[]> {
    const api = await this.api(signal);
    return (await this.lookAround(api, await this.device(api), signal)).map(withoutPath);
  }

  protected async removeOwn(signal: AbortSignal): Promise<void> {
    const api = await this.apiThatIsBack(signal);
    await this.removeProfiles(api, async (owner) => owner === api.bus.name || !(await api.bus.hasOwner(owner)));
  }

  protected async removeLeftOver(signal: AbortSignal): Promise<string[]> {
    const api = await this.api(signal);
    return this.removeProfiles(api, async (owner) => !(await api.bus.hasOwner(owner)));
  }

  /** Most come back automatically; one that does not is activated. */
  protected async bringBack(former: FormerNetwork, signal: AbortSignal): Promise<void> {
    const api = await this.apiThatIsBack(signal);
    const device = await this.device(api, { isAnyState: true });
    const profile = (await api.profiles()).find(({ uuid }) => uuid === former.uuid);
    // Its owner took it away meanwhile.
    if (!profile) return;
    const present = await api.activeOn(device.path).catch(() => undefined);
    if (present?.uuid !== former.uuid) await api.activate(profile.path, device.path);
    while ((await api.deviceState(device.path)) !== STATE.activated) await pause(SCAN_POLL_MS, signal);
  }

  protected stopWatching(): void {
    this.watch?.stop();
    this.watch = undefined;
  }

  protected late(what: Wording, seconds: number): FlashError {
    return new FlashError('wifi-timeout', { what, seconds });
  }

  protected async joinNow(network: WifiNetwork, signal: AbortSignal): Promise<JoinedNetwork> {
    const api = await this.api(signal);
    const device = await this.device(api);
    const accessPoint = await this.find(api, device, network, signal);
    const active = await api.activeOn(device.path);
    if (signal.aborted) throw signal.reason as Error;
    // A profile that is being taken away stays active for a moment: it is nothing to come back to.
    const isForeign = active !== undefined && ownerOf(active.id) === undefined;
    await this.begin(isForeign ? { uuid: active.uuid } : undefined);
    const watch = await DeviceWatch.begin(api.bus, device, network.ssid);
    const failed = new AbortController();
    const name = profileName(api.bus.name);
    const isOurs = async (): Promise<boolean> =>
      (await api.activeOn(device.path))?.id === name && (await api.deviceState(device.path)) === STATE.activated;
    const activated = watch.activated(isOurs, AbortSignal.any([signal, failed.signal]));
    activated.catch(() => undefined);
    try {
      const user = (await api.permissions()).isOwnOnly ? userName() : undefined;
      const options = { name, interfaceName: device.name, user };
      const settings = settingsOf(network, options);
      await api.activateNew(settings, device.path, accessPoint.path);
      await activated;
      return await this.settle(api, device, network, accessPoint, watch);
    } catch (error) {
      watch.stop();
      failed.abort(error);
      throw error;
    }
  }

  private async settle(
    api: NmApi,
    device: NmDevice,
    { ssid }: WifiNetwork,
    asked: NmAccessPoint,
    watch: DeviceWatch,
  ): Promise<JoinedNetwork> {
    const address = await api.ipv4On(device.path);
    const bssid = (await api.bssidOn(device.path).catch(() => undefined)) ?? asked.bssid;
    if (address === undefined) throw new FlashError('wifi-no-address', { ssid, name: device.name });
    this.watch = watch;
    watch.onLoss((error) => {
      if (this.watch === watch) this.hasLost(error);
    });
    return { ssid, bssid, address, interfaceName: device.name };
  }

  /** Without its access point's path NetworkManager looks for a network of its own accord, for 26 s. */
  private async find(api: NmApi, device: NmDevice, network: WifiNetwork, signal: AbortSignal): Promise<NmAccessPoint> {
    const { ssid, bssid } = network;
    const isMeant = (one: AccessPoint): boolean => one.ssid === ssid && (bssid === undefined || one.bssid === bssid);
    const strongest = (all: readonly NmAccessPoint[]): NmAccessPoint | undefined =>
      all.filter(isMeant).sort((a, b) => b.signal - a.signal)[0];
    const until = Date.now() + this.findLimitMs;
    let found = strongest(await api.accessPoints(device.path));
    while (!found && Date.now() < until) found = strongest(await this.lookAround(api, device, signal));
    if (!found) throw new FlashError('wifi-not-found', { ssid, name: device.name });
    return found;
  }

  private async lookAround(api: NmApi, { path }: NmDevice, signal: AbortSignal): Promise<NmAccessPoint[]> {
    const before = await api.lastScan(path);
    // Refused where one is under way already, or has only just been: then that one will do.
    const isAsked = await api.requestScan(path).then(
      () => true,
      (error: unknown) => {
        if (error instanceof FlashError && error.code === 'wifi-failed') return false;
        throw error;
      },
    );
    const until = Date.now() + (isAsked ? SCAN_LIMIT_MS : OTHER_SCAN_LIMIT_MS);
    while ((await api.lastScan(path)) === before && Date.now() < until) await pause(SCAN_POLL_MS, signal);
    return api.accessPoints(path);
  }

  /** @param isOurs by the owner's name in the profile's */
  private async removeProfiles(api: NmApi, isOurs: (owner: string) => boolean | Promise<boolean>): Promise<string[]> {
    const removed: string[] = [];
    for (const { path, id } of await api.profiles()) {
      const owner = ownerOf(id);
      if (owner === undefined || !(await isOurs(owner))) continue;
      // To delete a profile takes it down as well; gone meanwhile is as good.
      await api.deleteProfile(path).catch(async (error: unknown) => {
        const isGone = (await api.profiles()).every((one) => one.path !== path);
        if (!isGone) throw error;
      });
      removed.push(id);
    }
    return removed;
  }

  private async device(api: NmApi, { isAnyState = false } = {}): Promise<NmDevice> {
    const name = this.interfaceName;
    const device = (await api.wifiDevices()).find((one) => one.name === name);
    if (!device) throw new FlashError('wifi-interface-missing', { name });
    const state = await api.deviceState(device.path);
    if (isAnyState || state > STATE.unavailable) return device;
    const reason = wording(state === STATE.unmanaged ? 'left-alone' : 'switched-off');
    throw new FlashError('wifi-interface-unusable', { name, reason });
  }

  private async api(signal: AbortSignal): Promise<NmApi> {
    const known = await this.connection?.catch(() => undefined);
    if (!known || known.isGone) {
      this.connection = SystemBus.connect(signal);
      this.connection.catch(() => undefined);
    }
    const bus = await this.connection;
    if (!bus) throw new FlashError('cancelled');
    return new NmApi(bus, this.interfaceName);
  }

  /** After a restart of NetworkManager: its profiles in memory come back with it. */
  private async apiThatIsBack(signal: AbortSignal): Promise<NmApi> {
    const api = await this.api(signal);
    for (const until = Date.now() + AWAY_LIMIT_MS; !(await api.isThere());) {
      if (Date.now() > until)
        throw new FlashError('wifi-service-away', { reason: wording('networkmanager-absent', { name: NM }) });
      await pause(SCAN_POLL_MS, signal);
    }
    return api;
  }
}

/** A process in a container may have a user without a name; then NetworkManager says what it thinks of that. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function withoutPath({ ssid, bssid, signal, frequency, security }: NmAccessPoint): AccessPoint {
  return { ssid, bssid, signal, frequency, security };
}
