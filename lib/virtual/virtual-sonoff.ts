import { AccessPoint } from './stock/access-point';
import { assemble } from './device/assemble';
import { cloudApAnswers } from './stock/ap-request';
import { boot, otherSlot, selectSlot, type Slot, slotAddress, slotBytes } from './device/boot';
import type { DeviceContext } from './device/context';
import { type FinalStageEnd, runIntermediate } from './finalstage/finalstage';
import { oneHopIn } from './device/one-hop-file';
import { relocate } from './device/one-hop-model';
import type { VirtualSonoffOptions } from './device/options';
import type { HomeNetwork } from './device/radio';
import { neverJoins, runStock } from './stock/stock';
import { VirtualDevice } from './device/virtual-device';
import { hang, pause } from './device/timers';

/** In the part of an image that stays in flash, which no boot loader checks. */
const ROTTEN_OFFSET = 0x200;
const FINALSTAGE_HOST = { address: '192.168.4.2', port: 8080 };

export { FAULTS, type Behaviours, type Fault } from './device/behaviours';
export type { VirtualState } from './device/context';
export type { NewFirmwareServer } from './new-firmware/new-firmware';
export type { Transport } from './device/options';
export type { VirtualResult, VirtualSonoffOptions } from './device/options';
export type { HomeNetwork, OwnNetwork, VirtualRadio } from './device/radio';
export type { NewFirmwarePage } from './device/virtual-device';

/**
 * A Sonoff without the hardware: it does on real sockets what a stock device of the cloud's class does, from its access
 * point to the new firmware, as strictly as the device.
 */
export class VirtualSonoff extends VirtualDevice<DeviceContext> {
  private settings: { serverName: string; port: number } | undefined;
  private network: HomeNetwork = { ssid: '', password: '' };
  private apPort: number;
  private finalStageHost: { address: string; port: number };

  /** Throws RangeError for an unknown fault. */
  constructor(private readonly options: VirtualSonoffOptions) {
    super(options, (hooks) => assemble(options, hooks));
    this.apPort = options.apPort;
    this.settings = options.provisioned;
    this.finalStageHost = options.finalStageHost ?? FINALSTAGE_HOST;
  }

  /**
   * Switches it on: with its button held, so into the access point, unless it was provisioned before. Resolves when
   * the access point listens, or immediately where there is none; rejects where it cannot listen.
   */
  async start(): Promise<{ apPort: number }> {
    await this.switchOn(this.settings !== undefined || this.options.startAt === 'finalstage');
    return { apPort: this.apPort };
  }

  protected async runFirmware(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { device } = this;
    const booted = boot(device.flash, device.log);
    switch (booted.firmware) {
      case 'stock':
        return await this.runStock(booted.slot, signal, onListening);
      case 'intermediate': {
        device.log(`intermediate firmware runs from user${booted.slot}`);
        const { address, port } = this.finalStageHost;
        const listen = {
          address: this.options.finalStageAddress ?? this.options.apAddress,
          port: this.options.finalStagePort ?? this.apPort,
        };
        const onListening = (at: number): void => void this.emit('finalstage', at);
        const network = { host: { host: address, port }, listen, onListening };
        return this.afterFinalStage(await runIntermediate(device, booted.slot, network, signal));
      }
      case 'one-hop':
        return await this.runOneHop(booted.slot, signal);
      case 'new':
        return await this.runNewFirmware(signal);
      case 'none':
        return this.over(booted.reason);
    }
  }

  /** Its provisioning before this run is not known here. */
  protected override isUnknown(network: HomeNetwork): boolean {
    return this.options.provisioned !== undefined && network.ssid === '';
  }

  private async runStock(slot: Slot, signal: AbortSignal, onListening: () => void): Promise<void> {
    const { device } = this;
    if (!this.settings) {
      const at = { address: this.options.apAddress, port: this.apPort };
      const taken = await new AccessPoint(device, cloudApAnswers(device.identity)).open(at, signal, (port) => {
        this.apPort = port;
        onListening();
      });
      if (!taken) return this.over('ap-closed');
      this.settings = { serverName: taken.serverName, port: taken.port };
      this.network = { ssid: taken.ssid, password: taken.password };
    }
    const { settings } = this;
    this.enter('joining');
    await pause(device.timings.joinHome, signal);
    const address = device.behaviours.joinsHomeNetwork && (await this.joinHome(this.network, signal));
    if (!address) return await neverJoins(device, signal);
    const image = await this.atHome(() => runStock(device, slot, settings, signal));
    if (!this.options.finalStageHost && isLoopback(this.options.apAddress)) {
      this.finalStageHost = { address: image.host, port: image.port };
    }
    if (device.behaviours.imageRots) device.flash.bytes[slotAddress(otherSlot(slot)) + ROTTEN_OFFSET]! ^= 0x10;
    selectSlot(device.flash, otherSlot(slot));
  }

  /** The relocator of a one-hop image: dark, without a network; a power-cycle restarts it. */
  private async runOneHop(slot: Slot, signal: AbortSignal): Promise<void> {
    const { device } = this;
    this.enter('relocating');
    await pause(slot === 1 ? device.timings.moves : device.timings.relocates, signal);
    this.finalLength = oneHopIn(slotBytes(device.flash, slot))?.final.length;
    const end = await (this.options.relocator ?? relocate)(device.flash, slot);
    device.log(`one-hop image ran from user${slot}: ${end}`);
    if (end === 'stopped') {
      device.failed('one-hop-stopped');
      await hang(signal);
    }
    this.enter('rebooting');
  }

  private afterFinalStage(end: FinalStageEnd): void {
    if (end.type === 'failed') this.device.failed('finalstage-failed');
    if (end.type === 'installed') this.finalLength = end.length;
    this.device.log(`FinalStage: ${end.type}`);
    this.enter('rebooting');
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || address.startsWith('127.');
}
