import { asFlashError, FlashError } from '../../../errors';
import type { FormerMemory, FormerNetwork } from '../former';
import { ProfileDriver } from '../profile-driver';
import type { AccessPoint, JoinedNetwork, WifiNetwork } from '../wifi';
import { pause } from '../within';
import type { SupervisorClient, SupervisorInterface } from './client';
import type { WifiReason } from '../../../wordings/wifi';
import { wording, type Wording } from '../../../wordings/wording';

/** An update blocks until NetworkManager has given up, which takes it up to half a minute and more. */
export const UPDATE_LIMIT_MS = 75_000;
export const JOIN_LIMIT_MS = 90_000;
export const LEAVE_LIMIT_MS = 100_000;
export const SCAN_LIMIT_MS = 20_000;
/** A scan that old still tells which access points there are. */
export const SCAN_FRESH_MS = 15_000;
export const REMOVE_TRIES = 5;
export const REMOVE_PAUSE_MS = 1000;
export const WATCH_MS = 5000;

/** Networks that only a device makes: a profile of one is ours. */
export const OF_A_DEVICE = /^(ITEAD-[\da-f]{10}|FinalStage)$/i;

/** The home Wi-Fi as the host knows it. */
export interface HomeWifi {
  readonly ssid: string;
  /** A secret. */
  readonly psk: string;
}

export interface SupervisorOptions {
  readonly memory?: FormerMemory | undefined;
  /** To bring the home Wi-Fi back: the Supervisor never gives a password. */
  readonly home?: (() => HomeWifi | undefined) | undefined;
  readonly watchMs?: number;
}

/**
 * Home Assistant's Supervisor, for the Node-RED add-on, which can reach NetworkManager in no other way. The Supervisor
 * knows one profile an interface, keeps it, and connects it again after a restart: so it is taken away after each
 * network, and an interface whose own network could not be brought back is refused.
 */
export class SupervisorDriver extends ProfileDriver {
  readonly name = 'supervisor';
  private readonly home: () => HomeWifi | undefined;
  private readonly watchMs: number;
  private lastScan: { at: number; found: readonly AccessPoint[] } | undefined;
  private watcher: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();

  constructor(
    interfaceName: string,
    private readonly client: SupervisorClient,
    { memory, home = () => undefined, watchMs = WATCH_MS }: SupervisorOptions = {},
  ) {
    super(interfaceName, { scan: SCAN_LIMIT_MS, join: JOIN_LIMIT_MS, leave: LEAVE_LIMIT_MS }, memory);
    this.home = home;
    this.watchMs = watchMs;
  }

  /** @throws FlashError `wifi-uplink` where the interface cannot be taken and given back */
  async refuseIfNeeded(signal: AbortSignal, { isUplinkAllowed = false } = {}): Promise<void> {
    const name = this.interfaceName;
    const own = await this.client.interface(name, signal);
    const refuse = (reason: WifiReason): never => {
      throw new FlashError('wifi-uplink', { name, reason: wording(reason) });
    };
    if (!isUplinkAllowed) {
      const others = (await this.client.interfaces(signal)).filter((one) => one.interface !== name);
      if (own.primary) refuse('ha-own-way');
      if (!others.some(({ primary }) => primary)) refuse('ha-no-other-way');
    }
    const ssid = own.enabled ? own.wifi?.ssid : undefined;
    if (ssid === undefined || OF_A_DEVICE.test(ssid) || ssid === this.home()?.ssid) return;
    refuse('ha-own-wifi');
  }

  protected async scanNow(signal: AbortSignal): Promise<readonly AccessPoint[]> {
    const all = await this.client.accessPoints(this.interfaceName, signal);
    const found = all.map(({ ssid, mac, signal: strength, frequency }) => {
      return { ssid, bssid: mac.toUpperCase(), signal: strength, frequency, security: 'unknown' } as const;
    });
    this.lastScan = { at: Date.now(), found };
    return found;
  }

  protected async removeLeftOver(signal: AbortSignal, kept: FormerNetwork | undefined): Promise<string[]> {
    const { enabled, wifi } = await this.client.interface(this.interfaceName, signal);
    const ssid = enabled ? wifi?.ssid : undefined;
    if (ssid === undefined) return [];
    const isLeftOver = OF_A_DEVICE.test(ssid) || (kept !== undefined && ssid !== kept.ssid);
    if (!isLeftOver) return [];
    await this.removeOwn(signal);
    return [ssid];
  }

  protected stopWatching(): void {
    clearInterval(this.watcher);
  }

  protected late(_what: Wording, seconds: number): FlashError {
    return new FlashError('wifi-supervisor-timeout', { seconds });
  }

  close(): void {
    this.stopWatching();
    this.closing.abort();
  }

  protected async joinNow(network: WifiNetwork, signal: AbortSignal): Promise<JoinedNetwork> {
    const name = this.interfaceName;
    const { ssid, psk, address } = network;
    if (!address) throw new FlashError('wifi-address-needed', { ssid });
    const accessPoint = await this.find(network, signal);
    const before = await this.client.interface(name, signal);
    await this.begin(formerOf(before));
    // An existing one is edited, and may be applied without a disconnect.
    if (before.enabled) await this.removeOwn(signal);
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
    this.watcher = setInterval(() => void this.watch(), this.watchMs).unref();
    return { ssid, bssid: accessPoint.bssid, address: own, interfaceName: name };
  }

  /** The Supervisor takes a name alone: if several networks have it, the joined one is unknown. */
  private async find({ ssid, bssid }: WifiNetwork, signal: AbortSignal): Promise<AccessPoint> {
    const isFresh = this.lastScan && Date.now() - this.lastScan.at < SCAN_FRESH_MS;
    const all = isFresh ? this.lastScan?.found : await this.scan({ signal });
    const named = (all ?? []).filter((one) => one.ssid === ssid);
    const found = named.find((one) => bssid === undefined || one.bssid === bssid);
    const name = this.interfaceName;
    if (!found) throw new FlashError('wifi-not-found', { ssid, name });
    if (bssid === undefined || named.every((one) => one.bssid === bssid)) return found;
    throw new FlashError('wifi-join-failed', { ssid, name, reason: wording('same-name-twice') });
  }

  protected async removeOwn(signal: AbortSignal): Promise<void> {
    let fault = new FlashError('wifi-not-restored', { name: this.interfaceName });
    for (let tries = 0; tries < REMOVE_TRIES; tries += 1) {
      try {
        const { enabled } = await this.client.interface(this.interfaceName, signal);
        if (!enabled) return;
        await this.client.update(this.interfaceName, { enabled: false }, { signal, limitMs: UPDATE_LIMIT_MS });
      } catch (error) {
        // It also fails while an abandoned update is still under way.
        signal.throwIfAborted();
        fault = asFlashError(error);
        await pause(REMOVE_PAUSE_MS, signal);
      }
    }
    throw fault;
  }

  protected async bringBack(former: FormerNetwork, signal: AbortSignal): Promise<void> {
    const home = this.home();
    if (former.ssid === undefined || former.ssid !== home?.ssid) return;
    const { enabled, wifi } = await this.client.interface(this.interfaceName, signal);
    if (enabled && wifi?.ssid === home.ssid) return;
    const body = {
      enabled: true,
      wifi: { mode: 'infrastructure', ssid: home.ssid, auth: 'wpa-psk', psk: home.psk },
      ipv4: former.ipv4 ?? { method: 'auto' },
    };
    await this.client.update(this.interfaceName, body, { signal, limitMs: UPDATE_LIMIT_MS });
  }

  private async watch(): Promise<void> {
    const present = this.joined;
    const now = await this.client.interface(this.interfaceName, this.closing.signal).catch((error: unknown) => error);
    if (!present || this.joined !== present) return;
    const reason = whyLost(now);
    if (reason === undefined) return;
    const { ssid } = present;
    this.hasLost(
      reason instanceof FlashError ? reason : new FlashError('wifi-lost', { ssid, name: this.interfaceName, reason }),
    );
  }
}

function formerOf({ enabled, wifi, ipv4 }: SupervisorInterface): FormerNetwork | undefined {
  if (!enabled || !wifi || OF_A_DEVICE.test(wifi.ssid)) return undefined;
  const { method = 'auto', address = [], gateway, nameservers = [] } = ipv4 ?? {};
  if (method !== 'static') return { ssid: wifi.ssid };
  return { ssid: wifi.ssid, ipv4: { method, address, nameservers, ...(gateway ? { gateway } : {}) } };
}

/** A Supervisor that is busy, or restarts, says nothing about the network. */
function whyLost(now: unknown): Wording | FlashError | undefined {
  if (now instanceof FlashError) return now.code === 'wifi-interface-missing' ? now : undefined;
  if (now instanceof Error) return undefined;
  return (now as SupervisorInterface).connected ? undefined : wording('nm-access-point-gone');
}
