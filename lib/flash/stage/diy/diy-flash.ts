import type { DiyOutcome } from '../../../client/diy/diy-client';
import { pause } from '../../../timing/pause';
import { explained, FlashError } from '../../../errors';
import type { DiyCommand } from '../../../protocol/diy/commands';
import { resultCodeOf } from '../../../protocol/diy/result-report';
import { countDownloads } from '../../../protocol/diy/download-count';
import { loadImages, type FirmwareSources, type LoadedImage } from '../../../firmware/firmware';
import { refuseRehearsalImages } from '../../../firmware/rehearsal';
import type { StageHost } from '../stage-host';
import { DIY } from '../../routes';
import type { StageContext } from '../../run/task';
import { firstOf } from '../../../timing/first-of';
import { Throttle } from '../../../timing/throttle';
import { waitFor } from '../../../timing/wait';
import { imageOptions } from '../image-options';
import { withStageLimit, watchTrouble, recorded, type Beginning } from '../stage-frame';
import { clickRelay } from './click';
import { DiyDownload } from '../../images/diy-download';
import { ANSWER_MS, findDevice, type FoundDevice } from './found-device';
import { doneBefore, untilGone, type GoneOptions } from './gone';
import { noteCommand } from './note-command';
import { sendOnceFree } from './send-once-free';
import { requireEsp8266 } from './supported';
import { unlock } from './unlock';
import { wording } from '../../../wordings/wording';
import { imageNamed } from '../../../image';

/** Below this a download often breaks off (docs/dev/diy-mode.md#2.10). */
const WEAK_DBM = -70;
/** The newest firmware that was reported flashed (docs/dev/diy-mode.md#2.9). */
const NEWEST_PROVEN = [3, 7, 6];
/** How often a device that broke off gets the command again. */
const ATTEMPTS = 3;
/** The reply may come after the last byte; what the stage waits for is the download. */
export const REPLY_MS = 600_000;

export interface DiyFlashOptions {
  readonly timeoutSeconds: number;
  readonly deviceid: string | undefined;
  /** IPv4, with a port where it is another than 8081. */
  readonly address: string | undefined;
  /** Where the firmware comes from; undefined where the node has none. */
  readonly sources: FirmwareSources | undefined;
  /** Continues with a device that may be of another chip. */
  readonly force?: boolean;
  /** Its relay clicks before it is unlocked, and a person may cancel then. */
  readonly clicks?: boolean;
  /** `local`: this machine may stand in for the maker's service that unlocks the device. */
  readonly unlock?: 'local' | undefined;
}

/** The proofs that the device has its image, the strongest first. */
type Proof = 'reported' | 'gone';

/**
 * Flashes a device in DIY mode: finds it, lets it be unlocked, has it fetch the image, and ends with the strongest sign
 * that it has it (docs/dev/diy-mode.md#1.14).
 *
 * @throws FlashError `firmware-missing`, `image-*`, `fetch-*`, `digest-*`, `store-*`, `rehearsal-only`, `address-invalid`,
 *   `device-unknown`, `device-not-supported`, `diy-*`, `download-*`, `cancelled`
 */
export async function diyFlash(
  context: StageContext,
  host: StageHost,
  options: DiyFlashOptions,
): Promise<Record<string, unknown>> {
  const { deviceid, timeoutSeconds: seconds, address: url } = options;
  const beginning: Beginning = {
    ...{ stage: 'diy', seconds, address: host.address ?? 'unknown', ports: `${host.ports.http}` },
    ...(deviceid === undefined ? {} : { deviceid }),
    ...(url === undefined ? {} : { url }),
  };
  return await recorded(context, beginning, async () => {
    const image = await load(context, host, options.sources);
    const flash: { download?: DiyDownload } = {};
    const isBusy = (): boolean => flash.download?.isFlowing(host.waits.lanStalledMs) ?? false;
    const stopWatching = watchTrouble(context.job, (trouble) => {
      if (trouble) context.report('diy-trouble', { message: explained(trouble) });
    });
    try {
      return await withStageLimit(context, beginning, { isBusy }, async (signal) => {
        try {
          const device = await findOrGone(context, host, options, image, signal);
          if (typeof device === 'string') return leftMeanwhile(context, image, device);
          if (options.clicks) await clickRelay(context, device, { signal, waits: host.waits });
          await unlock(context, host, device, { isLocal: options.unlock === 'local', signal });
          flash.download = DiyDownload.begin(context.job, image, device.address);
          return await new OneFlash(context, host, device, flash.download).run(signal);
        } catch (thrown) {
          // To the client every end of a wait is a cancel; which one it was, the signal tells.
          signal.throwIfAborted();
          throw thrown;
        }
      });
    } finally {
      stopWatching();
      flash.download?.close();
    }
  });
}

async function load(
  context: StageContext,
  host: StageHost,
  sources: FirmwareSources | undefined,
): Promise<LoadedImage> {
  context.report('load-firmware');
  const { job } = context;
  const kept = job.isResuming('diy') ? job.firmware.final : undefined;
  job.route = DIY;
  if (kept) return kept;
  if (!sources) throw new FlashError('firmware-missing', { what: wording('no-image') });
  job.firmware = await loadImages(DIY, sources, imageOptions(context, host));
  const { final } = job.firmware;
  if (!final) throw new FlashError('firmware-missing', { what: wording('no-final') });
  return final;
}

/**
 * The device, or the proof that it needs nothing more: where this program ended in the middle of its flash, it may be in
 * its new firmware by now, and is not to be found as what it was.
 */
async function findOrGone(
  context: StageContext,
  host: StageHost,
  options: DiyFlashOptions,
  image: LoadedImage,
  signal: AbortSignal,
): Promise<FoundDevice | Proof> {
  const { job } = context;
  const before = job.isResuming('diy') ? doneBefore(job) : 'nothing';
  if (before === 'reported') return 'reported';
  const at = options.address ?? job.facts.ip;
  return await firstOf<FoundDevice | Proof>(signal, [
    (either) => find(context, host, options, image, either),
    ...(before === 'fetched' && at !== undefined
      ? [(either: AbortSignal) => untilGone(job, at, goneOptions(host, either))]
      : []),
  ]);
}

function goneOptions({ waits, discovery }: StageHost, signal: AbortSignal): GoneOptions {
  return { lookMs: waits.lanLookMs, discovery, signal };
}

function leftMeanwhile(context: StageContext, image: LoadedImage, proof: Proof): Record<string, unknown> {
  const { job } = context;
  context.report('diy-written', { deviceid: job.deviceid ?? wording('unknown') }, { fraction: 1 });
  const { ip: address = null, romVersion: version = null } = job.facts;
  return { intermediate: DIY.name, address, version, image: 'final', size: image.bytes.length, proof };
}

async function find(
  context: StageContext,
  host: StageHost,
  options: DiyFlashOptions,
  image: LoadedImage,
  signal: AbortSignal,
): Promise<FoundDevice> {
  const { job } = context;
  context.report('diy-look', {}, { fraction: 0.02 });
  const device = await findDevice({ ...options, discovery: host.discovery }, signal);
  const { address, info } = device;
  if (!options.force) requireEsp8266(device);
  const deviceid = device.client.deviceid;
  refuseRehearsalImages([image], address);
  if (deviceid !== undefined) host.jobs.identify(job, deviceid);
  const { fwVersion: romVersion, otaUnlock: isUnlocked, rssi } = info;
  job.evidence.add({
    kind: 'device-info',
    peer: address,
    ...(romVersion === undefined ? {} : { romVersion }),
    ...(isUnlocked === undefined ? {} : { isUnlocked }),
    ...(rssi === undefined ? {} : { rssi }),
    // A device that was found by its host name alone has not stated its id.
    ...(device.record?.deviceid === undefined ? {} : { isAnnounced: true }),
  });
  const linkMac = await host.linkMacOf(address);
  job.learn({
    ip: address,
    ...(romVersion === undefined ? {} : { romVersion }),
    ...(linkMac === undefined ? {} : { linkMac }),
  });
  if (deviceid !== undefined) {
    const how = device.record === undefined ? 'answer' : 'announcement';
    host.directory.saw({ deviceid, how, version: romVersion, address });
  }
  const values = { deviceid: deviceid ?? address, address, romVersion: romVersion ?? '3.x' };
  context.report('diy-found', values, { fraction: 0.05 });
  if (romVersion !== undefined && isNewerThanProven(romVersion)) context.report('diy-version-unknown', values);
  if (rssi !== undefined && rssi < WEAK_DBM) context.report('diy-weak-signal', { ...values, rssi });
  return device;
}

function isNewerThanProven(version: string): boolean {
  const parts = version.split('.').map(Number);
  const index = NEWEST_PROVEN.findIndex((proven, at) => (parts[at] ?? 0) !== proven);
  return index >= 0 && (parts[index] ?? 0) > NEWEST_PROVEN[index]!;
}

/** From the command to the sign that the device has its image. */
class OneFlash {
  readonly #deviceid: string;
  /** Ends the wait for an answer that will not come. */
  #brokenOff: AbortController | undefined;
  /** When the answer to the newest command was lost. */
  #lostAt: number | undefined;

  constructor(
    private readonly context: StageContext,
    private readonly host: StageHost,
    private readonly device: FoundDevice,
    private readonly download: DiyDownload,
  ) {
    this.#deviceid = device.client.deviceid ?? device.address;
  }

  async run(signal: AbortSignal): Promise<Record<string, unknown>> {
    const proof = await this.#fetched(signal);
    this.context.report('diy-written', { deviceid: this.#deviceid }, { fraction: 1 });
    return this.#summary(proof);
  }

  /** Has the device fetch its image, and reports how far that is. */
  async #fetched(signal: AbortSignal): Promise<Proof> {
    const progress = new Throttle(() => this.#reportProgress());
    this.download.on('changed', progress.call);
    try {
      return await this.#attempts(signal);
    } finally {
      this.download.off('changed', progress.call);
      progress.flush();
    }
  }

  async #attempts(signal: AbortSignal): Promise<Proof> {
    for (let attempt = 1; ; attempt++) {
      const end = await firstOf(signal, [
        (either) => this.#command(either),
        (either) => this.#report(either),
        (either) => this.#goes(either),
        ...(attempt < ATTEMPTS ? [(either: AbortSignal) => this.#stalls(either)] : []),
      ]);
      if (end !== 'stalled') return end;
      this.download.again();
      this.#lostAt = undefined;
      const values = { deviceid: this.#deviceid, attempt: attempt + 1, attempts: ATTEMPTS };
      this.context.report('diy-again', values);
    }
  }

  /** Sends the command. Never resolves: an answer is no end, and one that is lost proves nothing (docs/dev/diy-mode.md#1.7, #2.8). */
  async #command(signal: AbortSignal): Promise<never> {
    const { context, device, download, host } = this;
    const downloadUrl = `http://${host.addressToDial()}:${host.ports.http}/${download.name}`;
    // The job must be on disk before the device gets the command.
    await host.whenStored();
    signal.throwIfAborted();
    const command = { name: 'ota_flash', downloadUrl, sha256sum: download.image.sha256 } as const;
    context.report('diy-flash-sent', { deviceid: this.#deviceid }, { fraction: 0.12 });
    const outcome = await this.#answerTo(command, signal);
    if (outcome.result === 'lost') this.#lostAt = Date.now();
    noteCommand(context.job, 'ota_flash', outcome);
    if (isRefusal(outcome)) throw device.client.errorOf('ota_flash', outcome, { limitMs: REPLY_MS });
    return await waitFor<never, 'changed'>(download, ['changed'], () => undefined, { signal });
  }

  /** The answer, unless the device breaks off before it: one that lost its Wi-Fi does not close its connection. */
  async #answerTo(command: DiyCommand, signal: AbortSignal): Promise<DiyOutcome> {
    const brokenOff = new AbortController();
    this.#brokenOff = brokenOff;
    const either = AbortSignal.any([signal, brokenOff.signal]);
    try {
      const { waits } = this.host;
      const options = { signal: either, limitMs: REPLY_MS, waits, isRepeatable: false };
      return await sendOnceFree(this.device.client, command, options);
    } catch (thrown) {
      if (signal.aborted || !brokenOff.signal.aborted) throw thrown;
      return { result: 'lost', reason: wording('download-broke-off') };
    }
  }

  /** The device's own word on its download. */
  async #report(signal: AbortSignal): Promise<Proof> {
    const { download } = this;
    const error = await waitFor(download, ['changed'], () => download.result, { signal });
    if (error !== 0) throw new FlashError(resultCodeOf(error), { deviceid: this.#deviceid, error });
    return 'reported';
  }

  /** It has every byte, and its stock firmware is gone. */
  async #goes(signal: AbortSignal): Promise<Proof> {
    const { download, device, context } = this;
    await waitFor(download, ['changed'], () => download.isComplete || undefined, { signal });
    const at = `${device.address}:${device.port}`;
    return await untilGone(context.job, at, goneOptions(this.host, signal));
  }

  /**
   * It fetches nothing, and answers as before: it has restarted, given up without a word, or did not get the command,
   * since another program held its only connection (docs/dev/diy-mode.md#1.6).
   */
  async #stalls(signal: AbortSignal): Promise<'stalled'> {
    const { device } = this;
    for (;;) {
      await pause(this.host.waits.lanLookMs, signal);
      if (!this.#isQuiet()) continue;
      // The device answers one request at a time.
      this.#brokenOff?.abort();
      const outcome = await device.client.send({ name: 'info' }, { signal, limitMs: ANSWER_MS });
      if (outcome.result === 'done') return 'stalled';
    }
  }

  /** Whether it broke off its download, or nothing came of a command whose answer was lost. */
  #isQuiet(now = Date.now()): boolean {
    const { download } = this;
    const { lanStalledMs } = this.host.waits;
    if (download.hasBegun) return download.hasStalled(lanStalledMs, now);
    // For one that has answered and comes for nothing the port is closed: another command would change nothing.
    return this.#lostAt !== undefined && now - this.#lostAt >= lanStalledMs;
  }

  #reportProgress(): void {
    const { sent, size, requests } = this.download;
    if (requests === 0) return;
    const values = { deviceid: this.#deviceid, image: imageNamed('final'), sent, size };
    this.context.report('image-flows', values, { fraction: 0.12 + 0.83 * (sent / size) });
  }

  #summary(proof: Proof): Record<string, unknown> {
    const { device, download } = this;
    const { lost, reboots } = countDownloads(download.positions);
    const { size, requests } = download;
    const { fwVersion: version = null, rssi = null } = device.info;
    return {
      intermediate: DIY.name,
      ...{ address: device.address, version, rssi },
      ...{ image: 'final', size, requests, lost, reboots, proof },
    };
  }
}

function isRefusal(
  outcome: DiyOutcome,
): outcome is Extract<DiyOutcome, { result: 'refused' | 'foreign' | 'unreachable' }> {
  return outcome.result === 'refused' || outcome.result === 'foreign' || outcome.result === 'unreachable';
}
