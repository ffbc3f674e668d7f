import { AccessPoint } from '../stock/access-point';
import { boot } from '../device/boot';
import { Restart } from '../device/context';
import { accessPointMac, type HomeNetwork } from '../device/radio';
import { neverJoins, runStock } from '../stock/stock';
import { VirtualDevice } from '../device/virtual-device';
import { hang, pause } from '../device/timers';
import { type DiyApSettings, diyApAnswers } from './access-point';
import { appStarts } from './app-check';
import { assembleDiy } from './assemble';
import { type HomeEnd, liveAtHome } from './at-home';
import type { DiyContext } from './context';
import type { VirtualDiyOptions } from './options';
import { PlugState } from './plug-state';

/** Where the HTTP API of the device answers now. */
export interface LanPage {
  address: string;
  port: number;
}

/** The slot from which its stock firmware runs. */
const SLOT = 2;
const LAN_PORT = 8081;

/**
 * A Sonoff with DIY mode without the hardware: it does on real sockets what stock firmware 3.x does
 * (docs/dev/diy-mode.md), from its access point or its jumper to the new firmware, as strictly as the device.
 */
export class VirtualDiySonoff extends VirtualDevice<DiyContext> {
  private apPort: number;
  private lanPort: number;

  /** Throws RangeError for an unknown fault. */
  constructor(private readonly options: VirtualDiyOptions) {
    super(options, (hooks) => assembleDiy(options, hooks));
    this.apPort = options.apPort;
    this.lanPort = options.lanPort ?? LAN_PORT;
  }

  /**
   * Switches it on. Resolves when its access point or its HTTP API listens, or when it is clear that neither will;
   * rejects where it cannot listen.
   */
  async start(): Promise<{ apPort: number; lanPort: number }> {
    await this.switchOn(false);
    return { apPort: this.apPort, lanPort: this.lanPort };
  }

  /** Holds its button until it has forgotten its Wi-Fi and opens its access point. */
  holdButton(): void {
    Object.assign(this.device.settings, { mode: 'none', cloud: undefined });
    this.powerCycle();
  }

  protected async runFirmware(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { device } = this;
    const booted = boot(device.flash, device.log);
    if (booted.firmware === 'stock') {
      Object.assign(device, { plug: new PlugState() });
      return await this.runStock(signal, onListening);
    }
    onListening();
    if (booted.firmware !== 'new') return this.over(booted.firmware === 'none' ? booted.reason : 'boot-loop');
    return appStarts(device.flash) ? await this.runNewFirmware(signal) : this.over('half-written');
  }

  /** Its set-up before this run is not known here. */
  protected override isUnknown(network: HomeNetwork): boolean {
    return network.ssid === '' && this.options.network === undefined;
  }

  private async runStock(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { settings } = this.device;
    if (settings.mode === 'none') {
      const taken = await this.openAccessPoint(signal, onListening);
      if (!taken) return this.over('ap-closed');
      const address = await this.join(taken.network, signal, onListening);
      // Only what works is kept (docs/dev/diy-mode.md#1.3).
      Object.assign(settings, { cloud: undefined, ...taken });
      return await this.stayAtHome(address, signal, onListening);
    }
    await this.stayAtHome(await this.join(settings.network, signal, onListening), signal, onListening);
  }

  /** At one address after the other, until it is flashed. */
  private async stayAtHome(first: string, signal: AbortSignal, onListening: () => void): Promise<void> {
    const { device } = this;
    for (let address = first; ; address = await this.join(device.settings.network, signal, onListening)) {
      const end = await this.liveThere(address, signal, onListening);
      if (end.type === 'flashed') {
        this.finalLength = end.size;
        return;
      }
      if (end.type === 'moved') {
        device.settings.network = end.network;
        continue;
      }
      device.failed('wifi-lost');
      if (!device.behaviours.wifiReturns) await neverJoins(device, signal);
    }
  }

  private async openAccessPoint(signal: AbortSignal, onListening: () => void): Promise<DiyApSettings | undefined> {
    const { device, options } = this;
    const { accessPoint } = device.behaviours;
    if (accessPoint === 'open') {
      const at = { address: options.apAddress, port: this.apPort };
      return await new AccessPoint(device, diyApAnswers(device)).open(at, signal, (port) => {
        this.apPort = port;
        onListening();
      });
    }
    onListening();
    device.failed(accessPoint === 'none' ? 'no-access-point' : 'access-point-refuses');
    if (accessPoint === 'none') return await hang(signal);
    const { deviceid, mac } = device.identity;
    const bssid = accessPointMac(mac);
    const network = { ssid: `ITEAD-${deviceid}`, password: '12345678', address: options.apAddress, bssid };
    device.enter('access-point');
    await device.radio.openAccessPoint(network);
    try {
      return await hang(signal);
    } finally {
      await device.radio.closeAccessPoint(network);
    }
  }

  /** Its address at home. It gives up after a while and does nothing more (docs/dev/diy-mode.md#1.3). */
  private async join(network: HomeNetwork, signal: AbortSignal, onListening: () => void): Promise<string> {
    const { device } = this;
    this.enter('joining');
    await pause(device.timings.joinHome, signal);
    const address = device.behaviours.joinsHomeNetwork && (await this.joinHome(network, signal));
    if (address) return address;
    await pause(device.timings.diyGivesUp, signal);
    onListening();
    return await neverJoins(device, signal);
  }

  private async liveThere(address: string, signal: AbortSignal, onListening: () => void): Promise<HomeEnd> {
    const { device } = this;
    const { cloud, network } = device.settings;
    const place = {
      address,
      port: this.lanPort,
      ssid: network.ssid,
      onListening: (port: number) => {
        this.lanPort = port;
        this.emit('lan', { address, port } satisfies LanPage);
        onListening();
      },
    };
    const leaving = new AbortController();
    const until = AbortSignal.any([signal, leaving.signal]);
    // In eWeLink mode it dials what it was given, and never believes it.
    const dialling = cloud ? runStock(device, SLOT, cloud, until).catch(() => undefined) : undefined;
    try {
      return await liveAtHome(device, place, signal);
    } finally {
      leaving.abort(new Restart('off'));
      await dialling;
    }
  }
}
