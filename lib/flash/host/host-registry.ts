import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import { FlashHost, type HostSettings } from './host';
import { THIS_MACHINE } from './environment';
import { lineOf } from '../host-log';
import { HostUsers } from './host-users';
import type { TaskRuns } from '../run/task-runs';
import { WAITS, type Waits } from '../stage/waits';

interface Entry {
  readonly host: FlashHost;
  /** The config node that is deployed now; undefined between two of them. */
  owner: object | undefined;
  readonly users: HostUsers;
  timer: NodeJS.Timeout | undefined;
}

/**
 * The hosts of this process by their config node's id. Config nodes come and go with each deploy; a host is handed
 * from one to the next, and closed when no next one takes it on.
 */
export class HostRegistry extends EventEmitter<{ added: [host: FlashHost]; closed: [] }> {
  private readonly entries = new Map<string, Entry>();
  /** What nodes left at hosts that were removed in this deploy. */
  private readonly removed = new Set<TaskRuns>();

  constructor(private readonly waits: Waits = WAITS) {
    super();
  }

  /** Every host that there is, by its id. */
  all(): [id: string, host: FlashHost][] {
    return [...this.entries].map(([id, { host }]) => [id, host]);
  }

  /** A config node comes: it takes on the host of that id, or gets a new one. */
  attach(id: string, owner: object, settings: HostSettings, identityFolder: string | undefined): FlashHost {
    const entry = this.entries.get(id) ?? this.add(id, settings, identityFolder);
    clearTimeout(entry.timer);
    entry.owner = owner;
    entry.host.apply(settings).catch((error: unknown) => entry.host.log('warn', ...lineOf(error)));
    return entry.host;
  }

  /** A config node goes; with `removed` for good, and the host with it. */
  async detach(id: string, owner: object, removed: boolean): Promise<void> {
    const entry = this.entries.get(id);
    // The next config node may have attached before this one's close was called.
    if (!entry || entry.owner !== owner) return;
    entry.owner = undefined;
    if (removed) await this.close(id, entry, true);
    else this.settleLater(entry);
  }

  /**
   * A node starts to use the host.
   * @param awaitsDevices whether it waits for devices that dial in unasked: then the host listens for as long
   */
  addUser(id: string, userId: string, { awaitsDevices = false } = {}): void {
    this.entries.get(id)?.users.add(userId, awaitsDevices);
  }

  /** A node ceases to use the host; without `removed` it may be back in this deploy. */
  async removeUser(id: string, userId: string, removed: boolean): Promise<void> {
    const entry = this.entries.get(id);
    if (!entry?.users.has(userId)) return;
    if (!removed) this.settleLater(entry);
    await entry.users.leave(userId, removed);
  }

  /** Lets the host listen until a task of a moment is over. */
  async whileListening<T>(id: string, task: () => Promise<T>): Promise<T> {
    const userId = `for a moment ${randomUUID()}`;
    this.addUser(id, userId, { awaitsDevices: true });
    try {
      return await task();
    } finally {
      await this.removeUser(id, userId, true);
    }
  }

  /** A node without a host takes what it left at one that was removed: to say that it cannot go on. */
  takeOfRemoved(userId: string, runs: TaskRuns): void {
    for (const removed of this.removed) removed.moveTo(runs, userId, new FlashError('host-missing'));
  }

  /**
   * A deploy is over, or Node-RED stops: whatever was not taken on again is closed now.
   * @param isInFlows whether there is a node of this id, be it disabled; undefined where a deploy takes long: its nodes
   *   are still to come
   */
  async settle(isInFlows?: (userId: string) => boolean): Promise<void> {
    if (isInFlows) this.settleRemoved();
    await Promise.all(
      [...this.entries].map(async ([id, entry]) => {
        clearTimeout(entry.timer);
        // Node-RED stops, perhaps to start again: what the nodes wait for is not ended by that.
        if (!entry.owner) return await this.close(id, entry);
        // Gone, though nothing said so: disabled, moved to another host, or removed while we did not run.
        // Before the ports are seen to, which takes its time: in the next deploy every node is away for a moment.
        for (const userId of [...entry.users.takeLeavers(), ...entry.host.runs.pending.nodes()]) {
          if (entry.users.has(userId) || this.moveAway(entry.host.runs, userId)) continue;
          if (isInFlows?.(userId) ?? true) entry.host.runs.endStages(userId);
          else entry.host.runs.detach(userId, true);
        }
        await entry.users.update();
      }),
    );
  }

  private settleRemoved(): void {
    for (const runs of this.removed) for (const userId of runs.pending.nodes()) this.moveAway(runs, userId);
    this.removed.clear();
  }

  /** @returns whether the node uses another host now */
  private moveAway(runs: TaskRuns, userId: string): boolean {
    const next = [...this.entries.values()].find(({ host, users }) => host.runs !== runs && users.has(userId));
    if (next) runs.moveTo(next.host.runs, userId, new FlashError('cancelled'));
    return next !== undefined;
  }

  private add(id: string, settings: HostSettings, identityFolder: string | undefined): Entry {
    const host = new FlashHost(settings, identityFolder, id, { ...THIS_MACHINE, waits: this.waits });
    const entry: Entry = { host, owner: undefined, users: new HostUsers(host), timer: undefined };
    this.entries.set(id, entry);
    this.emit('added', host);
    return entry;
  }

  private settleLater(entry: Entry): void {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => void this.settle(), this.waits.handOverMs);
  }

  private async close(id: string, entry: Entry, forget = false): Promise<void> {
    clearTimeout(entry.timer);
    this.entries.delete(id);
    entry.users.close();
    if (forget) this.removed.add(entry.host.runs);
    await entry.host.close({ forget });
    this.emit('closed');
  }
}
