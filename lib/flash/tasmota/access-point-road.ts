import { setTimeout as pause } from 'node:timers/promises';
import { asFlashError, FlashError } from '../../errors';
import { inSameNetwork, isLoopback } from '../../net/addresses';
import type { AccessPoint } from '../../net/wifi/wifi';
import { isAccessPointOf, kindOf } from '../../protocol/access-points';
import { NEW_FIRMWARE_AP_NETMASK } from '../../protocol/new-firmware';
import type { TasmotaFacts } from '../../protocol/tasmota';
import type { FlashHost } from '../host/host';
import { searchTasmota, type FoundTasmota } from './search';
import type { SetUpOptions } from './set-up';

/** For those that cannot ask for an address without taking the device for the way to the internet. */
const GUEST = '192.168.4.2/24';
/** Whoever has joined and gets no answer leaves, and tries again this often. */
const ANSWER_LIMIT_MS = 30_000;
const TRIES = 3;
const AGAIN_PAUSE_MS = 2000;
/** Before this it has not given its Wi-Fi up, and its former access point may still stand in the list of networks. */
const BACK_AFTER_MS = 30_000;

/** The way to a Tasmota through its own access point: this machine has to be in that for a moment. */
export class AccessPointRoad {
  constructor(
    private readonly host: FlashHost,
    private readonly options: Pick<SetUpOptions, 'apUrl' | 'device' | 'homeUrl' | 'lookPauseMs' | 'wishes' | 'say'>,
  ) {}

  /**
   * Does `work` with the device in its access point: as soon as a person has joined it, or by itself where this machine
   * can.
   *
   * @throws FlashError `tasmota-password-wrong`, `tasmota-other-firmware`, `wifi-*`, or what `work` throws; the signal's
   *   reason
   */
  async visit<T>(signal: AbortSignal, work: (found: FoundTasmota, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (await this.joinsByItself(signal)) return await this.visitByItself(signal, work);
    if (this.options.homeUrl === undefined) this.options.say('wait-for-tasmota', {}, 0);
    return await work(await this.search(undefined, signal), signal);
  }

  /**
   * Rejects when the device is in its access point again, after it had the home Wi-Fi.
   * @throws FlashError `tasmota-wifi-failed`; the signal's reason
   */
  async comesBack({ hostname, bootCount }: TasmotaFacts, signal: AbortSignal): Promise<never> {
    const error = new FlashError('tasmota-wifi-failed', { ssid: hostname ?? 'tasmota-…' });
    if (await this.joinsByItself(signal)) {
      await pause(BACK_AFTER_MS, undefined, { signal });
      await this.host.radio.lookFor(({ ssid }) => ssid === hostname, { purpose: 'set-up', signal });
    } else {
      await this.search(bootCount, signal);
    }
    throw error;
  }

  private async visitByItself<T>(
    signal: AbortSignal,
    work: (found: FoundTasmota, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { radio } = this.host;
    const peer = new URL(this.options.apUrl).hostname;
    for (let tries = 1; ; tries++) {
      if (this.options.homeUrl === undefined) this.options.say('look-for-tasmota', {}, 0);
      try {
        const { ssid, bssid } = await radio.lookFor((one) => this.isMeant(one), { purpose: 'set-up', signal });
        const network = { ssid, bssid, address: { cidr: GUEST, fixed: false }, peer };
        return await radio.during(network, { purpose: 'set-up', signal }, async (_joined, inside) => {
          const answered = AbortSignal.any([inside, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
          return await work(await this.search(undefined, answered), inside);
        });
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asFlashError(thrown);
        const mayPass = error.code === 'unexplained' || error.code.startsWith('wifi-');
        if (!mayPass || error.code === 'wifi-credentials-missing' || tries >= TRIES) throw error;
        await pause(AGAIN_PAUSE_MS, undefined, { signal });
      }
    }
  }

  private isMeant({ ssid, bssid }: AccessPoint): boolean {
    const { mac } = this.options.device;
    return kindOf(ssid).kind === 'tasmota' && (mac === undefined || isAccessPointOf(bssid, mac));
  }

  /** A rehearsal's device has no Wi-Fi; and where a person was quicker, nothing is left to join. */
  private async joinsByItself(signal: AbortSignal): Promise<boolean> {
    if (this.isInside()) return false;
    const choice = await this.host.radio.choice(signal).catch(() => undefined);
    return choice !== undefined && choice.driver !== 'manual';
  }

  private async search(bootedAfter: number | undefined, signal: AbortSignal): Promise<FoundTasmota> {
    const { apUrl, device, wishes, say } = this.options;
    return await searchTasmota(
      {
        urls: () => (this.isInside() ? [apUrl] : []),
        webPassword: wishes.webPassword,
        mac: device.mac,
        bootedAfter,
        isStrict: bootedAfter === undefined,
        pauseMs: this.options.lookPauseMs,
        onStranger: (url: string, { mac = '?' }: TasmotaFacts) => say('tasmota-stranger', { url, mac }, 0),
      },
      signal,
    );
  }

  /** From outside, the address of the access point belongs to somebody else, if to anybody. */
  private isInside(): boolean {
    const { hostname } = new URL(this.options.apUrl);
    if (isLoopback(hostname)) return true;
    const own = this.host.ownAddresses(this.options.apUrl);
    return own.some(({ address }) => inSameNetwork(address, hostname, NEW_FIRMWARE_AP_NETMASK));
  }
}
