import { FlashError } from '../../errors';
import { acknowledgementError, FALLBACK_VERSION, PROVEN_VERSION, type UpgradeOffer } from '../../protocol/upgrade';
import type { DeviceConnection } from '../../server/device-connection';
import { startDeadline, TIME_LIMIT } from '../deadline';
import { loadFirmware, type Firmware, type FirmwareSources } from '../firmware';
import { FinalStageVisit } from '../finalstage-visit';
import type { FlashHost } from '../host';
import { upgradePath } from '../image-desk';
import { refuseRehearsalImages } from '../rehearsal';
import type { StageContext } from '../stage-runs';
import { UpgradeDownload } from '../upgrade-download';
import { waitFor } from '../wait';
import { requireSupported } from './cloud';
import { SessionEvents } from './session-events';

/** A device that restarts in mid-upgrade dials again by itself and may succeed then (SonOTA#21); not for ever. */
const SESSIONS_AT_MOST = 3;
/** The device gives itself 180 s for an upgrade and reports 404 when they are over; a margin on top. */
const VERDICT_LIMIT_MS = 190_000;
/** Bytes that went out this recently mean that the transfer still flows. */
const FLOWING_MS = 10_000;

/** The device's code for a version that it takes for older than its own. */
const VERSION_REFUSED = 410;

export interface UpgradeOptions {
  readonly timeoutSeconds: number;
  readonly deviceid: string;
  /** Where the firmware comes from; undefined where the node has none. */
  readonly sources: FirmwareSources | undefined;
}

/**
 * Sends the upgrade, serves what the device asks for, and ends with the device's own verdict.
 *
 * @throws FlashError `firmware-missing`, `image-*`, `fetch-failed`, `port-in-use`, `address-invalid`,
 *   `device-timeout`, `device-not-supported`, `rehearsal-only`, `device-rebooted`, `device-silent`, `message-malformed`, the device's
 *   refusals (`download-failed`, `upgrade-malformed`, `model-refused`, `digest-refused`, `version-refused`), `cancelled`
 */
export async function upgrade(
  context: StageContext,
  host: FlashHost,
  options: UpgradeOptions,
): Promise<Record<string, unknown>> {
  const { job } = context;
  context.say('load-firmware');
  if (!options.sources) throw new FlashError('firmware-missing', { what: 'image at all: none is chosen' });
  const firmware = await loadFirmware(options.sources, { signal: context.signal });
  job.firmware = firmware;
  const download = new UpgradeDownload();
  job.download = download;

  const deadline = startDeadline(options.timeoutSeconds, () => download.isFlowing(FLOWING_MS));
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  try {
    await host.openFinalStagePort();
    const session = new UpgradeSessions(context, host, options, firmware, download, signal);
    const version = await session.run();
    job.visit = new FinalStageVisit();
    const image = download.role ?? 'unknown';
    context.say('image-written', { deviceid: options.deviceid, image }, { fraction: 1 });
    return {
      image,
      size: download.size,
      requests: download.requests,
      transport: download.otaClass ?? null,
      version,
      sessions: session.count,
    };
  } catch (error) {
    if (signal.reason === TIME_LIMIT && !(error instanceof FlashError)) {
      const { deviceid, timeoutSeconds: seconds } = options;
      throw new FlashError(download.requests > 0 ? 'device-silent' : 'device-timeout', { deviceid, seconds });
    }
    throw error;
  } finally {
    job.download = undefined;
    deadline.dispose();
  }
}

/** The sessions of one upgrade, one after another, until the device gives its verdict. */
class UpgradeSessions {
  count = 0;
  private version = PROVEN_VERSION;

  constructor(
    private readonly context: StageContext,
    private readonly host: FlashHost,
    private readonly options: UpgradeOptions,
    private readonly firmware: Firmware,
    private readonly download: UpgradeDownload,
    private readonly signal: AbortSignal,
  ) {}

  /** @returns the version that the device took */
  async run(): Promise<string> {
    const { deviceid } = this.options;
    for (;;) {
      const connection = await this.readyConnection();
      this.count += 1;
      const outcome = await this.oneSession(connection);
      if (outcome === 'accepted') return this.version;
      if (this.count >= SESSIONS_AT_MOST) throw new FlashError('device-rebooted', { deviceid, times: this.count });
      this.context.say('device-restarted', { deviceid, session: this.count + 1, sessions: SESSIONS_AT_MOST });
    }
  }

  private async readyConnection(): Promise<DeviceConnection> {
    const { deviceid } = this.options;
    const present = (): DeviceConnection | undefined => {
      const connection = this.host.devices.get(deviceid);
      return connection?.ready ? connection : undefined;
    };
    if (!present() && this.count === 0) this.context.say('wait-for-session', { deviceid });
    const connection = await waitFor(this.host.devices, ['ready'], present, { signal: this.signal });
    if (connection.device) requireSupported(connection.device);
    refuseRehearsalImages(Object.values(this.firmware), connection.peer);
    this.host.adoptDevice(this.context.job, connection);
    return connection;
  }

  /** Sends the upgrade in one session; `lost` when the session ended without a verdict. */
  private async oneSession(connection: DeviceConnection): Promise<'accepted' | 'lost'> {
    const events = new SessionEvents(connection);
    const onChanged = (): void => this.sayProgress();
    this.download.on('changed', onChanged);
    const limit = startDeadline(VERDICT_LIMIT_MS / 1000);
    const signal = AbortSignal.any([this.signal, limit.signal]);
    try {
      for (;;) {
        this.send(connection);
        const verdict = await waitFor(events, ['news'], () => events.verdict(), { signal });
        if (verdict === 'lost') return 'lost';
        const error = acknowledgementError(verdict, { ...this.deviceValues(connection), version: this.version });
        if (!error) {
          // One published firmware acknowledges when it accepts the command, before it downloads (notes 3.8).
          await waitFor(this.download, ['changed'], () => this.download.isComplete || undefined, { signal });
          return 'accepted';
        }
        // The one refusal that another offer can answer, once (design, rule 4).
        if (verdict !== VERSION_REFUSED || this.version === FALLBACK_VERSION) throw error;
        this.version = FALLBACK_VERSION;
        events.clear();
      }
    } catch (error) {
      if (signal.reason === TIME_LIMIT && !this.signal.aborted && !(error instanceof FlashError)) {
        throw new FlashError('device-silent', { deviceid: this.options.deviceid, seconds: VERDICT_LIMIT_MS / 1000 });
      }
      throw error;
    } finally {
      limit.dispose();
      events.stop();
      this.download.off('changed', onChanged);
    }
  }

  private send(connection: DeviceConnection): void {
    const { deviceid } = this.options;
    connection.upgrade(this.offer());
    this.context.say('upgrade-sent', { deviceid, version: this.version }, { fraction: 0.05 });
  }

  private offer(): UpgradeOffer {
    const base = `http://${this.host.addressToDial()}:${this.host.ports.http}`;
    const image = (role: 'user1' | 'user2'): { url: string; digest: string } => ({
      url: `${base}${upgradePath(this.options.deviceid, role)}`,
      digest: this.firmware[role].sha256,
    });
    return { user1: image('user1'), user2: image('user2'), version: this.version };
  }

  private sayProgress(): void {
    const { role, sent, size } = this.download;
    if (!role) return;
    const values = { deviceid: this.options.deviceid, image: role, sent, size };
    this.context.say('image-flows', values, { fraction: 0.05 + 0.9 * (sent / size) });
  }

  private deviceValues(connection: DeviceConnection): { deviceid: string; model: string; romVersion: string } {
    const { deviceid } = this.options;
    return { deviceid, model: connection.device?.model ?? '?', romVersion: connection.device?.romVersion ?? '?' };
  }
}
