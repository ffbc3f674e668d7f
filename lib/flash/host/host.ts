import { EventEmitter } from 'node:events';
import { asFlashError, FlashError } from '../../errors';
import type { HomeChoice, HomeNetwork } from '../../net/home-network';
import type { DeviceConnection } from '../../server/device-connection';
import type { ListenSettings, OpenPorts } from '../../server/device-servers';
import type { DeviceDirectory } from '../devices/device-directory';
import { DeviceKeys } from '../devices/device-keys';
import { Devices } from '../devices/devices';
import { DialledAddress } from './dialled-address';
import { THIS_MACHINE, type HostEnvironment } from './environment';
import { FinalStageLock } from '../job/finalstage-lock';
import { HostIdentity } from './host-identity';
import { lineOfWording, type HostLog } from '../host-log';
import { ImageAuthorizer } from '../images/image-authorizer';
import type { DeviceSurvey } from '../discovery/device-survey';
import { surveyOf } from '../discovery/host-survey';
import { ImageLibrary } from '../../firmware/library/image-library';
import { homeNetworkIn } from './home-memory';
import { joinAllJobs } from '../job/all-jobs';
import type { Job } from '../job/job';
import { JobRegistry } from '../job/job-registry';
import { JobStore } from './job-store';
import { JobSweep } from './job-sweep';
import { formerIn } from '../radio/former-file';
import type { RouteEnvironment, UnlockPorts } from '../routes/route-environment';
import { Radio } from '../radio/radio';
import { WifiSession } from '../radio/wifi-session';
import type { ProbeImages } from '../images/probe-images';
import { FlashQueue } from '../queue/flash-queue';
import { listeningHost } from './listening';
import { NextSteps } from '../next-step/next-steps';
import { joinListener, type HostLabel, type ListeningHost, type SharedListener } from './shared-listener';
import { TaskRuns } from '../run/task-runs';
import type { StageHost } from '../stage/stage-host';
import type { OwnAddress } from '../observation';
import { SerialQueue } from '../../timing/serial-queue';
import type { Waits } from '../stage/waits';
import { EvidenceRecorder } from './evidence-recorder';
import { untilFinalStageIsQuiet, untilNothingIsFetched } from './transfers-end';

export interface HostSettings extends ListenSettings {
  /** The IPv4 that devices dial; empty = found and remembered. */
  readonly address: string;
  /** The first fault in its form: the host does not listen before that is corrected. */
  readonly problem?: FlashError | undefined;
}

interface HostEvents {
  /** It started or stopped listening, or could not. */
  state: [];
  /** Something may have changed that `neededUntil` tells. */
  need: [];
  /** An address of this machine came or went. */
  addresses: [];
}

/**
 * Everything that one host node stands for, free of Node-RED: its servers, its devices, its jobs and their stages.
 * It outlives the config node that made it, so that a redeploy touches no device (docs/dev/design.md#3.7).
 */
export class FlashHost extends EventEmitter<HostEvents> implements StageHost {
  readonly jobs = new JobRegistry(() => this.around.patience);
  readonly devices: Devices;
  readonly runs = new TaskRuns();
  /** Flashes that wait for their turn. */
  readonly queue = new FlashQueue(this.jobs, this.runs);
  /** Images by name and by digest, kept in this package's own folder. */
  readonly library: ImageLibrary;
  /** Joins the networks of devices, where this machine can. */
  readonly radio: Radio;
  /** The network that a flow of one's own has joined. */
  readonly wifiSession: WifiSession;
  /** The steps that a person has started behind a flash. */
  readonly nextSteps = new NextSteps();
  /** Every Sonoff in sight, while there are watchers. */
  readonly survey: DeviceSurvey;
  /** Why it does not listen, where it tried and could not, or listens without effect (`tls-refused`). */
  trouble: FlashError | undefined;
  log: HostLog = () => undefined;

  /** Its name for people, and where they find it. */
  label: () => HostLabel = () => ({ host: '?', tab: '?' });

  private readonly asListening: ListeningHost;
  private readonly home: HomeNetwork;
  private readonly dialled: DialledAddress;
  private readonly leaveHome: () => void;
  private readonly leaveAllJobs: () => void;
  /** Keeps the jobs on disk, where there is a place for them. */
  private readonly memory: JobStore | undefined;
  /** Lines that came before `log` was set. */
  private earlyLines: Parameters<HostLog>[] | undefined = [];
  /** To the log; lines that come before `log` is set are stored until then. */
  readonly writeLine: HostLog = (...line) => (this.earlyLines ? this.earlyLines.push(line) : this.log(...line));
  private readonly keys: DeviceKeys;
  private readonly authorizer: ImageAuthorizer;
  private readonly identity: HostIdentity;
  private listener: SharedListener | undefined;
  private lock: FinalStageLock;
  /** Opening, closing and new settings come one after another, in the order in which they were asked for. */
  private readonly changes = new SerialQueue();
  private readonly closing = new AbortController();
  private readonly sweep: JobSweep;
  private prepared: Promise<unknown> | undefined;

  /**
   * @param folder where the TLS identity, images and jobs are kept; undefined = for this process only
   * @param id of the host's config node: which jobs are its own; undefined = they are not kept
   * @param around the machine that it runs on
   */
  constructor(
    private settings: HostSettings,
    private readonly folder: string | undefined,
    id?: string,
    private readonly around: HostEnvironment = THIS_MACHINE,
  ) {
    super();
    // Every node that uses it listens here.
    this.setMaxListeners(0);
    const warn = warnOf(this);
    // Its own is set later.
    const log: HostLog = (...line) => this.log(...line);
    const isKept = folder !== undefined && id !== undefined;
    this.keys = isKept ? DeviceKeys.at(folder, id, warn) : new DeviceKeys();
    this.devices = new Devices(
      this.keys,
      () => this.jobs.devicesInWork(),
      (peer) => around.isOwnAddress(peer),
      (deviceid) => this.listener?.isAnothers(deviceid, this.asListening) ?? false,
    );
    this.keys.isHeld = (deviceid) => this.devices.get(deviceid) !== undefined;
    this.lock = FinalStageLock.at(settings.finalStagePort);
    this.lock.join(this.jobs);
    this.authorizer = new ImageAuthorizer(this.jobs, this.devices);
    // Before every stage: a stage that is notified of a claim judges it by the evidence.
    const recorder = new EvidenceRecorder(this.jobs, this.devices);
    this.devices.on('refused', (claim) => recorder.claimed(claim));
    const { jobs, devices, authorizer } = this;
    this.asListening = listeningHost({
      jobs,
      devices,
      authorizer,
      recorder,
      isOwnAddress: (peer) => around.isOwnAddress(peer),
      address: () => this.address,
      label: () => this.label(),
      log,
    });
    this.sweep = new JobSweep({ jobs, devices, around, swept: () => this.giveUpUnneeded() });
    this.runs.on('in-job', () => this.sweep.endLeftJobs());
    this.runs.on('left-no-trace', (job) => {
      this.runs.failures.forget(job.id);
      this.jobs.forget(job);
    });
    this.library = ImageLibrary.at(folder);
    this.library.store.onTrouble = warn;
    this.radio = new Radio(formerIn(folder, warn));
    this.radio.log = log;
    this.wifiSession = new WifiSession(this.radio);
    this.survey = surveyOf(this);
    this.leaveAllJobs = joinAllJobs(this.jobs, this.survey.update);
    this.identity = new HostIdentity(folder, log);
    this.home = homeNetworkIn(folder, warn);
    this.dialled = new DialledAddress(() => this.settings.address, this.home);
    this.leaveHome = this.home.join({
      isFlashing: () => this.jobs.all().some((job) => job.isOpen),
      wifiName: () => this.radio.homeName,
      moved: () => this.emit('addresses'),
    });
    const emitNeed = (): boolean => this.emit('need');
    this.jobs.on('changed', (_job, isDurable) => isDurable && emitNeed());
    this.queue.on('changed', (isDurable) => isDurable && emitNeed());
    this.devices.on('gone', emitNeed);
    if (!isKept) return;
    const of = { jobs: this.jobs, runs: this.runs, queue: this.queue };
    this.memory = new JobStore(folder, id, of, this.writeLine, this.waits);
    this.memory.start();
    this.authorizer.whenStored = () => this.whenStored();
  }

  /** Each device with its facts and place, whichever way it was seen. */
  get directory(): DeviceDirectory {
    return this.devices.directory;
  }

  /** How long it and its stages wait. */
  get waits(): Waits {
    return this.around.waits;
  }

  get isListening(): boolean {
    return this.listener?.ports !== undefined;
  }

  /**
   * Until when it must listen, as far as is known now: without end for an open job, one that waits in the queue, be it
   * paused, and a connected device; for a while after a failure that a person may try again.
   */
  neededUntil(): number {
    const { jobs, queue, devices, runs } = this;
    const queued = queue.snapshot();
    const isAtWork = jobs.all().some(({ isOpen }) => isOpen) || queued.waiting + queued.running > 0;
    if (isAtWork || devices.connected().length > 0 || this.isFetching) return Infinity;
    const failedAt = jobs.all().map(({ id, stage }) => (stage === 'failed' && runs.failures.of(id)?.at) || 0);
    return Math.max(0, ...failedAt) + this.waits.retryableMs;
  }

  private get isFetching(): boolean {
    return (this.listener?.transfersHeldBy(this.asListening)?.total ?? 0) > 0;
  }

  /** The ports as they are open, or as they are set where they are not. */
  get ports(): OpenPorts {
    const { httpsPort: https, legacyPort: legacy, httpPort: http } = this.settings;
    return this.listener?.ports ?? { https, legacy, http };
  }

  get finalStagePort(): number {
    return this.settings.finalStagePort;
  }

  /** Shared with all hosts that serve FinalStage at the same port. */
  get finalStageLock(): FinalStageLock {
    return this.lock;
  }

  /** The address it listens on. */
  get bind(): string {
    return this.settings.bind;
  }

  /** Where it stands in for the maker's service that unlocks devices, while it does. */
  get unlockPorts(): UnlockPorts {
    return this.around.unlockPorts;
  }

  /** Where it receives announcements; undefined: on every interface. */
  get discovery(): RouteEnvironment['discovery'] {
    return this.around.discovery;
  }

  /** Images for fetching from oneself. */
  get probes(): ProbeImages {
    return this.authorizer.probes;
  }

  /** The IPv4 that devices dial, where it is known. */
  get address(): string | undefined {
    return this.dialled.current;
  }

  /** Whether a person has set the address. */
  get isAddressSet(): boolean {
    return this.dialled.isSet;
  }

  /** The choice of the home network, and why. */
  get homeChoice(): HomeChoice {
    return this.home.choice;
  }

  /** Whether the address is one that this machine had, if not now, when it was last on its home network. */
  get isAddressRemembered(): boolean {
    return this.dialled.isRemembered;
  }

  /** @throws FlashError `address-invalid` where there is none that a device could dial */
  addressToDial(): string {
    return this.dialled.require();
  }

  /** Prepares the host once, before anything is done with it. */
  prepare(): void {
    this.prepared ??= this.prepareNow();
  }

  /**
   * Starts to listen, unless it does already.
   * @throws FlashError `port-in-use`; the next call tries again. `host-missing` where the host was closed
   */
  open(): Promise<void> {
    return this.changes.run(() => this.openNow());
  }

  /**
   * Ceases to listen and drops every device, except that a FinalStage transfer on the wire ends first. The jobs stay.
   * @param isWanted asked when its turn has come
   */
  stopListening(isWanted: () => boolean = () => true): Promise<void> {
    return this.changes.run(async () => {
      if (isWanted()) await this.stopNow();
    });
  }

  /**
   * Ends the host with all its stages; those that were stored on disk continue when a host of the same id is made.
   * @param options `forget`: nothing of it continues
   */
  async close({ forget = false } = {}): Promise<void> {
    this.closing.abort(new FlashError('host-missing'));
    this.leaveHome();
    this.leaveAllJobs();
    // Stages that the close itself cancels must not be stored as cancelled.
    if (forget) await Promise.all([this.memory?.forget(), this.keys.forget()]);
    else await Promise.all([this.memory?.close(), this.keys.settled(this.waits.settleMs)]);
    this.queue.close();
    this.nextSteps.close();
    await this.survey.close();
    this.runs.cancelAll();
    await this.stopListening();
    this.lock.leave(this.jobs);
    // The stages leave on their own, after what is on the wire; this is for any other user of the radio.
    await this.runs.whenIdle(this.waits.leaveMs);
    await this.wifiSession.leave();
    await this.radio.close();
  }

  /** Takes on new settings; where they need other ports, those in use are given up once nothing is on the wire. */
  apply(settings: HostSettings): Promise<void> {
    return this.changes.run(async () => {
      if (!this.needsReopening(settings)) return;
      const wasListening = this.isListening;
      await untilNothingIsFetched(this.jobs, () => this.isFetching, this.waits, this.closing.signal);
      if (this.closing.signal.aborted) return;
      await this.stopNow();
      this.settings = settings;
      this.lock.leave(this.jobs);
      this.lock = FinalStageLock.at(settings.finalStagePort);
      this.lock.join(this.jobs);
      if (wasListening) await this.openNow();
    });
  }

  /**
   * Listens where FinalStage dials, while a job can reach it.
   * @throws FlashError `port-in-use`
   */
  openFinalStagePort(): Promise<void> {
    return this.changes.run(async () => {
      await this.openNow();
      await this.listener?.openFinalStage();
    });
  }

  /** Makes sure that this Node.js can speak TLS as the devices do; returns `tls-refused` where it cannot. */
  testTls(): Promise<FlashError | undefined> {
    return this.identity.test();
  }

  /** This machine's addresses, as far as they matter for a device at `url`. */
  ownAddresses(url: string): OwnAddress[] {
    return this.around.ownAddresses(url);
  }

  /** The MAC address under which this machine's link reaches an address, where that is known. Never throws. */
  async linkMacOf(address: string): Promise<string | undefined> {
    return await this.around.linkMacOf(address);
  }

  /** Whether the networks of a device at `url` are joined by Wi-Fi. */
  hasWifi(url: string): boolean {
    return this.around.hasWifi(url);
  }

  /** Resolves when the jobs as they are now would outlive the process: for what must not be done to a device twice. */
  async whenStored(): Promise<void> {
    await Promise.all([this.memory?.settled(), this.keys.settled(this.waits.settleMs)]);
  }

  /** Makes a connected device the job's, with the facts that it stated. */
  adoptDevice(job: Job, connection: DeviceConnection): void {
    const { device, peer } = connection;
    if (!device) return;
    this.jobs.identify(job, device.deviceid);
    const { deviceid, model, romVersion } = device;
    const { mac } = this.directory.get(deviceid) ?? {};
    job.evidence.add({ kind: 'ready', peer, via: connection.via });
    job.learn({ model, romVersion, ip: peer, ...(mac === undefined ? {} : { mac }) });
  }

  private needsReopening(settings: HostSettings): boolean {
    const keys = ['bind', 'address', 'httpsPort', 'legacyPort', 'httpPort', 'finalStagePort'] as const;
    return (
      keys.some((key) => settings[key] !== this.settings[key]) ||
      settings.problem?.message !== this.settings.problem?.message
    );
  }

  private async stopNow(): Promise<void> {
    const { listener } = this;
    if (!listener) return this.forgetTrouble();
    await untilFinalStageIsQuiet(this.jobs, listener, this.asListening, this.waits);
    this.devices.leave();
    this.listener = undefined;
    this.sweep.stop();
    await listener.leave(this.asListening);
    this.trouble = undefined;
    this.emit('state');
  }

  /** Why it could not listen does not matter where it need not. */
  private forgetTrouble(): void {
    if (!this.trouble) return;
    this.trouble = undefined;
    this.emit('state');
  }

  private async prepareNow(): Promise<void> {
    for (const line of this.earlyLines ?? []) this.log(...line);
    this.earlyLines = undefined;
    void this.radio.clean(new AbortController().signal);
    await this.home.update();
  }

  private async openNow(): Promise<void> {
    this.closing.signal.throwIfAborted();
    if (this.isListening) return;
    const isFirst = this.prepared === undefined;
    this.prepare();
    await this.prepared;
    if (!isFirst) await this.home.update();
    const before = this.trouble?.message;
    try {
      if (this.settings.problem) throw this.settings.problem;
      const place = { folder: this.folder, identity: await this.identity.load() };
      this.listener = await joinListener(this.asListening, this.settings, place);
      const ports = this.ports;
      this.trouble = await this.testTls();
      if (this.trouble) this.log('warn', this.trouble.message, this.trouble);
      this.sweep.start();
      this.log('info', ...lineOfWording('log-listening', { bind: this.settings.bind, ...ports }));
    } catch (error) {
      this.trouble = asFlashError(error);
      if (this.trouble.message !== before) this.log('warn', this.trouble.message, this.trouble);
      throw this.trouble;
    } finally {
      this.emit('state');
    }
  }

  /** Nothing listens longer than a job needs it. */
  private async giveUpUnneeded(): Promise<void> {
    await this.listener?.closeFinalStageIfUnused();
    this.emit('need');
  }
}

/** For what all hosts of this process share, which outlives each of them: it must keep none, with all of its jobs. */
function warnOf(host: FlashHost): (text: string) => void {
  const self = new WeakRef(host);
  return (text) => self.deref()?.writeLine('warn', text);
}
