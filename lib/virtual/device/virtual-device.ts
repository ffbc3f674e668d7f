import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type DeviceContext, Restart, type VirtualState } from './context';
import { IdleShutdown } from './idle-shutdown';
import { newFirmwareIn, type NewFirmwareServer } from '../new-firmware/new-firmware';
import type { LifeOptions, VirtualResult } from './options';
import { runOtherFirmware } from '../new-firmware/other-firmware';
import type { HomeNetwork } from './radio';
import { NewlibRand } from './rand';
import { runTasmota } from '../tasmota/tasmota';
import { pause } from './timers';

/** Reaching one of these means that the last failure was not the end. */
const CURES: ReadonlySet<VirtualState> = new Set(['upgrading', 'erased', 'relocating', 'new-firmware']);

/** Where the web page of the new firmware answers now: in its own access point, or at home. */
export interface NewFirmwarePage {
  network: 'ap' | 'home';
  address: string;
  port: number;
}

/** The events of every virtual device, and at the end those of only one class of them. */
interface VirtualEvents {
  log: [line: string];
  state: [state: VirtualState];
  /** The new firmware boots. */
  flashed: [result: VirtualResult];
  /** The new firmware's web page answers. */
  page: [page: NewFirmwarePage];
  ended: [result: VirtualResult];
  /** FinalStage's own address answers on this port. */
  finalstage: [port: number];
  /** The HTTP API of DIY mode answers at home. */
  lan: [page: { readonly address: string; readonly port: number }];
}

/** The calls from a device's parts. */
export type LifeHooks = Pick<DeviceContext, 'log' | 'enter' | 'failed'>;

/**
 * The life of a device without the hardware, whichever stock firmware it has: one boot after the other, and the new
 * firmware at the end. What it becomes follows from its flash memory alone.
 */
export abstract class VirtualDevice<C extends DeviceContext> extends EventEmitter<VirtualEvents> {
  /** Resolves when the device is done, has failed, or was stopped. Never rejects. */
  readonly ended: Promise<VirtualResult>;
  readonly log: string[] = [];
  protected readonly device: C;
  /** Bytes of the final image, as soon as they are known. */
  protected finalLength: number | undefined;
  private readonly linger: IdleShutdown;
  private current: VirtualState = 'off';
  private power: AbortController | undefined;
  private life: Promise<void> | undefined;
  private overAs: string | undefined;
  /** Set from the first boot of the new firmware on. */
  private flashed: VirtualResult | undefined;
  private newFirmware: NewFirmwareServer | undefined;
  private end!: (result: VirtualResult) => void;

  /** Throws whatever `assemble` throws, such as RangeError for an unknown fault. */
  protected constructor(
    private readonly lifeOptions: LifeOptions,
    assemble: (hooks: LifeHooks) => C,
  ) {
    super();
    this.ended = new Promise((resolve) => (this.end = resolve));
    this.newFirmware = lifeOptions.newFirmware;
    this.linger = new IdleShutdown(lifeOptions.lingerMs, (reason) => this.over(reason));
    this.device = assemble({
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

  /** Switches it on, once. Resolves when it can be reached; rejects where it cannot listen. */
  abstract start(): Promise<{ apPort: number }>;

  /** Takes its power away and gives it back: it continues with what its flash holds. */
  powerCycle(): void {
    this.power?.abort(new Restart('power-cycled'));
  }

  /** Changes how it behaves from now on. */
  behave(behaviours: Partial<C['behaviours']>): void {
    Object.assign(this.device.behaviours, behaviours);
  }

  /** Ends it, wherever it is; resolves when all of its sockets and timers are gone. */
  async stop(): Promise<void> {
    this.over(this.flashed ? 'flashed' : 'stopped');
    if (this.life) await this.life;
    else this.finish();
    await this.ended;
  }

  /**
   * One boot: what the flash holds runs until it restarts. `onListening` is called as soon as the device can be reached
   * for the first time.
   */
  protected abstract runFirmware(signal: AbortSignal, onListening: () => void): Promise<void>;

  /** Gives it power for the first time. Where it `dials` others, nothing is waited for. */
  protected async switchOn(dials: boolean): Promise<void> {
    if (this.life) throw new Error('A virtual Sonoff starts once');
    await new Promise<void>((resolve, reject) => {
      if (dials) resolve();
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
  }

  /** Leaves the home network whichever way the work ends: with the reboot at the latest. */
  protected async atHome<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.device.radio.leaveHome();
    }
  }

  /** Its address at home; undefined where the home network does not take what the device knows of it. */
  protected async joinHome(network: HomeNetwork, signal: AbortSignal): Promise<string | undefined> {
    const { homeNetwork } = this.lifeOptions;
    const isRight = homeNetwork?.ssid === network.ssid && homeNetwork.password === network.password;
    if (homeNetwork && !isRight && !this.isUnknown(network)) return undefined;
    return await this.device.radio.joinHome(network, signal);
  }

  /** Whether the device may know a network from before this run. */
  protected isUnknown(_network: HomeNetwork): boolean {
    return false;
  }

  /** The firmware in the flash now keeps running until the device is switched off, where it has a place. */
  protected async runNewFirmware(signal: AbortSignal): Promise<void> {
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

  protected enter(state: VirtualState): void {
    if (state === this.current) return;
    this.current = state;
    if (CURES.has(state)) this.linger.cured();
    this.write(`state: ${state}`);
    this.emit('state', state);
  }

  protected over(result: string): void {
    this.overAs ??= result;
    this.linger.cured();
    this.power?.abort(new Restart('off'));
  }

  /** One boot after the other, until it is over. */
  private async live(onListening: () => void): Promise<void> {
    while (this.overAs === undefined) {
      this.power = new AbortController();
      Object.assign(this.device, { rand: new NewlibRand() });
      try {
        this.device.flash.refusing = this.device.behaviours.flashRefuses;
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

  private write(line: string): void {
    this.log.push(line);
    this.emit('log', line);
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
