import type { FlashError } from '../../errors';
import {
  BY_DEFAULT,
  chooseWifi,
  makeDriver,
  surroundings,
  type Surroundings,
  type WifiChoice,
  type WifiSettings,
} from '../../net/wifi/choose';
import type { FormerMemory } from '../../net/wifi/former';
import type { AccessPoint, JoinedNetwork, WifiDriver, WifiNetwork } from '../../net/wifi/wifi';
import { orAborted, pause } from '../../net/wifi/within';
import { lineOf, lineOfWording, type HostLog } from '../host-log';
import { RadioOwner, type RadioPurpose } from './radio-owner';

const LOOK_PAUSE_MS = 1500;

/** The radio for as long as one user has it. */
export interface WifiLease {
  readonly driver: WifiDriver;
  scan(signal: AbortSignal): Promise<readonly AccessPoint[]>;
  join(network: WifiNetwork, signal: AbortSignal): Promise<JoinedNetwork>;
  /** Leaves what was joined, brings the former network back, and lets the next one in. Never throws; may be called twice. */
  release(): Promise<void>;
}

export interface WithNetworkOptions {
  readonly purpose: RadioPurpose;
  readonly signal: AbortSignal;
  /** How long the network may take to be joined. */
  readonly limitMs?: number;
}

const owners = new Map<string, RadioOwner>();

/**
 * The radio of one host: which driver it has, and whose turn it is. Hosts that share an interface share its turns.
 */
export class Radio {
  log: HostLog = () => undefined;
  private settings: WifiSettings = BY_DEFAULT;
  private last: { choice: WifiChoice; owner: RadioOwner | undefined } | undefined;
  private readonly leases = new Set<WifiLease>();
  private readonly known = new Set<RadioOwner>();

  /** @param around where a Supervisor is, for tests */
  constructor(
    private readonly memory: FormerMemory | undefined = undefined,
    private readonly around: () => Surroundings = surroundings,
  ) {}

  use(settings: WifiSettings): void {
    // A deploy says the same once more, perhaps in the middle of a visit.
    if (JSON.stringify(settings) === JSON.stringify(this.settings)) return;
    this.settings = settings;
    this.last = undefined;
  }

  /**
   * What joins the networks here.
   * @throws FlashError `wifi-*` where one was asked for by name and cannot, `cancelled`
   */
  async choice(signal: AbortSignal): Promise<WifiChoice> {
    // While it is held, its network shows nothing about what is free.
    if (this.last?.owner?.holder !== undefined) return this.last.choice;
    const choice = await chooseWifi(this.settings, signal, this.around());
    this.last = { choice, owner: choice.driver === 'manual' ? undefined : this.ownerOf(choice) };
    return choice;
  }

  /** The purpose of its present holder. */
  get holder(): RadioPurpose | undefined {
    return this.last?.owner?.holder;
  }

  /** The name of the home Wi-Fi, where it is known. */
  get homeName(): string | undefined {
    return this.settings.home?.ssid;
  }

  /** The interface that was chosen last; empty where none was. */
  get interfaceName(): string {
    return this.last?.choice.interfaceName ?? '';
  }

  /** Waits for its turn. What it resolves with must be released. @throws FlashError `wifi-*`, `cancelled` */
  async acquire(purpose: RadioPurpose, signal: AbortSignal): Promise<WifiLease> {
    const choice = await this.choice(signal);
    if (choice.driver === 'manual') return this.leaseOf(makeDriver(choice, {}), undefined);
    const owner = this.ownerOf(choice);
    const mustWait = owner.holder !== undefined;
    await owner.acquire(purpose, signal);
    try {
      await orAborted((owner.cleaned ??= this.cleanUp(owner)), signal);
      // Meanwhile it may have become the interface that carries our own connection.
      if (!mustWait || isSame(choice, await chooseWifi(this.settings, signal, this.around()))) {
        return this.leaseOf(owner.driver, owner);
      }
    } catch (error) {
      owner.release();
      throw error;
    }
    owner.release();
    return this.acquire(purpose, signal);
  }

  /** Looks what is in reach, in its turn. @throws FlashError `wifi-*`, `cancelled` */
  async scan(purpose: RadioPurpose, signal: AbortSignal): Promise<readonly AccessPoint[]> {
    const lease = await this.acquire(purpose, signal);
    try {
      return await lease.scan(signal);
    } finally {
      await lease.release();
    }
  }

  /** Looks until the access point is there that is meant; others have their turns in between. */
  async lookFor(
    isMeant: (accessPoint: AccessPoint) => boolean,
    { purpose, signal }: { purpose: RadioPurpose; signal: AbortSignal },
  ): Promise<AccessPoint> {
    for (;;) {
      const found = (await this.scan(purpose, signal)).filter(isMeant).sort((a, b) => b.signal - a.signal)[0];
      if (found) return found;
      await pause(LOOK_PAUSE_MS, signal);
    }
  }

  /**
   * Does `work` in a network and leaves it afterwards, whatever happens. Where a person must join, it waits until that
   * is seen (see `WifiNetwork.peer`). The signal that `work` gets aborts with `wifi-lost` too.
   *
   * @throws FlashError `wifi-*`, `cancelled`, or what `work` throws
   */
  async withNetwork<T>(
    network: WifiNetwork,
    { purpose, signal, limitMs }: WithNetworkOptions,
    work: (joined: JoinedNetwork, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const lease = await this.acquire(purpose, signal);
    const lost = new AbortController();
    const onLost = (error: FlashError): void => lost.abort(error);
    lease.driver.on('lost', onLost);
    try {
      const joined = await lease.driver.join(network, { signal, limitMs });
      return await work(joined, AbortSignal.any([signal, lost.signal]));
    } finally {
      lease.driver.off('lost', onLost);
      await lease.release();
    }
  }

  /** Removes what an earlier process left behind, and logs that. Never throws. */
  async clean(signal: AbortSignal): Promise<void> {
    const choice = await this.choice(signal).catch(() => undefined);
    if (!choice || choice.driver === 'manual') return;
    const owner = this.ownerOf(choice);
    await (owner.cleaned ??= this.cleanUp(owner));
  }

  /** Leaves everything and gives the drivers up. */
  async close(): Promise<void> {
    await Promise.all([...this.leases].map((lease) => lease.release()));
    for (const owner of this.known) {
      owner.users -= 1;
      if (owner.users > 0) continue;
      owner.driver.close();
      for (const [key, one] of owners) if (one === owner) owners.delete(key);
    }
    this.known.clear();
    this.last = undefined;
  }

  private async cleanUp(owner: RadioOwner): Promise<void> {
    try {
      const left = await owner.driver.clean({ signal: new AbortController().signal });
      for (const name of left) this.log('warn', ...lineOfWording('log-wifi-removed', { name }));
    } catch (error) {
      owner.cleaned = undefined;
      this.log('warn', ...lineOfWording('log-wifi-unsearched', { message: (error as Error).message }));
    }
  }

  private ownerOf(choice: WifiChoice): RadioOwner {
    const around = this.around();
    const key = `${choice.driver} ${choice.interfaceName} ${around.supervisorUrl ?? ''}`;
    let owner = owners.get(key);
    if (!owner) {
      owner = new RadioOwner(makeDriver(choice, { home: () => this.settings.home, memory: this.memory, around }));
      owners.set(key, owner);
    }
    if (!this.known.has(owner)) {
      this.known.add(owner);
      owner.users += 1;
    }
    return owner;
  }

  private leaseOf(driver: WifiDriver, owner: RadioOwner | undefined): WifiLease {
    let released: Promise<void> | undefined;
    const release = async (): Promise<void> => {
      await driver.leave({ signal: new AbortController().signal }).catch((error: unknown) => {
        this.log('warn', ...lineOf(error));
      });
      this.leases.delete(lease);
      owner?.release();
    };
    const lease: WifiLease = {
      driver,
      scan: (signal) => driver.scan({ signal }),
      join: (network, signal) => driver.join(network, { signal }),
      release: () => (released ??= release()),
    };
    this.leases.add(lease);
    return lease;
  }
}

function isSame(one: WifiChoice, other: WifiChoice): boolean {
  return one.driver === other.driver && one.interfaceName === other.interfaceName;
}
