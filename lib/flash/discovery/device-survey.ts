import { EventEmitter } from 'node:events';
import { DiyClient } from '../../client/diy/diy-client';
import { SonoffDiscovery, type AnnouncedSonoff, type DiscoveryOptions } from '../../client/diy/discovery';
import { sweep, type SweepOptions, type Swept } from '../../client/diy/sweep';
import { asFlashError, FlashError } from '../../errors';
import type { Network } from '../../net/networks';
import type { AccessPoint } from '../../net/wifi/wifi';
import { kindOf } from '../../protocol/access-points';
import type { DiyInfo } from '../../protocol/diy/reply';
import type { DeviceDirectory, SeenHow } from '../devices/device-directory';
import type { Job } from '../job/job';
import { pause } from '../../timing/pause';
import { Throttle } from '../../timing/throttle';
import { fingerprint, listOf, namedSighting, type ListedSonoff, type Sighting } from './listed-sonoff';
import type { NamedDevice } from './named-devices';

/** A device that is there dials again within two minutes (docs/dev/stock-firmware.md#2.2); a wide margin on top. */
const PRESENT_MS = 10 * 60_000;
/** For one answer of a device at home. */
export const ANSWER_MS = 5000;
/** These sightings are only as old as they are: nothing tells when their device goes. */
const PASSING: readonly SeenHow[] = ['dispatch', 'session', 'access-point', 'answer'];

/** What answers DIY commands at an address, as its announcement would say. */
const IN_DIY_MODE = { type: 'diy_plug' };

/** Where a survey learns of devices. */
export interface SurveySources {
  readonly directory: DeviceDirectory;
  /** The ids of devices with a session. */
  readonly connected: () => readonly string[];
  /** The newest job of a device, whichever host flashes it. */
  readonly latestJob: (deviceid: string) => Job | undefined;
  /** Looks at the access points in sight; undefined where this machine cannot. @throws FlashError `wifi-*`, `cancelled` */
  readonly scan: (signal: AbortSignal) => Promise<readonly AccessPoint[] | undefined>;
  /** Of this machine at home. @throws FlashError `address-invalid` */
  readonly network: () => Network;
  readonly discovery?: DiscoveryOptions | undefined;
  /** Of a sweep; another than 8081 only for tests. */
  readonly port?: number | undefined;
  /** How long a former watcher is remembered. */
  readonly handOverMs: number;
  readonly now?: () => number;
}

export interface LookOptions {
  readonly signal: AbortSignal;
  /** Asks every address of the home network as well: to others there it looks like the port scan that it is. */
  readonly sweep?: boolean;
}

export type SurveyEvent = 'appeared' | 'changed' | 'gone';

export interface SurveyChange {
  readonly event: SurveyEvent;
  /** As it is now; of one that is gone, as it was. */
  readonly device: ListedSonoff;
}

export type SurveyListener = (changes: readonly SurveyChange[]) => void;

interface Announced {
  readonly sonoff: AnnouncedSonoff;
  readonly at: number;
  /** Its answer when it was asked; undefined before, and where it takes no commands. */
  readonly info: DiyInfo | undefined;
}

/**
 * Every Sonoff that this host sees or that a message names, while there are watchers: by what it announces, by what
 * it dials, by its own access point, by an answer to a sweep.
 */
export class DeviceSurvey extends EventEmitter<{ changed: [] }> {
  private discovery: SonoffDiscovery | undefined;
  private readonly watchers = new Set<SurveyListener>();
  /** Those that have gone but may come back. */
  private readonly lingering = new Map<string, NodeJS.Timeout>();
  private readonly announced = new Map<string, Announced>();
  private inSight = new Map<string, number>();
  private answers = new Map<string, Swept & { readonly at: number }>();
  private named: readonly NamedDevice[] = [];
  private shown: readonly ListedSonoff[] = [];
  private troubles = new Map<string, string>();
  private ending = new AbortController();
  private expiry: NodeJS.Timeout | undefined;
  private readonly throttle = new Throttle(() => this.refresh());
  private readonly now: () => number;

  constructor(private readonly sources: SurveySources) {
    super();
    this.setMaxListeners(0);
    this.now = sources.now ?? Date.now;
  }

  /** Whether there are watchers. */
  get isWatching(): boolean {
    return this.watchers.size + this.lingering.size > 0;
  }

  /** In the order of their ids. Empty without a watcher. */
  get list(): readonly ListedSonoff[] {
    return this.shown;
  }

  /**
   * Starts to report each device as it comes, changes and goes; those that are there already as if they came now.
   * A watcher that returns within moments, as a node does in a redeploy, gets only the changes.
   *
   * @param who identifies a watcher that returns
   * @returns ends that; with `true` for good: this watcher will not come back
   */
  watch(who: string, listener: SurveyListener): (isForGood?: boolean) => void {
    const isBack = this.lingering.has(who);
    this.endLinger(who);
    this.watchers.add(listener);
    if (!this.discovery) this.start();
    else if (!isBack && this.shown.length > 0) listener(this.shown.map((device) => ({ event: 'appeared', device })));
    return (isForGood = false) => {
      if (!this.watchers.delete(listener)) return;
      const end = (): void => {
        this.endLinger(who);
        if (!this.isWatching) void this.stop();
      };
      if (isForGood) end();
      else this.lingering.set(who, setTimeout(end, this.sources.handOverMs).unref());
    };
  }

  /** The devices that another program knows, in place of those named before. */
  name(devices: readonly NamedDevice[]): void {
    this.named = devices;
    this.throttle.call();
  }

  /** Something of a job or a session may have changed. */
  readonly update = (): void => {
    if (this.isWatching) this.throttle.call();
  };

  /**
   * Looks afresh: asks what is announced, looks at the access points in sight, and sweeps where it is asked to.
   *
   * @returns the list, and why something could not be looked at
   * @throws FlashError `cancelled`
   */
  async look(options: LookOptions): Promise<{ list: readonly ListedSonoff[]; troubles: readonly FlashError[] }> {
    const { signal } = options;
    const unwatch = this.watch('a look', () => undefined);
    try {
      const looks = [
        this.lookAtAnnouncements(signal),
        this.lookAtAccessPoints(signal),
        ...(options.sweep ? [this.sweepNetwork(signal)] : []),
      ];
      const outcomes = await Promise.allSettled(looks);
      const troubles = outcomes.flatMap((one) => (one.status === 'rejected' ? [asFlashError(one.reason)] : []));
      const cancelled = signal.aborted
        ? new FlashError('cancelled')
        : troubles.find(({ code }) => code === 'cancelled');
      if (cancelled) throw cancelled;
      this.refresh();
      return { list: this.shown, troubles };
    } finally {
      unwatch(true);
    }
  }

  /** Interfaces on which no announcement can be received, by their addresses, and why. */
  get deaf(): ReadonlyMap<string, string> {
    return this.troubles;
  }

  /** Ends it for all watchers. */
  async close(): Promise<void> {
    this.watchers.clear();
    for (const who of [...this.lingering.keys()]) this.endLinger(who);
    await this.stop();
  }

  private endLinger(who: string): void {
    clearTimeout(this.lingering.get(who));
    this.lingering.delete(who);
  }

  private start(): void {
    const { directory, discovery: options } = this.sources;
    this.ending = new AbortController();
    directory.on('seen', this.update);
    const discovery = new SonoffDiscovery(options);
    this.discovery = discovery;
    discovery.on('found', (sonoff) => this.found(sonoff));
    discovery.on('gone', (deviceid) => {
      this.announced.delete(deviceid.toLowerCase());
      this.update();
    });
    discovery.on('trouble', (reason, address) => this.troubles.set(address, reason));
    discovery.start();
    this.emit('changed');
    this.throttle.call();
  }

  private async stop(): Promise<void> {
    const { discovery } = this;
    this.ending.abort();
    this.throttle.stop();
    clearTimeout(this.expiry);
    this.sources.directory.off('seen', this.update);
    this.discovery = undefined;
    for (const gone of [this.announced, this.inSight, this.answers, this.troubles]) gone.clear();
    this.shown = [];
    this.emit('changed');
    await discovery?.close();
  }

  private found(sonoff: AnnouncedSonoff): void {
    const { deviceid, address, port } = sonoff;
    const key = deviceid.toLowerCase();
    const known = this.announced.get(key);
    const isSameDevice = known?.sonoff.address === address && known.sonoff.port === port;
    this.announced.set(key, { sonoff, at: this.now(), info: isSameDevice ? known.info : undefined });
    const { info } = this.announced.get(key) as Announced;
    const version = info?.fwVersion;
    this.sources.directory.saw({
      deviceid,
      how: 'announcement',
      address,
      ...(version === undefined ? {} : { version }),
    });
    if (!info) void this.ask(sonoff);
    this.update();
  }

  /** A device in DIY mode tells its version when it is asked, and one that is being flashed is left alone. */
  private async ask(sonoff: AnnouncedSonoff): Promise<void> {
    const { deviceid, address, port, record } = sonoff;
    if (record.encrypt || this.sources.latestJob(deviceid)?.running) return;
    const client = new DiyClient(address, { port, deviceid });
    const info = await client.identify({ signal: this.ending.signal, limitMs: ANSWER_MS }).catch(() => undefined);
    const known = this.announced.get(deviceid.toLowerCase());
    if (!info || known?.sonoff.address !== address || known.sonoff.port !== port) return;
    this.announced.set(deviceid.toLowerCase(), { ...known, info });
    this.sources.directory.saw({ deviceid, how: 'announcement', address, version: info.fwVersion });
  }

  private async lookAtAnnouncements(signal: AbortSignal): Promise<void> {
    const { discovery } = this;
    if (!discovery) return;
    const over = pause(discovery.lookAgain(), signal);
    for (const { sonoff, info } of this.announced.values()) if (!info) void this.ask(sonoff);
    await over;
  }

  private async lookAtAccessPoints(signal: AbortSignal): Promise<void> {
    const seen = await this.sources.scan(signal);
    if (!seen) return;
    const ids = seen.flatMap(({ ssid }) => kindOf(ssid).deviceid ?? []);
    this.inSight = new Map(ids.map((deviceid) => [deviceid, this.now()]));
  }

  private async sweepNetwork(signal: AbortSignal): Promise<void> {
    const { port } = this.sources;
    const options: SweepOptions = { signal, limitMs: ANSWER_MS, ...(port === undefined ? {} : { port }) };
    const found = new Map<string, Swept & { readonly at: number }>();
    for await (const one of sweep(this.sources.network(), options)) {
      found.set(one.address, { ...one, at: this.now() });
    }
    this.answers = found;
  }

  private refresh(): void {
    if (!this.isWatching) return;
    const before = new Map(this.shown.map((device) => [device.key, device]));
    this.shown = listOf(this.sightings()).sort((one, other) => (one.key < other.key ? -1 : 1));
    const changes = [...this.newsIn(before), ...this.goneFrom(before)];
    if (changes.length === 0) return;
    for (const listener of this.watchers) listener(changes);
    this.emit('changed');
  }

  private newsIn(before: ReadonlyMap<string, ListedSonoff>): SurveyChange[] {
    return this.shown.flatMap((device): SurveyChange[] => {
      const known = before.get(device.key);
      if (!known) return [{ event: 'appeared', device }];
      return fingerprint(known) === fingerprint(device) ? [] : [{ event: 'changed', device }];
    });
  }

  private goneFrom(before: ReadonlyMap<string, ListedSonoff>): SurveyChange[] {
    return [...before.values()]
      .filter(({ key }) => !this.shown.some((device) => device.key === key))
      .map((device) => ({ event: 'gone', device }));
  }

  private sightings(): Sighting[] {
    const seen = [
      ...[...this.announced.values()].map(announcedSighting),
      ...this.dialled(),
      ...[...this.inSight].map(([deviceid, at]): Sighting => ({
        how: 'access-point',
        deviceid,
        isAccessPoint: true,
        at,
      })),
      ...[...this.answers.values()].map(sweptSighting),
    ];
    // A device that runs new firmware by now was a stock device when it was seen.
    const stock = seen.filter(({ deviceid, at }) => deviceid === undefined || !(this.flashedAt(deviceid) > (at ?? 0)));
    return [...stock, ...this.named.map(namedSighting)];
  }

  /** The directory's sightings, for as long as the device may still be there. */
  private dialled(): Sighting[] {
    const connected = this.sources.connected();
    const now = this.now();
    clearTimeout(this.expiry);
    const present = this.sources.directory.all().flatMap((one): Sighting[] => {
      const { deviceid, how, model, version, address, mac, seenAt } = one;
      const isConnected = connected.includes(deviceid);
      if (!isConnected && !(PASSING.includes(how) && seenAt > now - PRESENT_MS)) return [];
      const isAccessPoint = how === 'access-point';
      return [
        {
          how: isConnected ? 'session' : how,
          deviceid,
          model,
          version,
          address,
          mac: mac?.toLowerCase(),
          isAccessPoint,
          at: isConnected ? now : seenAt,
        },
      ];
    });
    const next = Math.min(...present.map(({ at = now }) => at + PRESENT_MS));
    if (next !== Infinity) this.expiry = setTimeout(this.update, next - now + 1).unref();
    return present;
  }

  /** When the newest flash of a device ended well; 0 where none did. */
  private flashedAt(deviceid: string): number {
    const job = this.sources.latestJob(deviceid);
    return job?.stage === 'done' ? (job.leftAt(job.lastStage)?.getTime() ?? 0) : 0;
  }
}

function announcedSighting({ sonoff, info, at }: Announced): Sighting {
  const { deviceid, address, record } = sonoff;
  return {
    how: 'announcement',
    deviceid,
    address,
    at,
    version: info?.fwVersion,
    announcement: { type: record.type, encrypt: record.encrypt },
    hasChannels: record.state?.hasChannels || info?.hasChannels,
    rssi: record.state?.rssi ?? info?.rssi,
  };
}

function sweptSighting({ address, info, at }: Swept & { readonly at: number }): Sighting {
  const known = { how: 'answer', address, at } as const;
  if (!info) return { ...known, isLocked: true };
  const { deviceid, fwVersion: version, rssi, hasChannels } = info;
  return { ...known, deviceid, version, rssi, hasChannels, announcement: IN_DIY_MODE };
}
