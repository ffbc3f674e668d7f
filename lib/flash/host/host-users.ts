import type { FlashHost } from './host';
import { sharedPorts } from './shared-listener';

/**
 * The nodes that use a host, and through them whether it listens: while a flash needs it, or one of them waits for devices
 * (docs/dev/design.md#7). Ports that lie open for nothing are in the way of other hosts and other programs.
 */
export class HostUsers {
  /** By their ids, with whether they wait for devices that dial in unasked. */
  private readonly present = new Map<string, boolean>();
  /** Those that have gone but may come back in this deploy. */
  private readonly away = new Map<string, boolean>();
  private wasNeeded = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly host: FlashHost) {
    host.on('need', this.onNeed);
    sharedPorts.on('freed', this.onFreed);
  }

  has(id: string): boolean {
    return this.present.has(id);
  }

  /** A user comes, or comes back. */
  add(id: string, awaitsDevices: boolean): void {
    this.away.delete(id);
    this.present.set(id, awaitsDevices);
    this.host.prepare();
    // Ports that could not be opened are tried again with each deploy.
    this.wasNeeded &&= this.host.isListening;
    void this.update();
  }

  /** A user goes; without `removed` it may return in this deploy. Resolves when the ports that are no longer needed are free. */
  async leave(id: string, removed: boolean): Promise<void> {
    const awaitsDevices = this.present.get(id);
    if (awaitsDevices === undefined) return;
    this.present.delete(id);
    if (removed) await this.update();
    else this.away.set(id, awaitsDevices);
  }

  /** A deploy is over: users that have not returned are gone. @returns their ids; `update` follows */
  takeLeavers(): string[] {
    const gone = [...this.away.keys()];
    this.away.clear();
    return gone;
  }

  /** The host is about to close. */
  close(): void {
    clearTimeout(this.timer);
    this.host.off('need', this.onNeed);
    sharedPorts.off('freed', this.onFreed);
  }

  private readonly onNeed = (): void => void this.update();

  /** Ports that another host held may be free now. */
  private readonly onFreed = (): void => {
    if (!this.host.trouble) return;
    this.wasNeeded = false;
    void this.update();
  };

  /** Opens the ports that are needed now, or closes them. Resolves when that is done. */
  async update(): Promise<void> {
    clearTimeout(this.timer);
    const until = this.neededUntil();
    const isNeeded = until > Date.now();
    const isNew = isNeeded && !this.wasNeeded;
    this.wasNeeded = isNeeded;
    if (isNeeded && until !== Infinity) this.timer = setTimeout(this.onNeed, until - Date.now()).unref();
    // Every user's status shows a port in use, which is tried again with the next message; see FlashHost.trouble.
    if (isNew) await this.host.open().catch(() => undefined);
    if (!isNeeded) await this.host.stopListening(() => this.neededUntil() <= Date.now());
  }

  private neededUntil(): number {
    const users = [...this.present.values(), ...this.away.values()];
    if (users.includes(true)) return Infinity;
    return users.length > 0 ? this.host.neededUntil() : 0;
  }
}
