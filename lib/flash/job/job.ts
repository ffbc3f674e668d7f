import { randomUUID } from 'node:crypto';
import type { ErrorCode } from '../../errors';
import { JobEvidence } from './evidence';
import type { Firmware } from '../../firmware/firmware';
import { type FinalStageSession } from './finalstage-session';
import type { UpgradeDownload } from './upgrade-download';
import { percentIn, routeNamed, routeThrough, stageOf, type Route, type RouteName, type StageName } from '../routes';
import type { ProgressTextName, ProgressValues } from '../../progress-texts';
import type { DeviceFacts } from '../observation';
import type { Verdict } from '../verdict/verdict';
import { Throttle } from '../../timing/throttle';

/** The record of one stage: when, how far (its own 0-100), and its findings. Times in ISO 8601. */
export interface StageRecord {
  startedAt: string;
  endedAt: string | null;
  percent: number;
  [found: string]: unknown;
}

/** A job as messages carry it in `msg.sonota`: plain data, no secrets. */
export interface JobSnapshot {
  deviceid: string | null;
  model: string | null;
  romVersion: string | null;
  ip: string | null;
  mac: string | null;
  stage: StageName | 'done' | 'failed';
  percent: number;
  startedAt: string;
  stages: Partial<Record<StageName, StageRecord>>;
  /** The name of its route, once that is known; kept and reported under this name since before there were others. */
  intermediate?: RouteName;
  /** Of its station, as the home network shows it: a repeater's, where one stands between. */
  linkMac?: string;
  /** The address of its access point, if this machine has joined it automatically. */
  bssid?: string;
  error?: ErrorCode;
  /** Its state, judged from what was seen of it. */
  verdict?: Pick<Verdict, 'code' | 'confidence' | 'text'> & Partial<Pick<Verdict, 'values'>>;
}

/** A job as it was stored on disk. */
export interface StoredJob {
  readonly id: string;
  readonly lastStage: StageName;
  readonly snapshot: JobSnapshot;
}

/** One flash of one device, from its first stage to its end. Its percent never falls. */
export class Job {
  readonly id: string = randomUUID();
  readonly startedAt: Date;
  deviceid: string | undefined;
  /** The evidence of the job. */
  readonly evidence = new JobEvidence();
  error: ErrorCode | undefined;
  /**
   * Called at every change that a restart must know of (`isDurable`), and at most four times a second where bytes merely
   * flow.
   */
  onChange: (isDurable: boolean) => void = () => undefined;
  /** Ends the stage that is running now, if one is. */
  running: AbortController | undefined;
  /** The last report of its stage, while it runs. */
  lastReport: { readonly name: ProgressTextName; readonly values: ProgressValues } | undefined;

  private device: DeviceFacts = {};
  private readonly records: Partial<Record<StageName, StageRecord>> = {};
  private current: StageName;
  private ended: 'done' | 'failed' | undefined;
  private reached = 0;
  private images: Firmware = {};
  private routeNow: Route | undefined;
  private finalStageNow: FinalStageSession | undefined;
  private downloadNow: UpgradeDownload | undefined;
  private readonly flow = new Throttle(() => this.onChange(false));
  /** The stage that a restart of the process broke into. */
  private interrupted: StageName | undefined;

  constructor(firstStage: StageName, deviceid?: string, now = new Date()) {
    this.current = firstStage;
    this.deviceid = deviceid;
    this.startedAt = now;
    this.evidence.on('changed', (isDurable) => (isDurable ? this.checkpoint() : this.flow.call()));
  }

  get firmware(): Firmware {
    return this.images;
  }

  set firmware(images: Firmware) {
    this.images = images;
    this.checkpoint();
  }

  /** How its device gets the new firmware; undefined until the device has shown what it takes. */
  get route(): Route | undefined {
    return this.routeNow;
  }

  set route(route: Route | undefined) {
    this.routeNow = route;
    this.checkpoint();
  }

  /** Whether its device has fetched all that it needs: what is left is to start the new firmware. */
  get hasFetchedAll(): boolean {
    return this.routeNow !== undefined && this.hasLeft(this.routeNow.servesUntil);
  }

  /** The stage that it is in, where a flash that failed there is resumed there. */
  get resumableStage(): StageName | undefined {
    // A stage may fail before its device has shown itself.
    const route = this.routeNow ?? routeThrough(this.current);
    return this.current === route?.resumesAt ? this.current : undefined;
  }

  /** Whether its device is on its way to FinalStage or may be in it: it holds the one place that there is for that. */
  get holdsFinalStage(): boolean {
    return this.isOpen && (this.mayBeInFinalStage || (this.download !== undefined && this.needsFinalStage));
  }

  get needsFinalStage(): boolean {
    return this.routeNow?.lock === 'finalstage';
  }

  /** Set while the device may be in FinalStage: from acknowledgement 0 (or a resume there) to the job's end. */
  get finalStage(): FinalStageSession | undefined {
    return this.finalStageNow;
  }

  set finalStage(session: FinalStageSession | undefined) {
    this.finalStageNow = session;
    this.listenTo(session);
  }

  /** Set while the upgrade runs: only then, and only to this job's device, its pair is served. */
  get download(): UpgradeDownload | undefined {
    return this.downloadNow;
  }

  set download(download: UpgradeDownload | undefined) {
    this.downloadNow = download;
    this.listenTo(download);
  }

  get stage(): StageName | 'done' | 'failed' {
    return this.ended ?? this.current;
  }

  /** The last stage entered, whether or not the job has ended there. */
  get lastStage(): StageName {
    return this.current;
  }

  get isOpen(): boolean {
    return this.ended === undefined;
  }

  /** Whether nothing depends on it any more: no stage runs, and no device may still be served. */
  get isForgettable(): boolean {
    return !this.running && !this.mayBeInFinalStage;
  }

  /** Whether its device may be in FinalStage: what asks there is served, whether or not a stage watches. */
  get mayBeInFinalStage(): boolean {
    return this.finalStage !== undefined;
  }

  /** Whether its device continues without a node: such a job is neither cancelled nor started again for want of one. */
  get continuesUnattended(): boolean {
    return this.isOpen && this.mayBeInFinalStage;
  }

  /** 0-100, never falling. */
  get percent(): number {
    return this.reached;
  }

  /**
   * Starts a stage; a failed job that is resumed is open again. One that is done stays done: what follows is a look at
   * how it turned out.
   */
  enter(stage: StageName, now = new Date()): void {
    if (stage !== this.interrupted) this.interrupted = undefined;
    this.current = stage;
    if (this.ended === 'failed') this.ended = undefined;
    this.error = undefined;
    this.records[stage] = { ...this.records[stage], startedAt: now.toISOString(), endedAt: null, percent: 0 };
    this.advance(stage, 0);
    this.checkpoint();
  }

  /** Whether a stage continues that a restart interrupted: what was done to the device then stays done. */
  isResuming(stage: StageName): boolean {
    return this.interrupted === stage;
  }

  /** Moves a stage on to `fraction` (0 to 1); going back is ignored. */
  advance(stage: StageName, fraction: number): void {
    const record = this.records[stage];
    if (record) record.percent = Math.max(record.percent, Math.floor(Math.min(1, fraction) * 100));
    const onRoute = stageOf(this.routeNow, stage);
    if (onRoute) this.reached = Math.max(this.reached, percentIn(onRoute, fraction));
  }

  /** Adds what a stage found to its record. */
  found(stage: StageName, facts: Record<string, unknown>): void {
    Object.assign(this.records[stage] ?? {}, facts);
  }

  /** When a stage ended, if it has. */
  leftAt(stage: StageName): Date | undefined {
    const endedAt = this.records[stage]?.endedAt;
    return endedAt == null ? undefined : new Date(endedAt);
  }

  /**
   * Whether a stage has ended, at or after `since` where that is given. The stage in which a job has failed is not behind
   * it: its device may be there still.
   */
  hasLeft(stage: StageName, since?: Date): boolean {
    if (this.ended === 'failed' && stage === this.current) return false;
    const leftAt = this.leftAt(stage);
    return leftAt !== undefined && (since === undefined || leftAt >= since);
  }

  /** Ends a stage well; the last one ends the job. */
  leave(stage: StageName, now = new Date()): void {
    this.advance(stage, 1);
    const record = this.records[stage];
    if (record) record.endedAt = now.toISOString();
    this.interrupted = undefined;
    this.lastReport = undefined;
    if (stageOf(this.routeNow, stage)?.isLast) this.end('done');
    this.checkpoint();
  }

  /** Ends the stage with an error, and the job with it, unless that is done already. */
  fail(code: ErrorCode, now = new Date()): void {
    const record = this.records[this.current];
    if (record)
      Object.assign(record, { endedAt: now.toISOString(), ...(this.ended === 'done' ? { error: code } : {}) });
    this.interrupted = undefined;
    this.lastReport = undefined;
    if (this.ended === 'done') return this.checkpoint();
    this.error = code;
    this.end('failed');
    this.checkpoint();
  }

  /** Adds what any source states of the device itself. */
  learn(facts: DeviceFacts): void {
    const news = Object.entries(facts).filter(([name, fact]) => this.device[name as keyof DeviceFacts] !== fact);
    this.device = { ...this.device, ...facts };
    if (news.length > 0) this.evidence.add({ kind: 'device-facts', ...(Object.fromEntries(news) as DeviceFacts) });
  }

  get facts(): Readonly<DeviceFacts> {
    return this.device;
  }

  snapshot(): JobSnapshot {
    const { code, confidence, text, values } = this.evidence.verdict();
    return {
      deviceid: this.deviceid ?? null,
      model: this.device.model ?? null,
      romVersion: this.device.romVersion ?? null,
      ip: this.device.ip ?? null,
      mac: this.device.mac ?? null,
      stage: this.stage,
      percent: this.reached,
      startedAt: this.startedAt.toISOString(),
      stages: structuredClone(this.records),
      ...(this.routeNow ? { intermediate: this.routeNow.name } : {}),
      ...(this.device.linkMac === undefined ? {} : { linkMac: this.device.linkMac }),
      ...(this.device.bssid === undefined ? {} : { bssid: this.device.bssid }),
      ...(this.error ? { error: this.error } : {}),
      ...(this.evidence.all.length > 0 ? { verdict: { code, confidence, text, values } } : {}),
    };
  }

  /** A job as it was stored; if it was open, the stage that it was in continues. */
  static restore({ id, lastStage, snapshot }: StoredJob): Job {
    const job = new Job(lastStage, snapshot.deviceid ?? undefined, new Date(snapshot.startedAt));
    const { model, romVersion, ip, mac, linkMac, bssid, stage } = snapshot;
    const known = Object.entries({ model, romVersion, ip, mac, linkMac, bssid }).filter(([, fact]) => fact != null);
    job.device = Object.fromEntries(known);
    Object.assign(job.records, structuredClone(snapshot.stages));
    job.reached = snapshot.percent;
    job.routeNow = routeNamed(snapshot.intermediate);
    job.error = snapshot.error;
    if (stage === 'done' || stage === 'failed') job.ended = stage;
    else if (!job.hasLeft(lastStage)) job.interrupted = lastStage;
    return Object.assign(job, { id });
  }

  private listenTo(news: FinalStageSession | UpgradeDownload | undefined): void {
    news?.on('checkpoint', () => this.checkpoint());
    news?.on('changed', this.flow.call);
    this.checkpoint();
  }

  /** Drops a pending report of flowing bytes as well: a listener looks at everything new. */
  private checkpoint(): void {
    this.flow.skip();
    this.onChange(true);
  }

  private end(how: 'done' | 'failed'): void {
    this.ended = how;
    this.finalStageNow = undefined;
  }
}
