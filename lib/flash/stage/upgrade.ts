import { explained, FlashError } from '../../errors';
import { refusalOf } from '../../protocol/acknowledgements';
import { FALLBACK_VERSION, PROVEN_VERSION, type UpgradeOffer } from '../../protocol/upgrade';
import type { DeviceConnection } from '../../server/device-connection';
import { requireCloudMethod } from './cloud-method';
import { type FirmwareSources, type WholeFirmware } from '../../firmware/firmware';
import { loadFirmware } from '../routes/load-firmware';
import { chosenRoute } from '../routes/choice';
import { FinalStageSession } from '../job/finalstage-session';
import { firstOf } from '../../timing/first-of';
import type { StageHost } from './stage-host';
import { upgradePath } from '../images/upgrade-images';
import type { Job } from '../job/job';
import { refuseRehearsalImages } from '../../firmware/rehearsal';
import type { StageContext } from '../run/task';
import { withinLimit } from '../../timing/time-limit';
import type { UpgradeDownload } from '../job/upgrade-download';
import { EvidenceView } from '../verdict/evidence-view';
import { oneHopState, SESSIONS_AT_MOST } from '../verdict/rules/upgrade';
import type { FailureVerdict } from '../verdict/verdict';
import { Throttle } from '../../timing/throttle';
import { waitFor } from '../../timing/wait';
import { requireOneClaimant } from './claimants';
import { imageOptions } from './image-options';
import { LOOK_MS, throwIfFinal, withStageLimit, watchTrouble, whyOver, recorded, type Beginning } from './stage-frame';
import { isOwnFirmware, NewFirmwarePresence, placesOf } from './new-firmware-presence';
import { SessionEvents } from './session-events';
import { wording, type WordingValue } from '../../wordings/wording';
import { imageNamed } from '../../image';

export interface UpgradeOptions {
  readonly timeoutSeconds: number;
  readonly deviceid: string;
  /** Where the firmware comes from; undefined where the node has none. */
  readonly sources: FirmwareSources | undefined;
  /** Continues with a device whose firmware is known not to take it. */
  readonly force?: boolean;
  /** Where the new firmware will show itself, if not where it is looked for anyway. */
  readonly newFirmwareUrl?: string | undefined;
}

/**
 * Sends the upgrade, serves what the device asks for, and ends with the device's own verdict.
 *
 * @throws FlashError `firmware-missing`, `image-*`, `fetch-*`, `digest-*`, `store-*`, `port-in-use`, `address-invalid`,
 *   `turn-timeout`, `device-timeout`, `device-not-supported`, `device-contested`, `rehearsal-only`, `device-rebooted`,
 *   `device-silent`, `message-malformed`, `download-blocked`, `download-restarts`, the device's refusals
 *   (`download-failed`, `upgrade-malformed`, `model-refused`, `digest-refused`, `version-refused`), `cancelled`
 */
export async function upgrade(
  context: StageContext,
  host: StageHost,
  options: UpgradeOptions,
): Promise<Record<string, unknown>> {
  const { deviceid, timeoutSeconds: seconds } = options;
  const ports = `${host.ports.http}`;
  const facts: Beginning = { stage: 'upgrade', seconds, deviceid, address: host.address ?? 'unknown', ports };
  const beginning: Beginning = context.job.isResuming('upgrade') ? { ...facts, isResumed: true } : facts;
  return recorded(context, beginning, () => upgradeDevice(context, host, options, beginning));
}

async function upgradeDevice(
  context: StageContext,
  host: StageHost,
  options: UpgradeOptions,
  beginning: Beginning,
): Promise<Record<string, unknown>> {
  const { job } = context;
  const { deviceid } = options;
  context.report('load-firmware');
  const kept = keptFirmware(job);
  // Known before anything is fetched: a wrong word for it must not cost a download.
  if (!kept || !job.route) job.route = chosenRoute(options.sources ?? {});
  const firmware = kept ?? (await load(context, host, options.sources));
  job.firmware = firmware;
  const { needsFinalStage } = job;
  const startsDark = job.route?.darkAfter === 'upgrade';
  // A device whose download our restart interrupted continues it.
  const download = await takeTurn(context, host, deviceid);

  // The silence of such a device may be its new firmware: no remedy may ask for a power cut now.
  const mayWrite = (): boolean => startsDark && stateInDark(job) !== undefined;
  const tellTrouble = (trouble: FailureVerdict | undefined): void => {
    if (trouble) context.report('upgrade-trouble', { message: explained(trouble) });
  };
  const stopWatching = watchTrouble(job, tellTrouble, mayWrite);
  const isBusy = (): boolean => download.isFlowing(host.waits.upgradeFlowsMs) || mayWrite();
  try {
    return await withStageLimit(context, beginning, { isBusy }, async (signal) => {
      await (needsFinalStage ? host.openFinalStagePort() : host.open());
      const sessions = new UpgradeSessions(context, host, options, firmware, download, mayWrite);
      const isConfirmed = await firstOf<boolean>(signal, [
        (either) => isTaken(download, either),
        (either) => sessions.run(either),
        (either) => isContested(context, host, download, either),
        ...(startsDark
          ? [
              (either: AbortSignal) => showsItself(context, host, options.newFirmwareUrl, either),
              (either: AbortSignal) => keepsSilent(job, either),
            ]
          : []),
      ]);
      download.taken();
      if (needsFinalStage) job.finalStage ??= new FinalStageSession();
      const { version } = sessions;
      const { role: image = 'unknown', size, requests, otaClass: transport = null } = download;
      const named = download.role === undefined ? wording('unknown') : imageNamed(download.role);
      const how = isConfirmed ? (startsDark ? 'one-hop-written' : 'image-written') : 'one-hop-unconfirmed';
      context.report(how, { deviceid, image: named }, { fraction: 1 });
      return {
        intermediate: job.route?.name,
        image,
        size,
        requests,
        transport,
        version,
        sessions: sessions.count,
      };
    });
  } finally {
    stopWatching();
    job.download = undefined;
  }
}

/** The wait for other devices does not count for the stage's own time limit. */
async function takeTurn(context: StageContext, host: StageHost, deviceid: string): Promise<UpgradeDownload> {
  let holder: WordingValue = '?';
  const { turnMs } = host.waits;
  const whenOver = (): FlashError => new FlashError('turn-timeout', { deviceid, holder, minutes: turnMs / 60_000 });
  return withinLimit(context.signal, { seconds: turnMs / 1000, whenOver }, (signal) =>
    host.finalStageLock.acquire(context.job, signal, (job) => {
      holder = job.deviceid ?? wording('no-known-id');
      context.report('wait-for-turn', { deviceid, holder });
    }),
  );
}

/** The firmware of a job whose upgrade a restart interrupted: the device may be in the middle of these very bytes. */
function keptFirmware(job: Job): WholeFirmware | undefined {
  const { user1, user2, final } = job.firmware;
  return job.isResuming('upgrade') && user1 && user2 && final ? { user1, user2, final } : undefined;
}

async function load(
  context: StageContext,
  host: StageHost,
  sources: FirmwareSources | undefined,
): Promise<WholeFirmware> {
  if (!sources) throw new FlashError('firmware-missing', { what: wording('no-image') });
  return await loadFirmware(sources, imageOptions(context, host));
}

/**
 * Without FinalStage nothing asks us for anything after the restart: a device whose acknowledgement was lost, with the
 * process that it was sent to or with the Wi-Fi, is known by its new firmware alone.
 */
async function showsItself(
  { job }: StageContext,
  host: StageHost,
  url: string | undefined,
  signal: AbortSignal,
): Promise<true> {
  const download = job.download;
  if (download) await waitFor(download, ['checkpoint'], () => download.mayBeWritten || undefined, { signal });
  const places = placesOf(job, url);
  const presence = new NewFirmwarePresence(places, {
    mac: job.facts.mac,
    ownAddresses: () => host.ownAddresses(places[0].url),
    mayBeOurs: isOwnFirmware,
  });
  try {
    presence.start();
    await waitFor(presence, ['looked'], () => presence.found, { signal });
    return true;
  } finally {
    presence.stop();
  }
}

/**
 * Resolves when a device that has its whole image has been silent for so long that it must be through with it, though
 * its acknowledgement never came. The next stage looks for its new firmware, and sees if it is back in its stock firmware.
 */
async function keepsSilent(job: Job, signal: AbortSignal): Promise<false> {
  const isSilent = (): true | undefined => stateInDark(job) === 'silent' || undefined;
  await waitFor(job.evidence, ['changed'], isSilent, { signal, everyMs: LOOK_MS });
  return false;
}

function stateInDark({ evidence }: Job): ReturnType<typeof oneHopState> {
  return oneHopState(new EvidenceView(evidence.all, Date.now(), evidence.patience));
}

/**
 * Never resolves; ends the upgrade when a second peer states the device's id with another key. A device that has its
 * image to the last byte is about to start it: for that one it is too late, and nothing that comes harms it.
 *
 * @throws FlashError `device-contested`
 */
function isContested(
  { job }: StageContext,
  host: StageHost,
  download: UpgradeDownload,
  signal: AbortSignal,
): Promise<never> {
  const look = (): undefined => {
    if (!download.mayBeWritten) requireOneClaimant(host, job, job.deviceid);
  };
  return waitFor<never, 'refused'>(host.devices, ['refused'], look, { signal });
}

/** Resolves when the device is known to have the upgrade in another way than by its acknowledgement; see ImageAuthorizer. */
function isTaken(download: UpgradeDownload, signal: AbortSignal): Promise<true> {
  return waitFor(download, ['checkpoint'], () => download.isTaken || undefined, { signal });
}

/** The sessions of one upgrade, one after another, until the device gives its verdict. */
class UpgradeSessions {
  count = 0;
  /** The version that was offered last. */
  version = PROVEN_VERSION;
  private signal = new AbortController().signal;

  constructor(
    private readonly context: StageContext,
    private readonly host: StageHost,
    private readonly options: UpgradeOptions,
    private readonly firmware: WholeFirmware,
    private readonly download: UpgradeDownload,
    private readonly mayWrite: () => boolean,
  ) {}

  /** Resolves when the device has taken the upgrade. */
  async run(signal: AbortSignal): Promise<true> {
    this.signal = signal;
    const { deviceid } = this.options;
    for (;;) {
      signal.throwIfAborted();
      if (this.download.isTaken) return true;
      const connection = await this.readyConnection();
      this.count += 1;
      const outcome = await this.oneSession(connection);
      if (outcome === 'accepted') return true;
      // The end of the session may have ended the stage: what it says last stays.
      signal.throwIfAborted();
      if (!this.mayWrite()) throwIfFinal(this.context.job);
      this.context.report('device-restarted', { deviceid, session: this.count + 1, sessions: SESSIONS_AT_MOST });
    }
  }

  private async readyConnection(): Promise<DeviceConnection> {
    const { deviceid } = this.options;
    const present = (): DeviceConnection | undefined => {
      if (this.options.force) this.host.devices.acceptOnlyClaimant(deviceid);
      const connection = this.host.devices.get(deviceid);
      return connection?.ready ? connection : undefined;
    };
    if (!present() && this.count === 0) this.context.report('wait-for-session', { deviceid });
    const connection = await waitFor(this.host.devices, ['ready', 'refused'], present, { signal: this.signal });
    if (connection.device) requireCloudMethod(connection.device, this.options);
    refuseRehearsalImages(Object.values(this.firmware), connection.peer);
    this.host.adoptDevice(this.context.job, connection);
    return connection;
  }

  /** Sends the upgrade in one session; `lost` when the session ended without a verdict. */
  private async oneSession(connection: DeviceConnection): Promise<'accepted' | 'lost'> {
    const { job } = this.context;
    const events = new SessionEvents(connection);
    const progress = new Throttle(() => this.reportProgress());
    this.download.on('changed', progress.call);
    const whenOver = (): FlashError => whyOver(job, 'upgrade');
    try {
      const seconds = this.host.waits.upgradeVerdictMs / 1000;
      return await withinLimit(this.signal, { seconds, isBusy: this.mayWrite, whenOver }, (signal) =>
        this.verdictOf(connection, events, signal),
      );
    } finally {
      events.stop();
      this.download.off('changed', progress.call);
      progress.flush();
    }
  }

  private async verdictOf(
    connection: DeviceConnection,
    events: SessionEvents,
    signal: AbortSignal,
  ): Promise<'accepted' | 'lost'> {
    for (;;) {
      await this.send(connection, signal);
      const verdict = await waitFor(events, ['news'], () => events.verdict(), { signal });
      if (verdict === 'lost') return 'lost';
      if (verdict === 0) {
        // One published firmware acknowledges when it accepts the command, before it downloads
        // (docs/dev/stock-firmware.md#3.8).
        await waitFor(this.download, ['checkpoint'], () => this.download.isComplete || undefined, { signal });
        return 'accepted';
      }
      throwIfFinal(this.context.job);
      // The one refusal that another offer can answer, once (docs/dev/design.md#3.4); any other ends the stage.
      const isAboutVersion = refusalOf(verdict) === 'version-refused';
      if (!isAboutVersion || this.version === FALLBACK_VERSION) throw whyOver(this.context.job, 'upgrade');
      this.version = FALLBACK_VERSION;
      events.clear();
    }
  }

  private async send(connection: DeviceConnection, signal: AbortSignal): Promise<void> {
    const { deviceid } = this.options;
    this.download.offered();
    await this.host.whenStored();
    // A disk may take its time: what has ended the stage meanwhile sends no device into an upgrade.
    signal.throwIfAborted();
    requireOneClaimant(this.host, this.context.job, deviceid);
    connection.upgrade(this.offer());
    const { job } = this.context;
    const how = job.route?.isPacked ? ({ isOneHop: true } as const) : {};
    job.evidence.add({ kind: 'upgrade-sent', version: this.version, session: this.count, ...how });
    this.context.report('upgrade-sent', { deviceid, version: this.version }, { fraction: 0.05 });
  }

  private offer(): UpgradeOffer {
    const base = `http://${this.host.addressToDial()}:${this.host.ports.http}`;
    const image = (role: 'user1' | 'user2'): { url: string; digest: string } => ({
      url: `${base}${upgradePath(this.options.deviceid, role)}`,
      digest: this.firmware[role].sha256,
    });
    return { user1: image('user1'), user2: image('user2'), version: this.version };
  }

  private reportProgress(): void {
    const { role, sent, size } = this.download;
    if (!role) return;
    const values = { deviceid: this.options.deviceid, image: imageNamed(role), sent, size };
    this.context.report('image-flows', values, { fraction: 0.05 + 0.9 * (sent / size) });
  }
}
