import { EventEmitter } from 'node:events';
import { asFlashError, FlashError } from '../../../errors';
import { FORGETFUL, type FormerMemory, type FormerNetwork } from '../former';
import type { AccessPoint, JoinedNetwork, WifiDriver, WifiEvents, WifiLimits, WifiNetwork } from '../wifi';
import { limited, pause } from '../within';
import type { SupervisorClient, SupervisorInterface } from './client';

/** An update blocks until NetworkManager has given up, which takes it up to half a minute and more. */
const UPDATE_LIMIT_MS = 75_000;
const JOIN_LIMIT_MS = 90_000;
const LEAVE_LIMIT_MS = 100_000;
const SCAN_LIMIT_MS = 20_000;
/** A scan that old still tells which access points there are. */
const SCAN_FRESH_MS = 15_000;
const REMOVE_TRIES = 5;
const REMOVE_PAUSE_MS = 1000;
const WATCH_MS = 5000;

/** Networks that only a device makes: a profile of one is ours. */
const OF_A_DEVICE = /^(ITEAD-[\da-f]{10}|FinalStage)$/i;

/** The home Wi-Fi as the host knows it. */
export interface HomeWifi {
  readonly ssid: string;
  /** A secret. */
  readonly psk: string;
}

export interface SupervisorOptions {
  readonly memory?: FormerMemory | undefined;
  /** What brings the home Wi-Fi back: the Supervisor never tells a password. */
  readonly home?: (() => HomeWifi | undefined) | undefined;
  readonly watchMs?: number;
}

/**
 * Home Assistant's Supervisor, for the Node-RED add-on, which can reach NetworkManager in no other way. The Supervisor
 * knows one profile an interface, keeps it, and connects it again after a restart: so it is taken away after each
 * network, and an interface whose own network could not be brought back is refused.
 */
export class SupervisorDriver extends EventEmitter<WifiEvents> implements WifiDriver {
  readonly name = 'supervisor';
  private readonly memory: FormerMemory;
  private readonly home: () => HomeWifi | undefined;
  private readonly watchMs: number;
  private present: JoinedNetwork | undefined;
  private former: FormerNetwork | undefined;
  private isDirty = false;
  private lastScan: { at: number; found: readonly AccessPoint[] } | undefined;
  private watcher: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();

  constructor(
    readonly interfaceName: string,
    private readonly client: SupervisorClient,
    { memory = FORGETFUL, home = () => undefined, watchMs = WATCH_MS }: SupervisorOptions = {},
  ) {
    super();
    this.memory = memory;
    this.home = home;
    this.watchMs = watchMs;
  }

  get joined(): JoinedNetwork | undefined {
    return this.present;
  }

  /** @throws FlashError `wifi-uplink` where the interface cannot be taken and given back */
  async refuseIfNeeded(signal: AbortSignal, { isUplinkAllowed = false } = {}): Promise<void> {
    const name = this.interfaceName;
    const own = await this.client.interface(name, signal);
    const refuse = (reason: string): never => {
      throw new FlashError('wifi-uplink', { name, reason });
    };
    if (!isUplinkAllowed) {
      const others = (await this.client.interfaces(signal)).filter((one) => one.interface !== name);
      if (own.primary) refuse("it is Home Assistant's own way to its network");
      if (!others.some(({ primary }) => primary)) refuse('Home Assistant has no other way to its network just now');
    }
    const ssid = own.enabled ? own.wifi?.ssid : undefined;
    if (ssid === undefined || OF_A_DEVICE.test(ssid) || ssid === this.home()?.ssid) return;
    refuse('it is set up for a Wi-Fi of its own, whose password the Supervisor does not tell');
  }

  scan({ signal, limitMs = SCAN_LIMIT_MS }: WifiLimits): Promise<readonly AccessPoint[]> {
    const late = (): FlashError => new FlashError('wifi-supervisor-timeout', { seconds: limitMs / 1000 });
    return limited({ signal, limitMs }, late, async (both) => {
      const all = await this.client.accessPoints(this.interfaceName, both);
      const found = all.map(({ ssid, mac, signal: strength, frequency }) => {
        return { ssid, bssid: mac.toUpperCase(), signal: strength, frequency, security: 'unknown' } as const;
      });
      this.lastScan = { at: Date.now(), found };
      return found;
    });
  }

  async join(network: WifiNetwork, { signal, limitMs = JOIN_LIMIT_MS }: WifiLimits): Promise<JoinedNetwork> {
    const late = (): FlashError => new FlashError('wifi-supervisor-timeout', { seconds: limitMs / 1000 });
    try {
      if (this.isDirty) await this.leave({ signal });
      return await limited({ signal, limitMs }, late, (both) => this.joinNow(network, both));
    } catch (error) {
      await this.leave({ signal: new AbortController().signal }).catch(() => undefined);
      throw error;
    }
  }

  async leave({ signal, limitMs = LEAVE_LIMIT_MS }: WifiLimits): Promise<void> {
    clearInterval(this.watcher);
    this.present = undefined;
    if (!this.isDirty) return;
    const late = (): FlashError => new FlashError('wifi-not-restored', { name: this.interfaceName });
    await limited({ signal, limitMs }, late, async (both) => {
      await this.removeProfile(both);
      await this.bringBack(both);
      this.isDirty = false;
      await this.remember(undefined);
    });
  }

  clean({ signal, limitMs = LEAVE_LIMIT_MS }: WifiLimits): Promise<readonly string[]> {
    const late = (): FlashError => new FlashError('wifi-not-restored', { name: this.interfaceName });
    return limited({ signal, limitMs }, late, async (both) => {
      if (this.isDirty) return [];
      const kept = await this.memory.read(this.interfaceName);
      const { enabled, wifi } = await this.client.interface(this.interfaceName, both);
      const ssid = enabled ? wifi?.ssid : undefined;
      const isLeftOver = ssid !== undefined && (OF_A_DEVICE.test(ssid) || (kept !== undefined && ssid !== kept.ssid));
      if (isLeftOver) await this.removeProfile(both);
      if (kept) {
        this.former = kept;
        if (isLeftOver || !enabled) await this.bringBack(both);
        await this.remember(undefined);
      }
      return isLeftOver ? [ssid] : [];
    });
  }

  close(): void {
    clearInterval(this.watcher);
    this.closing.abort();
  }

  private async joinNow(network: WifiNetwork, signal: AbortSignal): Promise<JoinedNetwork> {
    const name = this.interfaceName;
    const { ssid, psk, address } = network;
    if (!address) throw new FlashError('wifi-address-needed', { ssid });
    const accessPoint = await this.find(network, signal);
    const before = await this.client.interface(name, signal);
    await this.remember(formerOf(before));
    this.isDirty = true;
    // One that is there is edited, and may be applied anew without its network being left at all.
    if (before.enabled) await this.removeProfile(signal);
    const body = {
      enabled: true,
      wifi: { mode: 'infrastructure', ssid, ...(psk === undefined ? { auth: 'open' } : { auth: 'wpa-psk', psk }) },
      // Without a gateway the way to the internet stays where it is.
      ipv4: { method: 'static', address: [address.cidr] },
      ipv6: { method: 'disabled' },
    };
    await this.client.update(name, body, { signal, limitMs: UPDATE_LIMIT_MS });
    const now = await this.client.interface(name, signal);
    const own = now.ipv4?.address[0]?.split('/')[0];
    if (!now.connected || own === undefined) throw new FlashError('wifi-no-address', { ssid, name });
    this.present = { ssid, bssid: accessPoint.bssid, address: own, interfaceName: name };
    this.watcher = setInterval(() => void this.watch(), this.watchMs).unref();
    return this.present;
  }

  /** The Supervisor takes a name alone: where several have it, nobody could tell which is joined. */
  private async find({ ssid, bssid }: WifiNetwork, signal: AbortSignal): Promise<AccessPoint> {
    const isFresh = this.lastScan && Date.now() - this.lastScan.at < SCAN_FRESH_MS;
    const all = isFresh ? this.lastScan?.found : await this.scan({ signal });
    const named = (all ?? []).filter((one) => one.ssid === ssid);
    const found = named.find((one) => bssid === undefined || one.bssid === bssid);
    const name = this.interfaceName;
    if (!found) throw new FlashError('wifi-not-found', { ssid, name });
    if (bssid === undefined || named.every((one) => one.bssid === bssid)) return found;
    const reason = 'several access points have that name, and the Supervisor cannot be told which';
    throw new FlashError('wifi-join-failed', { ssid, name, reason });
  }

  private async removeProfile(signal: AbortSignal): Promise<void> {
    let fault = new FlashError('wifi-not-restored', { name: this.interfaceName });
    for (let tries = 0; tries < REMOVE_TRIES; tries += 1) {
      try {
        const { enabled } = await this.client.interface(this.interfaceName, signal);
        if (!enabled) return;
        await this.client.update(this.interfaceName, { enabled: false }, { signal, limitMs: UPDATE_LIMIT_MS });
      } catch (error) {
        // It says so too where an update that nobody waits for is still under way.
        signal.throwIfAborted();
        fault = asFlashError(error);
        await pause(REMOVE_PAUSE_MS, signal);
      }
    }
    throw fault;
  }

  private async bringBack(signal: AbortSignal): Promise<void> {
    const { former } = this;
    const home = this.home();
    if (former?.ssid === undefined || former.ssid !== home?.ssid) return;
    const body = {
      enabled: true,
      wifi: { mode: 'infrastructure', ssid: home.ssid, auth: 'wpa-psk', psk: home.psk },
      ipv4: former.ipv4 ?? { method: 'auto' },
    };
    await this.client.update(this.interfaceName, body, { signal, limitMs: UPDATE_LIMIT_MS });
  }

  private async remember(former: FormerNetwork | undefined): Promise<void> {
    this.former = former;
    await this.memory.write(this.interfaceName, former);
  }

  private async watch(): Promise<void> {
    const { present } = this;
    const now = await this.client.interface(this.interfaceName, this.closing.signal).catch((error: unknown) => error);
    if (!present || this.present !== present) return;
    const reason = whyLost(now);
    if (reason === undefined) return;
    clearInterval(this.watcher);
    this.present = undefined;
    if (reason instanceof FlashError) this.emit('lost', reason);
    else this.emit('lost', new FlashError('wifi-lost', { ssid: present.ssid, name: this.interfaceName, reason }));
  }
}

function formerOf({ enabled, wifi, ipv4 }: SupervisorInterface): FormerNetwork {
  if (!enabled || !wifi || OF_A_DEVICE.test(wifi.ssid)) return {};
  const { method = 'auto', address = [], gateway, nameservers = [] } = ipv4 ?? {};
  if (method !== 'static') return { ssid: wifi.ssid };
  return { ssid: wifi.ssid, ipv4: { method, address, nameservers, ...(gateway ? { gateway } : {}) } };
}

/** A Supervisor that is busy, or restarts, says nothing about the network. */
function whyLost(now: unknown): string | FlashError | undefined {
  if (now instanceof FlashError) return now.code === 'wifi-interface-missing' ? now : undefined;
  if (now instanceof Error) return undefined;
  return (now as SupervisorInterface).connected ? undefined : 'its access point is gone';
}
