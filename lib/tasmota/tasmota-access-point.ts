import { setTimeout as pause } from 'node:timers/promises';
import { asFlashError, FlashError, type ErrorCode } from '../errors';
import { inSameNetwork, isLoopback } from '../net/addresses';
import type { AccessPoint } from '../net/wifi/wifi';
import { isAccessPointOfDevice, kindOf } from '../protocol/access-points';
import { DEVICE_NETMASK, NEW_FIRMWARE_NETWORK } from '../protocol/device-networks';
import type { TasmotaFacts } from '../protocol/tasmota';
import type { SetUpHost } from './set-up-host';
import { withinLimit } from '../timing/time-limit';
import { searchTasmota, type FoundTasmota } from './search';
import type { SetUpOptions } from './set-up-options';
import { wording } from '../wordings/wording';

/** A machine that has joined and gets no answer leaves, and tries again this often. */
export const ANSWER_LIMIT_MS = 30_000;
export const TRIES = 3;
const ELSEWHERE: readonly ErrorCode[] = ['wifi-lost', 'tasmota-other-firmware'];
export const AGAIN_PAUSE_MS = 2000;
/** Before this it has not given its Wi-Fi up, and its former access point may still stand in the list of networks. */
export const BACK_AFTER_MS = 30_000;

/** The way to a Tasmota through its own access point: this machine has to be in that for a moment. */
export class TasmotaAccessPoint {
  constructor(
    private readonly host: SetUpHost,
    private readonly options: Pick<
      SetUpOptions,
      'apUrl' | 'backAfterMs' | 'device' | 'homeUrl' | 'lookPauseMs' | 'settings' | 'report'
    >,
  ) {}

  /**
   * Does `work` with the device in its access point: as soon as a person has joined it, or automatically where this machine
   * can.
   *
   * @throws FlashError `tasmota-password-wrong`, `tasmota-other-firmware`, `wifi-*`, or what `work` throws; the signal's
   *   reason
   */
  async visit<T>(signal: AbortSignal, work: (found: FoundTasmota, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (await this.canJoin(signal)) return await this.visitByItself(signal, work);
    if (this.options.homeUrl === undefined) this.options.report('wait-for-tasmota', {}, 0);
    return await work(await this.search(undefined, signal), signal);
  }

  /**
   * Rejects when the device is in its access point again, after it had the home Wi-Fi.
   * @throws FlashError `tasmota-wifi-failed`; the signal's reason
   */
  async comesBack({ hostname, bootCount }: TasmotaFacts, signal: AbortSignal): Promise<never> {
    const error = new FlashError('tasmota-wifi-failed', { ssid: hostname ?? 'tasmota-…' });
    if (await this.canJoin(signal)) {
      await pause(this.options.backAfterMs ?? BACK_AFTER_MS, undefined, { signal });
      await this.untilSeen(hostname, signal);
    } else {
      await this.search(bootCount, signal);
    }
    throw error;
  }

  /** A fault of the radio must not end a set-up that goes well: then it is looked for again. */
  private async untilSeen(name: string | undefined, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.host.radio.lookFor(({ ssid }) => ssid === name, { purpose: 'set-up', signal });
        return;
      } catch {
        await pause(AGAIN_PAUSE_MS, undefined, { signal });
      }
    }
  }

  private async visitByItself<T>(
    signal: AbortSignal,
    work: (found: FoundTasmota, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      if (this.options.homeUrl === undefined) this.options.report('look-for-tasmota', {}, 0);
      try {
        const found = await this.throughPerson(signal);
        return found ? await work(found, signal) : await this.visitOnce(signal, work);
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asFlashError(thrown);
        const mayPass = error.code === 'unexplained' || error.code.startsWith('wifi-');
        if (!mayPass || error.code === 'wifi-credentials-missing' || tries >= TRIES) throw error;
        await pause(AGAIN_PAUSE_MS, undefined, { signal });
      }
    }
  }

  /** The device, if a person was faster and has joined its access point; a person in another network is not waited for. */
  private async throughPerson(signal: AbortSignal): Promise<FoundTasmota | undefined> {
    if (!this.isThereByHand()) return undefined;
    return await this.answered(NEW_FIRMWARE_NETWORK.network, signal, () => this.isThereByHand()).catch(
      (error: unknown) => {
        // A home may have the same numbers.
        const isElsewhere = error instanceof FlashError && ELSEWHERE.includes(error.code);
        if (isElsewhere) return undefined;
        throw error;
      },
    );
  }

  private async visitOnce<T>(
    signal: AbortSignal,
    work: (found: FoundTasmota, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { radio } = this.host;
    const peer = new URL(this.options.apUrl).hostname;
    const { ssid, bssid } = await radio.lookFor((one) => this.isMeant(one), { purpose: 'set-up', signal });
    const network = { ssid, bssid, address: { cidr: NEW_FIRMWARE_NETWORK.cidr, fixed: false }, peer };
    return await radio.withNetwork(network, { purpose: 'set-up', signal }, async (_joined, inside) =>
      work(await this.answered(ssid, inside), inside),
    );
  }

  /** @throws FlashError `wifi-lost` after a while without an answer */
  private async answered(
    ssid: string,
    signal: AbortSignal,
    isInside = (): boolean => this.isInside(),
  ): Promise<FoundTasmota> {
    const limit = {
      seconds: ANSWER_LIMIT_MS / 1000,
      whenOver: () => new FlashError('wifi-lost', { ssid, reason: wording('nothing-answers-in-it') }),
    };
    return await withinLimit(signal, limit, (inTime) => this.search(undefined, inTime, isInside));
  }

  private isMeant({ ssid, bssid }: AccessPoint): boolean {
    return kindOf(ssid).kind === 'tasmota' && (isAccessPointOfDevice(bssid, this.options.device) ?? true);
  }

  /** Whether this machine can join the device's network; a rehearsal's device has none. */
  private async canJoin(signal: AbortSignal): Promise<boolean> {
    if (!this.host.hasWifi(this.options.apUrl)) return false;
    const choice = await this.host.radio.choice(signal).catch(() => undefined);
    return choice !== undefined && choice.driver !== 'manual';
  }

  /** While a stage has the radio, this machine may be in FinalStage, which has the same addresses. */
  private isThereByHand(): boolean {
    const { holder } = this.host.radio;
    return (holder === undefined || holder === 'flow') && this.isInside();
  }

  private async search(
    bootedAfter: number | undefined,
    signal: AbortSignal,
    isInside = (): boolean => this.isInside(),
  ): Promise<FoundTasmota> {
    const { apUrl, device, settings, report } = this.options;
    return await searchTasmota(
      {
        urls: () => (isInside() ? [apUrl] : []),
        webPassword: settings.webPassword,
        mac: device.mac,
        bootedAfter,
        isStrict: bootedAfter === undefined,
        pauseMs: this.options.lookPauseMs,
        onStranger: (url: string, { mac = '?' }: TasmotaFacts) => report('tasmota-stranger', { url, mac }, 0),
      },
      signal,
    );
  }

  /** From outside, the address of the access point is another host's, if any. */
  private isInside(): boolean {
    const { apUrl } = this.options;
    if (!this.host.hasWifi(apUrl)) return true;
    const { hostname } = new URL(apUrl);
    const network = isLoopback(hostname) ? NEW_FIRMWARE_NETWORK.device : hostname;
    return this.host.ownAddresses(apUrl).some(({ address }) => inSameNetwork(address, network, DEVICE_NETMASK));
  }
}
