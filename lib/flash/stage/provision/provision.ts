import { setTimeout as pause } from 'node:timers/promises';
import { postDiyProvisioning, postProvisioning, readDevice } from '../../../client/ap-client';
import { explained, FlashError } from '../../../errors';
import { checkCredentials, type DeviceInfo } from '../../../protocol/ap';
import { ACCESS_POINT, isInNetwork } from '../../../protocol/device-networks';
import { NetworkVisit } from '../../radio/network-visit';
import { apVisit } from '../../radio/join-plans';
import { DIY, stageOf } from '../../routes';
import { firstOf } from '../../../timing/first-of';
import type { StageHost } from '../stage-host';
import type { StageContext } from '../../run/task';
import { isFailure } from '../../verdict/verdict';
import { requireItsNetwork } from './access-point-network';
import { isInDiyMode, mayBeInDiyMode, type AtHomeOptions } from '../diy/at-home';
import { withStageLimit, recorded, type Beginning } from '../stage-frame';
import { methodFor, type ChosenMethod } from '../provision-method';
import { dialsUs, wasSetUp, type SetUpBefore } from '../set-up-before';
import { allOf, wording, type Wording } from '../../../wordings/wording';

/**
 * One look at the access point may take this long; then the next starts. Short, because a look that started before this
 * machine joined hangs in the silence of the home router.
 */
export const LOOK_LIMIT_MS = 2000;
export const LOOK_PAUSE_MS = 500;
/** The device answers the set-up immediately or not at all. */
export const POST_LIMIT_MS = 10_000;

/**
 * With `method`, which set-up a device gets; default `automatic`. Only the device of `deviceid` is provisioned: another
 * one's access point is left alone.
 */
export interface ProvisionOptions extends AtHomeOptions {
  /** The access point's address, `http://10.10.7.1`. */
  readonly url: string;
  readonly timeoutSeconds: number;
  readonly ssid: string | undefined;
  readonly password: string | undefined;
  /** Gives the Wi-Fi away even where what answers cannot be an access point, or has neither of the methods. */
  readonly force?: boolean;
  /** Sends a device that has neither of the methods to the emulated cloud. */
  readonly forcesCloud?: boolean;
}

/**
 * Waits for a device's access point and gives it the home Wi-Fi, with our address as its cloud or for its DIY mode. That
 * a device took them says nothing about whether they are right: it answers before it tries them
 * (docs/dev/stock-firmware.md#1.3).
 *
 * @throws FlashError `wifi-credentials-missing`, `wifi-credentials-unusable`, `address-invalid`, `ap-unreachable`,
 *   `ap-silent`, `network-overlap`, `ap-stranger`, `ap-refused`, `device-unknown`, `diy-mode-missing`, `wifi-*`,
 *   `cancelled`
 */
export async function provision(
  context: StageContext,
  host: StageHost,
  options: ProvisionOptions,
): Promise<Record<string, unknown>> {
  const { url, timeoutSeconds: seconds, deviceid } = options;
  context.job.evidence.hide(options.ssid);
  context.job.evidence.hide(options.password);
  const beginning: Beginning = { stage: 'provision', seconds, url, ...(deviceid === undefined ? {} : { deviceid }) };
  return recorded(context, beginning, () => waitForAccessPoint(context, host, options, beginning));
}

async function waitForAccessPoint(
  context: StageContext,
  host: StageHost,
  options: ProvisionOptions,
  beginning: Beginning,
): Promise<Record<string, unknown>> {
  const warnings = checkCredentials(options.ssid, options.password);
  // Checked before the wait, so that no person holds a button for an address that is not there.
  host.addressToDial();
  const before = wasSetUp(context);
  if (before) return { ...before, warnings };
  return withStageLimit(context, beginning, {}, async (signal) => {
    context.report('wait-for-ap');
    const visit = visitOf(context, host, options);
    try {
      const device = await firstOf<FoundDevice | { readonly before: SetUpBefore }>(signal, [
        (either) => findMethod(context, host, { ...options, visit }, either),
        (either) => dialsUs(context, host, either),
        ...(mayBeInDiyMode(options) ? [(either: AbortSignal) => isInDiyMode(context, host, options, either)] : []),
        ...(visit ? [(either: AbortSignal) => visit.keepJoined(either)] : []),
      ]);
      if ('before' in device) return { ...device.before, warnings };
      return { ...(await setUp(context, host, { ...options, visit, warnings }, device, signal)), warnings };
    } finally {
      await visit?.leave();
    }
  });
}

/** The radio's part. */
function visitOf(
  context: StageContext,
  host: StageHost,
  { url, deviceid }: ProvisionOptions,
): NetworkVisit | undefined {
  if (!host.hasWifi(url)) return undefined;
  const { job } = context;
  const visit = new NetworkVisit(host.radio, job.evidence, apVisit(job, host.jobs, deviceid));
  visit.on('changed', () => reportNews(context, visit));
  return visit;
}

function reportNews(context: StageContext, { news }: NetworkVisit): void {
  if (news) context.report(news.name, news.values);
}

/** A device in its access point, and the set-up that it gets. */
interface FoundDevice extends DeviceInfo {
  readonly method: ChosenMethod;
}

async function findMethod(
  context: StageContext,
  host: StageHost,
  options: ProvisionOptions & { visit: NetworkVisit | undefined },
  signal: AbortSignal,
): Promise<FoundDevice> {
  const device = await findDevice(context, host, options, signal);
  requireMeant(device, options.deviceid);
  const { url, method = 'automatic', force = false, forcesCloud = false } = options;
  const looks = { signal, limitMs: host.waits.apPageMs };
  return { ...device, method: await methodFor(device, { url, method, force: force || forcesCloud }, looks) };
}

async function findDevice(
  context: StageContext,
  host: StageHost,
  { url, force, visit }: Pick<ProvisionOptions, 'url' | 'force'> & { visit: NetworkVisit | undefined },
  signal: AbortSignal,
): Promise<DeviceInfo> {
  const { evidence } = context.job;
  for (;;) {
    const addresses = host.ownAddresses(url);
    const joined = addresses.some(({ address }) => isInNetwork(address, ACCESS_POINT));
    evidence.addIfNew({ kind: 'addresses', addresses });
    try {
      const device = await readDevice(url, { signal, limitMs: LOOK_LIMIT_MS });
      if (force !== true) await requireItsNetwork(url);
      if (!isLeaving(context, host, device.deviceid)) {
        evidence.addIfNew({ kind: 'ap-looked', result: 'answered', joined });
        return device;
      }
    } catch (error) {
      signal.throwIfAborted();
      const isStrange = error instanceof FlashError && error.code === 'ap-refused';
      const why = isStrange ? error.values.reason : undefined;
      const reason = why === undefined ? {} : { reason: why };
      evidence.addIfNew({ kind: 'ap-looked', result: isStrange ? 'strange' : 'silent', joined, ...reason });
      reportTrouble(context, visit);
    }
    await pause(LOOK_PAUSE_MS, undefined, { signal });
  }
}

/**
 * Whether what answers is a device that another flash has just set up: its access point is about to go, and that flash
 * would be cancelled if it was set up once more.
 */
function isLeaving({ job }: StageContext, host: StageHost, deviceid: string): boolean {
  const latest = host.jobs.latest(deviceid);
  if (latest === undefined || latest === job) return false;
  const setUp = latest.evidence.all.findLast(({ kind }) => kind === 'provisioned');
  return setUp !== undefined && Date.now() - setUp.at < host.waits.apGoesMs;
}

/** A look that found nothing: an error that is certain already, or the wait continues. */
function reportTrouble(context: StageContext, visit: NetworkVisit | undefined): void {
  const verdict = context.job.evidence.verdict();
  if (isFailure(verdict)) context.report('ap-trouble', { message: explained(verdict) });
  else if (visit?.news) reportNews(context, visit);
  else context.report('wait-for-ap');
}

function requireMeant(device: DeviceInfo, deviceid: string | undefined): void {
  if (deviceid === undefined || device.deviceid === deviceid) return;
  const reason = wording('access-point-of-another', { owner: device.deviceid, meant: deviceid });
  throw new FlashError('device-unknown', { reason, known: device.deviceid });
}

interface SetUpOptions extends ProvisionOptions {
  readonly visit: NetworkVisit | undefined;
  /** Of the Wi-Fi settings. */
  readonly warnings: readonly Wording[];
}

async function setUp(
  context: StageContext,
  host: StageHost,
  { url, ssid = '', password = '', visit, warnings }: SetUpOptions,
  { deviceid, apikey, method }: FoundDevice,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  host.jobs.identify(context.job, deviceid);
  host.devices.pin(deviceid, apikey);
  host.directory.saw({ deviceid, how: 'access-point' });
  context.report('send-wifi', { deviceid }, { fraction: 0.5 });
  takeRoute(context, method);
  // Its access point goes with its answer: after a restart, only a job that knows the device recognises it.
  await host.whenStored();
  const limits = { signal, limitMs: POST_LIMIT_MS };
  const serverName = host.addressToDial();
  const port = host.ports.https;
  const answer =
    method === 'diy'
      ? await postDiyProvisioning(url, { ssid, password }, limits)
      : await postProvisioning(url, { ssid, password, serverName, port }, limits);
  const isOwn = !host.isAddressSet || host.isAddressRemembered;
  const doubts = allOf(warnings);
  context.job.evidence.add({
    kind: 'provisioned',
    answer,
    ...(method === 'diy' ? { route: DIY.name } : isOwn ? { told: serverName } : {}),
    ...(doubts === undefined ? {} : { doubts }),
  });
  const accepted = visit?.isJoined ? 'wifi-sent-by-itself' : 'wifi-sent';
  context.report(answer === 'accepted' ? accepted : 'wifi-probably-sent', { deviceid }, { fraction: 0.9 });
  if (doubts !== undefined) context.report('wifi-doubtful', { deviceid, doubts }, { fraction: 0.95 });
  return method === 'diy' ? { deviceid, method, answer } : { deviceid, answer, serverName, port };
}

/** That of the emulated cloud is chosen later, with its images; one that was taken for another method is left. */
function takeRoute({ job }: StageContext, method: ChosenMethod): void {
  if (method === 'diy') job.route = DIY;
  else if (!stageOf(job.route, 'cloud')) job.route = undefined;
}
