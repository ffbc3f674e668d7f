import { FlashError, type ErrorCode } from '../../errors';
import { loadForFinalStage, type FirmwareSources } from '../firmware/firmware';
import { FinalStageVisit } from '../job/finalstage-visit';
import type { JobEvidence } from '../job/evidence';
import type { StageHost } from './stage-host';
import type { Job } from '../job/job';
import { isLoopback } from '../../net/addresses';
import { NetworkVisit } from '../radio/network-visit';
import { finalStageVisit } from '../radio/visits';
import { refuseRehearsalImages } from '../firmware/rehearsal';
import { stageOf } from '../routes';
import type { StageContext } from '../run/stage-runs';
import { isTrouble } from '../verdict/verdict';
import { firstOf } from '../waiting/first-of';
import { Throttle } from '../waiting/throttle';
import { waitFor } from '../waiting/wait';
import type { Waits } from '../waiting/waits';
import { FinalStagePresence } from './finalstage-presence';
import { imageOptions } from './image-options';
import { untilOver, witnessed, type Beginning } from './judged';
import { isOwnFirmware, NewFirmwarePresence, placesOf } from './new-firmware-presence';

/** FinalStage is gone when at least this many looks in the time that it may be out of sight found nothing. */
const GONE_AFTER_LOOKS = 2;

/** Trouble that the narration below puts into words that also say what to do now. */
const OF_ITS_OWN_WORDS: readonly ErrorCode[] = [
  'finalstage-interrupted',
  'finalstage-stalled',
  'user2-stalled',
  'finalstage-wrong-address',
];

export interface FinalStageOptions {
  readonly timeoutSeconds: number;
  /** FinalStage's own address, `http://192.168.4.1`. */
  readonly url: string;
  /** For what the job does not have: where it was resumed here. */
  readonly sources: FirmwareSources | undefined;
  /** Where the new firmware shows itself, where a person knows better than `placesOf`. */
  readonly newFirmwareUrl?: string | undefined;
}

/**
 * Waits for FinalStage, serves what it asks for, and ends when the final image is out and FinalStage is gone. A flash
 * that goes without FinalStage passes by at once, so that one flow does for both.
 * A cancel lets a transfer on the wire end first: a stream that is cut behind the erase costs the device.
 *
 * @throws FlashError `firmware-missing`, `image-*`, `fetch-*`, `digest-*`, `store-*`, `port-in-use`, `finalstage-timeout`,
 *   `finalstage-blocked`, `finalstage-wrong-address`, `finalstage-stolen`, `finalstage-stranger`, `finalstage-half-erased`, `finalstage-interrupted`, `finalstage-stalled`,
 *   `user2-stalled`, `finalstage-left-early`, `finalstage-unconfirmed`, `network-overlap`,
 *   `rehearsal-only`, `wifi-*`, `finalstage-foreign`, `unexplained`, `cancelled`
 */
export async function finalStage(
  context: StageContext,
  host: StageHost,
  options: FinalStageOptions,
): Promise<Record<string, unknown>> {
  const { url, timeoutSeconds: seconds } = options;
  const { job } = context;
  const { deviceid } = job;
  if (!stageOf(job.route, 'finalstage')) {
    context.say('finalstage-passed-by');
    return { skipped: true };
  }
  const beginning: Beginning = {
    stage: 'finalstage',
    seconds,
    ...(deviceid === undefined ? {} : { deviceid }),
    url,
    ports: `${host.finalStagePort}`,
  };
  return witnessed(context, beginning, () => watchFinalStage(context, host, options, beginning));
}

async function watchFinalStage(
  context: StageContext,
  host: StageHost,
  options: FinalStageOptions,
  beginning: Beginning,
): Promise<Record<string, unknown>> {
  const { job } = context;
  await completeFirmware(context, host, options.sources);
  refuseRehearsalImages(Object.values(job.firmware), new URL(options.url).hostname);
  const visit = (job.visit ??= new FinalStageVisit());
  visit.peer = new URL(options.url).hostname;
  recall(job.evidence, visit);
  const radio = radioVisitOf(context, host, visit, options.url);
  const presence = new FinalStagePresence(options.url, {
    ownAddresses: () => host.ownAddresses(options.url),
    isJoinedByItself: () => radio?.isJoined === true,
    mayBeReplaced: () => visit.hasWholeFinal || visit.isFinalInterrupted,
    isElsewhere: () => host.radio.holder === 'set-up',
  });
  const onLooked = (): void => noteLook(job, presence);
  presence.on('looked', onLooked);
  const narrator = new FinalStageNarrator(context, host, { visit, presence, radio });
  const onDialled = (): void => presence.touch();
  visit.on('dialled', onDialled);
  const { finalStageFlowsMs, finalStageLeavesMs } = host.waits;
  const isBusy = (): boolean => visit.isFlowing(finalStageFlowsMs) || visit.isJustDelivered(finalStageLeavesMs);
  try {
    return await untilOver(context, beginning, { isBusy }, async (signal) => {
      await host.openFinalStagePort();
      presence.start();
      await firstOf<true>(signal, [
        (either) =>
          waitFor(presence, ['looked'], () => isGone(visit, presence, host.waits) || undefined, { signal: either }),
        (either) => showsItself(job, host, visit, options, either),
        ...(radio ? [(either: AbortSignal) => radio.keepJoined(either)] : []),
      ]);
      narrator.stop();
      context.say('installed', {}, { fraction: 0.99 });
      return visit.summary();
    });
  } catch (error) {
    // Whatever ends it: the network is not left, and the job not closed, under a transfer.
    await visit.whenQuiet(finalStageFlowsMs);
    throw error;
  } finally {
    visit.off('dialled', onDialled);
    narrator.stop();
    presence.stop();
    await radio?.leave();
    visit.isJoined = false;
  }
}

/**
 * Resolves when the new firmware is there after a transfer of which this process did not see the end. A device that asks
 * for the image again is asked for nothing.
 */
async function showsItself(
  job: Job,
  host: StageHost,
  visit: FinalStageVisit,
  { url, newFirmwareUrl }: FinalStageOptions,
  signal: AbortSignal,
): Promise<true> {
  const given = newFirmwareUrl ?? (isLoopback(new URL(url).hostname) ? url : undefined);
  const places = placesOf(job, given);
  const presence = new NewFirmwarePresence(places, {
    mac: job.facts.mac,
    ownAddresses: () => host.ownAddresses(places[0].url),
    mayBeOurs: isOwnFirmware,
  });
  const found = (): true | undefined => {
    if (!visit.isFinalInterrupted) presence.stop();
    else if (presence.found) return true;
    return undefined;
  };
  visit.on('changed', found);
  try {
    if (visit.isFinalInterrupted) presence.start();
    await waitFor(presence, ['looked'], found, { signal });
    job.evidence.addIfNew({ kind: 'new-firmware-looked', looks: presence.sightings });
    return true;
  } finally {
    visit.off('changed', found);
    presence.stop();
  }
}

/** The radio's part. */
function radioVisitOf(
  { job }: StageContext,
  host: StageHost,
  visit: FinalStageVisit,
  url: string,
): NetworkVisit | undefined {
  if (!host.hasWifi(url)) return undefined;
  return new NetworkVisit(host.radio, job.evidence, finalStageVisit(job, host.jobs, visit));
}

/** What the job does not have of the firmware comes from the node: all of it where a flash is resumed here. */
async function completeFirmware(
  context: StageContext,
  host: StageHost,
  sources: FirmwareSources | undefined,
): Promise<void> {
  const { job } = context;
  if (job.firmware.final) return;
  job.firmware = { ...job.firmware, ...(await loadForFinalStage(sources ?? {}, imageOptions(context, host))) };
}

/** What was delivered before a restart of ours, of which the evidence of this process knows nothing. */
function recall(evidence: JobEvidence, { deliveries }: FinalStageVisit): void {
  if (evidence.all.some(({ kind }) => kind === 'finalstage-requested')) return;
  for (const image of ['user2', 'final'] as const) {
    const delivery = deliveries[image];
    if (!delivery) continue;
    const { size, sent: bytes, state } = delivery;
    evidence.add({ kind: 'finalstage-requested', image, size });
    if (state === 'stalled') evidence.add({ kind: 'finalstage-stalled', image, bytes });
    else if (state !== 'flowing') evidence.add({ kind: 'finalstage-ended', image, how: state, bytes });
  }
}

/** Keeps what a look has shown, where it is something new. */
function noteLook({ evidence }: Job, { addresses, ownAddress, isAnswered }: FinalStagePresence): void {
  evidence.addIfNew({ kind: 'addresses', addresses });
  const own = ownAddress === undefined ? {} : { ownAddress };
  evidence.addIfNew({ kind: 'finalstage-looked', ...own, answered: isAnswered });
}

/**
 * @throws FlashError `finalstage-unconfirmed` when a device that has everything stays away without a goodbye,
 *   `finalstage-interrupted` when one does that may have everything
 */
function isGone(visit: FinalStageVisit, presence: FinalStagePresence, waits: Waits): boolean {
  const state = visit.deliveries.final?.state;
  const isAway = (forMs: number): boolean =>
    Date.now() - presence.lastThere >= forMs && presence.looksSince >= GONE_AFTER_LOOKS;
  if (state === 'acknowledged' && isAway(waits.unconfirmedMs)) throw new FlashError('finalstage-unconfirmed');
  if (state === 'interrupted' && isAway(waits.unconfirmedMs)) throw new FlashError('finalstage-interrupted');
  return state === 'delivered' && isAway(waits.goneMs);
}

/** Says what FinalStage does and what the person must do now, at every piece of news. */
class FinalStageNarrator {
  private readonly visit: FinalStageVisit;
  private readonly presence: FinalStagePresence;
  private readonly radio: NetworkVisit | undefined;
  private readonly flow = new Throttle(() => this.narrate());

  constructor(
    private readonly context: StageContext,
    private readonly host: StageHost,
    seen: { visit: FinalStageVisit; presence: FinalStagePresence; radio: NetworkVisit | undefined },
  ) {
    this.visit = seen.visit;
    this.presence = seen.presence;
    this.radio = seen.radio;
    this.visit.on('changed', this.flow.call);
    this.presence.on('looked', this.narrate);
    this.radio?.on('changed', this.narrate);
    this.narrate();
  }

  stop(): void {
    this.radio?.off('changed', this.narrate);
    this.visit.off('changed', this.flow.call);
    this.presence.off('looked', this.narrate);
    this.flow.flush();
  }

  private readonly narrate = (): void => {
    const { context, presence, visit } = this;
    const { user2, final } = visit.deliveries;
    if (final?.state === 'interrupted') return context.say('final-interrupted', {}, { fraction: 0.35 });
    if (final?.state === 'acknowledged') return context.say('final-unconfirmed', {}, { fraction: 0.96 });
    if (final?.state === 'delivered') {
      const { ownAddress, isAnswered } = presence;
      if (ownAddress !== undefined && !isAnswered && !this.radio?.isJoined) {
        return context.say('leave-finalstage', { actual: ownAddress }, { fraction: 0.97 });
      }
      return context.say('final-sent', {}, { fraction: 0.96 });
    }
    if (final?.state === 'flowing') {
      return context.say('final-flows', { ...final }, { fraction: 0.35 + 0.6 * (final.sent / final.size) });
    }
    const verdict = context.job.evidence.verdict();
    if (isTrouble(verdict) && !OF_ITS_OWN_WORDS.includes(verdict.code)) {
      return context.say('finalstage-trouble', { message: verdict.text });
    }
    if (final) {
      const isThere = presence.isAnswered || presence.ownAddress !== undefined;
      if (!isThere) return context.say('finalstage-away', {});
      return context.say('final-stalled', { sent: final.sent, size: final.size });
    }
    if (user2?.state === 'flowing' && user2.sent < user2.size) {
      return context.say('user2-flows', { ...user2 }, { fraction: 0.1 + 0.2 * (user2.sent / user2.size) });
    }
    if (user2 && user2.sent < user2.size) {
      return context.say('user2-stalled', { sent: user2.sent, size: user2.size });
    }
    if (user2 && !visit.dialsWithoutRequestSince) {
      return context.say('finalstage-again', {}, { fraction: 0.3 });
    }
    if (visit.lastDialled) return context.say('finalstage-dials', {}, { fraction: user2 ? 0.32 : 0.1 });
    this.narrateWait();
  };

  private narrateWait(): void {
    const { context, host, presence } = this;
    const waiting = host.jobs.awaitingFinalStage();
    const first = waiting[0];
    if (waiting.length > 1 && first) {
      return context.say('several-wait', { count: waiting.length, deviceid: first.deviceid ?? 'the first' });
    }
    if (presence.wrongAddress !== undefined) {
      return context.say('finalstage-wrong-address', { actual: presence.wrongAddress });
    }
    if (presence.ownAddress !== undefined) {
      return context.say('finalstage-joined', { port: host.finalStagePort }, { fraction: 0.05 });
    }
    const news = this.radio?.news;
    if (news) context.say(news.name, news.values);
    else context.say('wait-for-finalstage');
  }
}
