import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { AccessPoint } from './access-point';
import { assemble } from './assemble';
import type { Behaviours } from './behaviours';
import { boot, otherSlot, selectSlot, type Slot, slotAddress, slotBytes } from './boot';
import { type DeviceContext, Restart, type VirtualState } from './context';
import { type FinalStageEnd, runIntermediate } from './intermediate';
import { Linger } from './linger';
import { newFirmwareIn, type NewFirmwarePlace } from './new-firmware';
import { oneHopIn } from './one-hop-file';
import { relocate } from './one-hop-model';
import type { VirtualResult, VirtualSonoffOptions } from './options';
import { runOtherFirmware } from './other-firmware';
import type { HomeNetwork } from './radio';
import { NewlibRand } from './rand';
import { neverJoins, runStock } from './stock';
import { runTasmota } from './tasmota/tasmota';
import { hang, pause } from './waiting';

/** Reaching one of these means that the last failure was not the end. */
const CURES: ReadonlySet<VirtualState> = new Set(['upgrading', 'erased', 'relocating', 'new-firmware']);
/** In the part of an image that stays in flash, which no boot loader checks. */
const ROTTEN_OFFSET = 0x200;
const FINALSTAGE_HOST = { address: '192.168.4.2', port: 8080 };

export { FAULTS, type Behaviours, type Fault } from './behaviours';
export type { VirtualState } from './context';
export type { NewFirmwarePlace } from './new-firmware';
export type { Transport } from './options';
export type { VirtualResult, VirtualSonoffOptions } from './options';
export type { HomeNetwork, OwnNetwork, Radio } from './radio';

/** Where the web page of the new firmware answers now: in its own access point, or at home. */
export interface NewFirmwarePage {
  network: 'ap' | 'home';
  address: string;
  port: number;
}

/**
 * A Sonoff without the hardware: it does on real sockets what a stock device does, from its access point to the new
 * firmware, as strictly as the device. What it becomes follows from its flash memory alone.
 *
 * Events: `log` (a line), `state` (a VirtualState), `finalstage` (the port on which FinalStage's own address answers),
 * `flashed` (a VirtualResult, when the new firmware boots), `page` (a NewFirmwarePage, whenever the new firmware's web page
 * answers), `ended` (a VirtualResult).
 */
export class VirtualSonoff extends EventEmitter {
  /** Resolves when the device is done, has failed, or was stopped. Never rejects. */
  readonly ended: Promise<VirtualResult>;
  readonly log: string[] = [];
  private readonly device: DeviceContext;
  private readonly linger: Linger;
  private current: VirtualState = 'off';
  private settings: { serverName: string; port: number } | undefined;
  private network: HomeNetwork = { ssid: '', password: '' };
  private apPort: number;
  private finalStageHost: { address: string; port: number };
  private finalLength: number | undefined;
  private power: AbortController | undefined;
  private life: Promise<void> | undefined;
  private overAs: string | undefined;
  /** Set from the first boot of the new firmware on. */
  private flashed: VirtualResult | undefined;
  private newFirmware: NewFirmwarePlace | undefined;
  private end!: (result: VirtualResult) => void;

  /** Throws RangeError for a fault that nobody knows. */
  constructor(private readonly options: VirtualSonoffOptions) {
    super();
    this.ended = new Promise((resolve) => (this.end = resolve));
    this.apPort = options.apPort;
    this.settings = options.provisioned;
    this.finalStageHost = options.finalStageHost ?? FINALSTAGE_HOST;
    this.newFirmware = options.newFirmware;
    this.linger = new Linger(options.lingerMs, (reason) => this.over(reason));
    this.device = assemble(options, {
      log: (line) => this.write(line),
      enter: (state) => this.enter(state),
      failed: (reason) => this.linger.failed(reason),
    });
  }

  get deviceid(): string {
    return this.device.identity.deviceid;
  }

  get state(): VirtualState {
    return this.current;
  }

  /** The flash memory, 1 MiB, as it is now. */
  get flash(): Uint8Array {
    return this.device.flash.bytes;
  }

  /**
   * Switches it on: with its button held, so into the access point, unless it was provisioned before. Resolves when
   * the access point listens, or at once where there is none; rejects where it cannot listen.
   */
  async start(): Promise<{ apPort: number }> {
    if (this.life) throw new Error('A virtual Sonoff starts once');
    await new Promise<void>((resolve, reject) => {
      if (this.settings || this.options.startAt === 'finalstage') resolve();
      this.life = this.live(resolve).catch((error: Error) => {
        this.overAs ??= 'broken';
        this.write(`broken: ${error.message}`);
        reject(error);
      });
      void this.life.then(() => {
        resolve();
        this.finish();
      });
    });
    return { apPort: this.apPort };
  }

  /** Takes its power away and gives it back: it goes on with what its flash holds. */
  powerCycle(): void {
    this.power?.abort(new Restart('power-cycled'));
  }

  /** Changes how it behaves from now on. */
  behave(behaviours: Partial<Behaviours>): void {
    Object.assign(this.device.behaviours, behaviours);
  }

  /** Ends it, wherever it is; resolves when all of its sockets and timers are gone. */
  async stop(): Promise<void> {
    this.over(this.flashed ? 'flashed' : 'stopped');
    if (this.life) await this.life;
    else this.finish();
    await this.ended;
  }

  /** One boot after the other, until it is over. */
  private async live(onListening: () => void): Promise<void> {
    while (this.overAs === undefined) {
      this.power = new AbortController();
      Object.assign(this.device, { rand: new NewlibRand() });
      try {
        await this.runFirmware(this.power.signal, onListening);
        await pause(this.device.timings.boot, this.power.signal);
      } catch (error) {
        if (!(error instanceof Restart)) throw error;
        if (this.overAs === undefined) this.write(`restart: ${error.why}`);
      } finally {
        this.power.abort(new Restart('off'));
      }
    }
  }

  private async runFirmware(signal: AbortSignal, onListening: () => void): Promise<void> {
    const { device } = this;
    device.flash.refusing = device.behaviours.flashRefuses;
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

  private async runStock(slot: Slot, signal: AbortSignal, onListening: () => void): Promise<void> {
    const { device } = this;
    if (!this.settings) {
      const at = { address: this.options.apAddress, port: this.apPort };
      const taken = await new AccessPoint(device).open(at, signal, (port) => {
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

  /** The relocator of a one-hop image: dark, without a network; a power-cycle makes it begin again. */
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

  /** Leaves the home network whichever way the work ends: with the reboot at the latest. */
  private async atHome<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.device.radio.leaveHome();
    }
  }

  /** Its address at home; undefined where the home network does not take what the device knows of it. */
  private async joinHome(network: HomeNetwork, signal: AbortSignal): Promise<string | undefined> {
    const { homeNetwork, provisioned } = this.options;
    const isRight = homeNetwork?.ssid === network.ssid && homeNetwork.password === network.password;
    // What it was provisioned with before this run is not known here.
    const isUnknown = provisioned !== undefined && network.ssid === '';
    if (homeNetwork && !isRight && !isUnknown) return undefined;
    return await this.device.radio.joinHome(network, signal);
  }

  /** Whatever firmware the flash holds now lives on until the device is switched off, where it has a place. */
  private async runNewFirmware(signal: AbortSignal): Promise<void> {
    const { device, newFirmware: place } = this;
    this.enter('new-firmware');
    if (!place) return this.over('flashed');
    if (!this.flashed) this.emit('flashed', (this.flashed = this.resultOf('flashed')));
    this.linger.failed('flashed');
    const firmware = newFirmwareIn(device.flash);
    device.log(`new firmware boots: ${firmware.project}`);
    const hooks = {
      place,
      joinHome: async (network: HomeNetwork) =>
        device.behaviours.newFirmwareJoins ? await this.joinHome(network, signal) : undefined,
      onPage: (network: 'ap' | 'home', address: string, port: number) => {
        this.newFirmware = { ...place, ...(network === 'ap' ? { apPort: port } : { homePort: port }) };
        this.emit('page', { network, address, port } satisfies NewFirmwarePage);
      },
    };
    if (firmware.project === 'tasmota') return await runTasmota(device, firmware, hooks, signal);
    return await runOtherFirmware(device, firmware.project, hooks, signal);
  }

  private afterFinalStage(end: FinalStageEnd): void {
    if (end.type === 'failed') this.device.failed('finalstage-failed');
    if (end.type === 'installed') this.finalLength = end.length;
    this.write(`FinalStage: ${end.type}`);
    this.enter('rebooting');
  }

  private write(line: string): void {
    this.log.push(line);
    this.emit('log', line);
  }

  private enter(state: VirtualState): void {
    if (state === this.current) return;
    this.current = state;
    if (CURES.has(state)) this.linger.cured();
    this.write(`state: ${state}`);
    this.emit('state', state);
  }

  private over(result: string): void {
    this.overAs ??= result;
    this.linger.cured();
    this.power?.abort(new Restart('off'));
  }

  private finish(): void {
    this.linger.cured();
    this.enter('ended');
    const result = this.flashed ?? this.resultOf(this.overAs ?? 'stopped');
    this.end(result);
    this.emit('ended', result);
  }

  private resultOf(result: string): VirtualResult {
    const length = result === 'flashed' ? this.finalLength : undefined;
    const flashSha256 = createHash('sha256').update(this.flash.subarray(0, length)).digest('hex');
    return { result, flashSha256, log: [...this.log] };
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address === 'localhost' || address.startsWith('127.');
}
