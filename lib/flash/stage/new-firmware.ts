import type { NewFirmwareKind } from '../../protocol/new-firmware';
import type { StageHost } from './stage-host';
import type { Job } from '../job/job';
import { NetworkVisit } from '../radio/network-visit';
import { newFirmwareVisit } from '../radio/join-plans';
import { rescueOn, type Rescue } from '../routes';
import type { StageContext } from '../run/task';
import { firstOf } from '../../timing/first-of';
import { pause } from '../../timing/pause';
import { waitFor } from '../../timing/wait';
import type { Waits } from './waits';
import { throwIfFinal, withStageLimit, recorded, type Beginning } from './stage-frame';
import { NewFirmwarePresence, placesOf, type FoundFirmware, type NewFirmwareAnswer } from './new-firmware-presence';
import { wording, type Wording } from '../../wordings/wording';
import type { TermCode } from '../../wordings/term';

const COUNT_MS = 1000;
/** A Tasmota that was rescued shows itself within that. */
export const RESCUED_MS = 60_000;
/** How much of the stage the darkness is, where there is one. */
const DARK_SHARE = 0.6;

const NAMES = {
  tasmota: 'firmware-tasmota',
  esphome: 'firmware-esphome',
  espurna: 'firmware-espurna',
  other: 'firmware-page',
} as const satisfies Record<NewFirmwareKind, TermCode>;

export interface NewFirmwareOptions {
  readonly timeoutSeconds: number;
  /** `http://…` where a person knows better; else its own access point, and where the device was at home. */
  readonly url: string | undefined;
  /** A person wants to rescue a Tasmota that opens no Wi-Fi. */
  readonly rescue?: boolean;
}

/**
 * Waits until the new firmware shows itself. Without FinalStage that is how a flash ends; behind FinalStage it is a look
 * at a flash that is done. Serves nothing, and touches no device.
 *
 * @throws FlashError `back-to-stock`, `one-hop-silent`, `new-firmware-silent`, `wifi-*`, `cancelled`, and what the rescue and the silence of a route come to
 */
export async function newFirmware(
  context: StageContext,
  host: StageHost,
  options: NewFirmwareOptions,
): Promise<Record<string, unknown>> {
  const { job } = context;
  const { deviceid } = job;
  const places = placesOf(job, options.url);
  const beginning: Beginning = {
    stage: 'newfirmware',
    seconds: options.timeoutSeconds,
    ...(deviceid === undefined ? {} : { deviceid }),
    url: places.map(({ url }) => url).join(' and '),
    ...(job.route === undefined ? {} : { intermediate: job.route.name }),
  };
  const way = options.rescue ? rescueOn(job.route) : undefined;
  const flashes = host.jobs.all().filter((one) => one.deviceid === deviceid);
  if (deviceid !== undefined) way?.refuse(flashes, deviceid);
  const mayWrite = (): boolean => darkFor(job, host.waits.darkAtMostMs) > 0;
  const presence = new NewFirmwarePresence(places, {
    mac: job.facts.mac,
    linkMac: job.facts.linkMac,
    ownAddresses: () => host.ownAddresses(places[0].url),
    mayBeOurs: neighbourWatch(job, host.waits),
  });
  const radio = host.hasWifi(places[0].url)
    ? new NetworkVisit(host.radio, job.evidence, newFirmwareVisit(job))
    : undefined;
  return recorded(context, beginning, async () => {
    const narrator = new NewFirmwareNarrator(context, host.waits, presence, radio);
    presence.on('looked', () => note(job, presence));
    try {
      // While it may write, no text may ask for a power cut.
      const found = await withStageLimit(context, beginning, { isBusy: mayWrite }, async (signal) => {
        presence.start();
        return await firstOf(signal, [
          (either) => waitFor(presence, ['looked'], () => presence.found, { signal: either }),
          (either) => waitFor<never, 'changed'>(job.evidence, ['changed'], () => throwIfFinal(job), { signal: either }),
          ...(way ? [(either: AbortSignal) => rescue(way, context, host.waits, narrator, mayWrite, either)] : []),
          ...(radio ? [(either: AbortSignal) => joinIfPossible(radio, either)] : []),
        ]);
      });
      narrator.stop();
      context.report('new-firmware-here', { firmware: nameOf(found), url: found.url }, { fraction: 0.99 });
      return summaryOf(found);
    } finally {
      narrator.stop();
      presence.stop();
      await radio?.leave();
    }
  });
}

/** Coaches a person while the look for the new firmware continues: the coaching ends as soon as that shows itself. */
async function rescue(
  { coach }: Rescue,
  context: StageContext,
  waits: Waits,
  narrator: NewFirmwareNarrator,
  mayWrite: () => boolean,
  signal: AbortSignal,
): Promise<never> {
  await waitFor(narrator.presence, ['looked'], () => !mayWrite() || undefined, { signal });
  narrator.isQuiet = true;
  await coach((name, values) => context.report(name, values), waits, signal);
  await pause(RESCUED_MS, signal);
  narrator.isQuiet = false;
  return await waitFor<never, 'looked'>(narrator.presence, ['looked'], () => undefined, { signal });
}

/** The device is flashed already: if this machine cannot join its network, a person may, and the wait continues. */
async function joinIfPossible(radio: NetworkVisit, signal: AbortSignal): Promise<never> {
  await radio.keepJoined(signal).catch(() => signal.throwIfAborted());
  return await waitFor<never, 'changed'>(radio, [], () => undefined, { signal });
}

/**
 * Tells the device from whatever else answers at its places, such as a router, a proxy between it and us, or a device
 * that was flashed before: while it is dark only its MAC address counts.
 */
function neighbourWatch(job: Job, waits: Waits): (answer: NewFirmwareAnswer) => boolean {
  const neighbours = new Set<string>();
  return ({ place: { url }, kind, title, isProven }) => {
    if (isProven) return true;
    const left = darkFor(job, waits.darkMs);
    const name = [url, kind, title].join();
    if (left > waits.darkMs - waits.darkAtLeastMs) neighbours.add(name);
    return left === 0 && !neighbours.has(name);
  };
}

/**
 * How long a device that is dark for `darkMs` still is, in ms; 0 on a route without darkness. A device without an
 * acknowledgement is through it: the stage before has waited for that.
 */
function darkFor(job: Job, darkMs: number, now = Date.now()): number {
  const { darkAfter } = job.route ?? {};
  const since = darkAfter && isAcknowledged(job) ? job.leftAt(darkAfter) : undefined;
  return since === undefined ? 0 : Math.max(0, since.getTime() + darkMs - now);
}

/** False where its device got the command and has never acknowledged it. */
function isAcknowledged({ evidence: { all } }: Job): boolean {
  const sent = all.findLastIndex(({ kind }) => kind === 'upgrade-sent');
  return sent < 0 || all.slice(sent).some(({ kind }) => kind === 'acknowledged');
}

function note({ evidence }: Job, { addresses, sightings }: NewFirmwarePresence): void {
  evidence.addIfNew({ kind: 'addresses', addresses });
  evidence.addIfNew({ kind: 'new-firmware-looked', looks: sightings });
}

function nameOf({ kind, version }: FoundFirmware): Wording {
  const name = wording(NAMES[kind]);
  return version === undefined ? name : wording('firmware-of-version', { name, version });
}

function summaryOf(found: FoundFirmware): Record<string, unknown> {
  return { ...found, address: new URL(found.url).hostname };
}

/** Counts the darkness down, then says what the person can do to find the device. */
class NewFirmwareNarrator {
  /** Another part coaches the person. */
  isQuiet = false;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly context: StageContext,
    private readonly waits: Waits,
    readonly presence: NewFirmwarePresence,
    private readonly radio: NetworkVisit | undefined,
  ) {
    presence.on('looked', this.narrate);
    this.timer = setInterval(this.narrate, COUNT_MS);
    this.narrate();
  }

  stop(): void {
    clearInterval(this.timer);
    this.presence.off('looked', this.narrate);
  }

  private readonly narrate = (): void => {
    if (this.isQuiet) return;
    const { context, presence } = this;
    const left = darkFor(context.job, this.waits.darkMs);
    if (left > 0) {
      const fraction = DARK_SHARE * (1 - left / this.waits.darkMs);
      return context.report('one-hop-dark', { seconds: Math.ceil(left / 1000) }, { fraction });
    }
    const fraction = context.job.route?.darkAfter ? DARK_SHARE : 0;
    const stranger = presence.sightings.find(({ result }) => result === 'stranger');
    if (stranger) return context.report('new-firmware-stranger', { url: stranger.url }, { fraction });
    const { url } = presence.places[0];
    if (presence.isJoined) return context.report('wait-for-new-firmware-here', { url }, { fraction });
    const news = this.radio?.news;
    if (news) context.report(news.name, news.values, { fraction });
    else context.report('wait-for-new-firmware', {}, { fraction });
  };
}
