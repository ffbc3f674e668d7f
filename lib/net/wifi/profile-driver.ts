import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import { FORGETFUL, type FormerMemory, type FormerNetwork } from './former';
import type {
  AccessPoint,
  JoinedNetwork,
  WifiDriver,
  WifiDriverName,
  WifiEvents,
  WifiLimits,
  WifiNetwork,
} from './wifi';
import { limited, within } from './within';
import { wording, type Wording } from '../../wordings/wording';

/** In ms, where the caller sets none. */
interface OwnLimits {
  readonly scan: number;
  readonly join: number;
  /** Leaving, and the former network's coming back. */
  readonly leave: number;
}

/**
 * What is the same wherever a profile of our own is made for a network and taken away again: the order in which things
 * are done and undone, whatever fails or is cancelled in between.
 */
export abstract class ProfileDriver extends EventEmitter<WifiEvents> implements WifiDriver {
  abstract readonly name: WifiDriverName;
  private present: JoinedNetwork | undefined;
  /** The network to return to; kept until that is done. */
  private former: FormerNetwork | undefined;
  /** Set from before a profile is made until it is taken away. */
  private isDirty = false;

  protected constructor(
    readonly interfaceName: string,
    private readonly limits: OwnLimits,
    private readonly memory: FormerMemory = FORGETFUL,
  ) {
    super();
  }

  /** Looks at what is in reach now. */
  protected abstract scanNow(signal: AbortSignal): Promise<readonly AccessPoint[]>;
  /** Joins; calls `begin` before the first change that must be undone. */
  protected abstract joinNow(network: WifiNetwork, signal: AbortSignal): Promise<JoinedNetwork>;
  protected abstract removeOwn(signal: AbortSignal): Promise<void>;
  /** @param kept what an ended process has written of the network before; resolves with the names of what it removed */
  protected abstract removeLeftOver(signal: AbortSignal, kept: FormerNetwork | undefined): Promise<string[]>;
  /** Resolves when the former network is there again; immediately where it cannot be. */
  protected abstract bringBack(former: FormerNetwork, signal: AbortSignal): Promise<void>;
  /** Ends what listens whether the joined network is lost. */
  protected abstract stopWatching(): void;
  protected abstract late(what: Wording, seconds: number): FlashError;
  abstract close(): void;

  get joined(): JoinedNetwork | undefined {
    return this.present;
  }

  scan({ signal, limitMs = this.limits.scan }: WifiLimits): Promise<readonly AccessPoint[]> {
    const late = (): FlashError => this.late(wording('task-scan'), limitMs / 1000);
    return within({ signal, limitMs }, late, (both) => this.scanNow(both));
  }

  async join(network: WifiNetwork, { signal, limitMs = this.limits.join }: WifiLimits): Promise<JoinedNetwork> {
    const late = (): FlashError => this.late(wording('task-join', { ssid: network.ssid }), limitMs / 1000);
    this.forgetPresent();
    try {
      this.present = await limited({ signal, limitMs }, late, async (both) => {
        await this.takeAway(both);
        return this.joinNow(network, both);
      });
      return this.present;
    } catch (error) {
      // The reason is what counts; what cannot be undone now is undone by the next leave or start.
      await this.leave({ signal: new AbortController().signal }).catch(() => undefined);
      throw error;
    }
  }

  async leave({ signal, limitMs = this.limits.leave }: WifiLimits): Promise<void> {
    this.forgetPresent();
    if (!this.isDirty && !this.former) return;
    const late = (): FlashError => new FlashError('wifi-not-restored', { name: this.interfaceName });
    await limited({ signal, limitMs }, late, async (both) => {
      await this.takeAway(both);
      await this.restore(both);
    });
  }

  clean({ signal, limitMs = this.limits.leave }: WifiLimits): Promise<readonly string[]> {
    const late = (): FlashError => new FlashError('wifi-not-restored', { name: this.interfaceName });
    return limited({ signal, limitMs }, late, async (both) => {
      if (this.isDirty) return [];
      const kept = await this.memory.read(this.interfaceName);
      const removed = await this.removeLeftOver(both, kept);
      this.former = kept;
      await this.restore(both);
      return removed;
    });
  }

  /**
   * From here on there is something to undo.
   * @param former what the interface is in now; undefined where in nothing, perhaps because what was there before has
   *   not come back yet
   */
  protected async begin(former: FormerNetwork | undefined): Promise<void> {
    this.former = former ?? this.former ?? {};
    await this.memory.write(this.interfaceName, this.former);
    this.isDirty = true;
  }

  /** The joined network is gone; its profile perhaps not. */
  protected hasLost(error: FlashError): void {
    this.forgetPresent();
    this.emit('lost', error);
  }

  private forgetPresent(): void {
    this.present = undefined;
    this.stopWatching();
  }

  private async takeAway(signal: AbortSignal): Promise<void> {
    if (this.isDirty) await this.removeOwn(signal);
    this.isDirty = false;
  }

  private async restore(signal: AbortSignal): Promise<void> {
    if (this.former) await this.bringBack(this.former, signal);
    this.former = undefined;
    await this.memory.write(this.interfaceName, undefined);
  }
}
