import type { DeviceContext } from '../device/context';
import { hostnameOf, type TasmotaSettings } from './settings';

/** How Tasmota is on the air: in its own access point (`manager`), trying to get in, or at home. */
export type TasmotaNetwork = { type: 'manager' } | { type: 'joining' } | { type: 'home'; address: string };

/** One boot of Tasmota: its settings, and what its commands read and change. */
export class TasmotaMachine {
  network: TasmotaNetwork = { type: 'joining' };
  /** How often it has connected to its broker since it booted. */
  mqttCount = 0;
  /** Set by a command whose change needs a restart; it comes when the backlog is empty. */
  wantsRestart = false;
  /** Commands that wait for their turn. */
  readonly backlog: string[] = [];
  /** Before this moment, in ms of `performance.now()`, the backlog rests. */
  backlogRestsUntil = 0;
  readonly bootedAt = performance.now();
  /** As it booted: a new topic makes a new name only with the restart that follows. */
  readonly hostname: string;
  readonly module: number;

  constructor(
    readonly device: DeviceContext,
    readonly version: string,
    readonly settings: TasmotaSettings,
  ) {
    this.hostname = hostnameOf(settings, device.identity.mac);
    this.module = settings.module;
  }

  get address(): string {
    return this.network.type === 'home' ? this.network.address : '0.0.0.0';
  }

  get isInManagerMode(): boolean {
    return this.network.type === 'manager';
  }

  get uptime(): string {
    const seconds = Math.floor((performance.now() - this.bootedAt) / 1000);
    const two = (value: number): string => String(value).padStart(2, '0');
    const [hours, minutes] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
    return `${Math.floor(seconds / 86_400)}T${two(hours)}:${two(minutes)}:${two(seconds % 60)}`;
  }
}
