import { EventEmitter, once } from 'node:events';
import type { ErrorCode, FlashError } from '../../lib/errors';
import type { FirmwareSources } from '../../lib/firmware/firmware';
import { FlashHost, type HostSettings } from '../../lib/flash/host/host';
import { THIS_MACHINE, type HostEnvironment } from '../../lib/flash/host/environment';
import type { Job, JobSnapshot } from '../../lib/flash/job/job';
import type { ProgressTextName, ProgressValues } from '../../lib/progress-texts';
import type { Report } from '../../lib/flash/run/report';
import type { DiscoveryOptions } from '../../lib/client/diy/discovery';
import { cloud } from '../../lib/flash/stage/cloud';
import { diyFlash } from '../../lib/flash/stage/diy/diy-flash';
import { finalStage } from '../../lib/flash/stage/finalstage';
import { newFirmware } from '../../lib/flash/stage/new-firmware';
import { provision } from '../../lib/flash/stage/provision/provision';
import type { ProvisionMethod } from '../../lib/flash/stage/provision-method';
import { upgrade } from '../../lib/flash/stage/upgrade';
import type { StageOutcome, PendingMessage } from '../../lib/flash/job/pending-message';
import type { Outlet } from '../../lib/flash/run/outlets';
import type { StageRequest } from '../../lib/flash/run/task';
import type { StageName } from '../../lib/flash/stages';
import { judge } from '../../lib/flash/verdict/rules/judge';
import { isFailure, type Verdict } from '../../lib/flash/verdict/verdict';
import { TimeIsOver } from '../../lib/timing/time-limit';
import { waitFor } from '../../lib/timing/wait';
import { WAITS, type Waits } from '../../lib/flash/stage/waits';
import { makeFinalImage, makeUserImage } from '../../lib/image';
import { VirtualSonoff, type VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { ownMdnsPort } from '../shared/own-mdns';
import { freePort } from '../shared/ports';
import { processFolder } from '../shared/process-folder';
import { storeTestIdentity } from '../shared/test-identity';

/** Holds the TLS identity of all tests. */
const identityFolder = processFolder('flash');
let identity: Promise<void> | undefined;

/** Small images, so that the proven pace of no-Range firmware takes three seconds and not a minute. */
export const FIRMWARE = {
  user1: makeUserImage({ slot: 1, size: 8192 }),
  user2: makeUserImage({ slot: 2, size: 8192 }),
  final: makeFinalImage({ size: 24_576 }),
};

/** A host on this machine alone, on whatever ports are free; without a plain port. */
export const ON_LOOPBACK: HostSettings = {
  bind: '127.0.0.1',
  address: '127.0.0.1',
  httpsPort: 0,
  legacyPort: 0,
  httpPort: 0,
  finalStagePort: 0,
};

/** A time limit that no test comes to, however busy its machine is. */
const LONG_SECONDS = 600;
const NEVER = new AbortController().signal;

export const HOME = { ssid: 'home', password: 'top secret' };

/** A node's instance as the stages see it: records all calls. */
export class Recorder extends EventEmitter implements Outlet {
  readonly reports: { report: Report; job: JobSnapshot; pending: PendingMessage }[] = [];
  readonly outcomes = new Map<string, StageOutcome | FlashError>();
  readonly queue: number[] = [];

  progress(report: Report, snapshot: () => JobSnapshot, pending: PendingMessage): void {
    this.reports.push({ report, job: snapshot(), pending });
    this.emit('news');
  }
  result(outcome: StageOutcome, pending: PendingMessage): void {
    this.end(pending, outcome);
  }
  failure(error: FlashError, pending: PendingMessage): void {
    this.end(pending, error);
  }
  left(): void {
    // No test of stages moves a node.
  }

  queued(count: number): void {
    this.queue.push(count);
    this.emit('news');
  }

  /** The outcome of a pending, once it has come. */
  async outcome(pending: PendingMessage): Promise<StageOutcome | FlashError> {
    for (;;) {
      const outcome = this.outcomes.get(pending.id);
      if (outcome) return outcome;
      await once(this, 'news');
    }
  }

  /** The first report, past ones included, that the predicate likes. */
  async reported(wanted: (report: Report) => boolean): Promise<Report> {
    for (;;) {
      const found = this.reports.find(({ report }) => wanted(report));
      if (found) return found.report;
      await once(this, 'news');
    }
  }

  forget(): void {
    this.reports.length = 0;
    this.queue.length = 0;
    this.outcomes.clear();
  }

  private end(pending: PendingMessage, outcome: StageOutcome | FlashError): void {
    if (this.outcomes.has(pending.id)) throw new Error('a pending ended twice');
    this.outcomes.set(pending.id, outcome);
    this.emit('news');
  }
}

export interface StageOptions {
  deviceid?: string;
  timeoutSeconds?: number;
  url?: string;
  sources?: FirmwareSources;
  ssid?: string;
  password?: string;
  method?: ProvisionMethod;
  force?: boolean;
  /** Whether a device without a method goes to the emulated cloud. */
  forcesCloud?: boolean;
  newFirmwareUrl?: string;
  takesAnyInDiyMode?: boolean;
  /** Whether a person wants to be coached to rescue it. */
  rescue?: boolean;
  /** Whether its relay clicks before it is flashed. */
  clicks?: boolean;
  /** Whether this machine may unlock a device in DIY mode. */
  unlock?: 'local';
  /** Where a device in DIY mode is looked for. */
  discovery?: DiscoveryOptions;
  /** Under which node's name it runs; default the stage's own. */
  nodeId?: string;
}

/** An announcement of a stage. */
export interface Said {
  readonly name: ProgressTextName;
  readonly values: ProgressValues;
  /** How much of the stage was behind it. */
  readonly fraction: number;
}

/** A stage that was started. */
export interface Begun {
  pending: PendingMessage;
  recorder: Recorder;
  /** All that it announced, before its reports are thinned for the node. */
  said: readonly Said[];
  /** Resolves when it ended well; rejects with its FlashError. */
  outcome: Promise<StageOutcome>;
  /** Its job, once it has started. */
  job(): Promise<Job>;
  /** Ends it as its time limit does, now. */
  over(): Promise<void>;
  /** Ends it as its time limit does, once what was seen is judged as `code` then; does nothing where it has ended. */
  overAs(code: ErrorCode): Promise<void>;
}

/** A host on free ports of 127.0.0.1, virtual devices for it, and the stages as the nodes run them. */
export class Bench {
  readonly recorders = new Map<string, Recorder>();
  private readonly devices: VirtualSonoff[] = [];
  /** The run for each pending message, by its id. */
  private readonly running = new Map<string, { job: Job; controller: AbortController | undefined }>();

  private constructor(
    readonly host: FlashHost,
    readonly settings: HostSettings,
    /** The machine that the host runs on: a test may change it. */
    readonly around: { -readonly [K in keyof HostEnvironment]: HostEnvironment[K] },
  ) {
    host.runs.on('in-job', ({ id }: PendingMessage, job: Job) =>
      this.running.set(id, { job, controller: job.running }),
    );
  }

  static async open(settings: Partial<HostSettings>, waits: Partial<Waits>): Promise<Bench> {
    const httpPort = settings.httpPort ?? (await freePort());
    const all = {
      bind: '127.0.0.1',
      address: '127.0.0.1',
      httpsPort: 0,
      legacyPort: await freePort(),
      httpPort,
      finalStagePort: httpPort,
      ...settings,
    };
    await Promise.all([(identity ??= storeTestIdentity(identityFolder)), ownMdnsPort()]);
    const around = { ...THIS_MACHINE, waits: { ...WAITS, ...waits } };
    const bench = new Bench(new FlashHost(all, identityFolder, undefined, around), all, around);
    await bench.host.open();
    return bench;
  }

  /** A virtual device a hundred times as fast as a real one, not yet switched on; it was set up for this host. */
  async device(options: Partial<VirtualSonoffOptions> = {}): Promise<VirtualSonoff & { finalStageUrl: string }> {
    return this.factoryDevice({ provisioned: { serverName: '127.0.0.1', port: this.host.ports.https }, ...options });
  }

  /** The same, but it starts in its access point. */
  async factoryDevice(options: Partial<VirtualSonoffOptions> = {}): Promise<VirtualSonoff & { finalStageUrl: string }> {
    const finalStagePort = await freePort();
    const device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: 0,
      deviceid: '1000a1b2c3',
      speed: 100,
      legacyPort: this.settings.legacyPort,
      finalStagePort,
      finalStageHost: { address: '127.0.0.1', port: this.host.finalStagePort },
      ...options,
    });
    this.devices.push(device);
    return Object.assign(device, { finalStageUrl: `http://127.0.0.1:${finalStagePort}` });
  }

  /** Starts a stage for a message, as its node does. */
  begin(stage: StageName, options: StageOptions = {}): Begun {
    const { host } = this;
    const { deviceid, timeoutSeconds = LONG_SECONDS, sources, nodeId = stage } = options;
    const url = options.url ?? 'http://127.0.0.1:1';
    if (options.discovery) this.around.discovery = options.discovery;
    const run: Record<StageName, StageRequest['run']> = {
      provision: (context) =>
        provision(context, host, {
          ...{ url, timeoutSeconds, deviceid, ssid: options.ssid, password: options.password },
          ...(options.method === undefined ? {} : { method: options.method }),
          ...given(options, 'takesAnyInDiyMode', 'force', 'forcesCloud'),
        }),
      cloud: (context) => cloud(context, host, { timeoutSeconds, deviceid, ...given(options, 'force') }),
      upgrade: (context) =>
        upgrade(context, host, {
          timeoutSeconds,
          deviceid: deviceid ?? '?',
          sources: sources ?? FIRMWARE,
          ...given(options, 'force', 'newFirmwareUrl'),
        }),
      diy: (context) => {
        const address = options.url === undefined ? undefined : new URL(options.url).host;
        const from = { timeoutSeconds, deviceid, address, sources: sources ?? FIRMWARE };
        return diyFlash(context, host, { ...from, ...given(options, 'unlock', 'clicks', 'force') });
      },
      finalstage: (context) =>
        finalStage(context, host, { timeoutSeconds, url, sources, ...given(options, 'newFirmwareUrl') }),
      newfirmware: (context) =>
        newFirmware(context, host, { timeoutSeconds, url: options.url, ...given(options, 'rescue') }),
    };
    const recorder = this.recorder(nodeId);
    const said: Said[] = [];
    const pending = host.runs.begin({
      nodeId,
      stage,
      message: {},
      deviceid,
      line: ['provision', 'finalstage', 'newfirmware'].includes(stage) ? stage : undefined,
      findJob: () => host.jobs.jobFor(stage, deviceid),
      run: (context) =>
        run[stage]({
          ...context,
          report: (name, values = {}, more = {}) => {
            said.push({ name, values, fraction: more.fraction ?? 0 });
            context.report(name, values, more);
          },
        }),
    });
    const outcome = recorder.outcome(pending).then((ended) => {
      if (ended instanceof Error) throw ended;
      return ended;
    });
    outcome.catch(() => undefined);
    const job = async (): Promise<Job> => (await this.runOf(pending)).job;
    const over = async (): Promise<void> => (await this.runOf(pending)).controller?.abort(new TimeIsOver());
    const overAs = async (code: ErrorCode): Promise<void> => {
      const { job: own, controller } = await this.runOf(pending);
      const isSo = (): boolean => own.running !== controller || isJudged(verdictIfOver(own, stage), code);
      await waitFor(own.evidence, ['changed'], () => isSo() || undefined, { signal: NEVER, everyMs: 50 });
      await over();
    };
    return { pending, recorder, said, outcome, job, over, overAs };
  }

  /** The run for a pending message, once its stage has started. */
  private async runOf({ id }: PendingMessage): Promise<{ job: Job; controller: AbortController | undefined }> {
    for (;;) {
      const run = this.running.get(id);
      if (run) return run;
      await once(this.host.runs, 'in-job');
    }
  }

  /** The node's instance, made and attached at its first use. */
  recorder(nodeId: string): Recorder {
    let recorder = this.recorders.get(nodeId);
    if (!recorder) {
      recorder = new Recorder();
      this.recorders.set(nodeId, recorder);
      this.host.runs.attach(nodeId, recorder);
    }
    return recorder;
  }

  /** Switches a device on and takes it through cloud and upgrade: what follows is FinalStage. */
  async upgraded(device: VirtualSonoff, options: StageOptions = {}): Promise<StageOutcome> {
    await device.start();
    await this.begin('cloud', { deviceid: device.deviceid }).outcome;
    return this.begin('upgrade', { deviceid: device.deviceid, ...options }).outcome;
  }

  /** Keeps nothing of what has ended, for a test that counts what the host holds. */
  forget(): void {
    this.devices.length = 0;
    this.running.clear();
    for (const recorder of this.recorders.values()) recorder.forget();
    for (const job of [...this.host.jobs.all()]) this.host.jobs.forget(job);
  }

  async close(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()));
    await this.host.close();
  }
}

/** What is given of some options: whatever is not is left to the stage's own default. */
function given<K extends keyof StageOptions>(options: StageOptions, ...keys: K[]): Pick<StageOptions, K> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => keys.includes(key as K))) as Pick<
    StageOptions,
    K
  >;
}

function verdictIfOver({ evidence }: Job, stage: StageName): Verdict {
  const now = Date.now();
  return judge([...evidence.all, { at: now, kind: 'stage', stage, event: 'over' }], now, evidence.patience);
}

/** A verdict for which nothing was seen yet may become firmer. */
function isJudged(verdict: Verdict, code: ErrorCode): boolean {
  return verdict.code === code && isFailure(verdict) && verdict.evidence.length > 0;
}

const benches: Bench[] = [];

/** A bench that `closeBenches` closes. */
export async function openBench(settings: Partial<HostSettings> = {}, waits: Partial<Waits> = {}): Promise<Bench> {
  const bench = await Bench.open(settings, waits);
  benches.push(bench);
  return bench;
}

/** For afterEach. */
export async function closeBenches(): Promise<void> {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
}
