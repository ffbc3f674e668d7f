import { explained, FlashError, type ErrorCode } from '../../errors';
import { loadForFinalStage, type FirmwareSources } from '../../firmware/firmware';
import { FinalStageSession } from '../job/finalstage-session';
import type { JobEvidence } from '../job/evidence';
import type { StageHost } from './stage-host';
import type { Job } from '../job/job';
import { isAtLoopback } from '../../net/addresses';
import { NetworkVisit } from '../radio/network-visit';
import { finalStageVisit } from '../radio/join-plans';
import { refuseRehearsalImages } from '../../firmware/rehearsal';
import { stageOf } from '../routes';
import type { StageContext } from '../run/task';
import { isFailure } from '../verdict/verdict';
import { firstOf } from '../../timing/first-of';
import { Throttle } from '../../timing/throttle';
import { waitFor } from '../../timing/wait';
import type { Waits } from './waits';
import { FinalStagePresence } from './finalstage-presence';
import { imageOptions } from './image-options';
import { withStageLimit, recorded, type Beginning } from './stage-frame';
import { isOwnFirmware, NewFirmwarePresence, placesOf } from './new-firmware-presence';
import { wording } from '../../wordings/wording';

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
 * that goes without FinalStage skips it, so that one flow does for both.
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
    context.report('finalstage-passed-by');
    return { skipped: true };
  }
  const beginning: Beginning = {
    stage: 'finalstage',
    seconds,
    ...(deviceid === undefined ? {} : { deviceid }),
    url,
    ports: `${host.finalStagePort}`,
  };
  return recorded(context, beginning, () => watchFinalStage(context, host, options, beginning));
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
  const session = (job.finalStage ??= new FinalStageSession());
  session.peer = new URL(options.url).hostname;
  recall(job.evidence, session);
  const radio = radioVisitOf(context, host, session, options.url);
  const presence = new FinalStagePresence(options.url, {
    ownAddresses: () => host.ownAddresses(options.url),
    isJoinedByItself: () => radio?.isJoined === true,
    mayBeReplaced: () => session.hasWholeFinal || session.isFinalInterrupted,
    isElsewhere: () => host.radio.holder === 'set-up',
  });
  const onLooked = (): void => noteLook(job, presence);
  presence.on('looked', onLooked);
  const narrator = new FinalStageNarrator(context, host, { session, presence, radio });
  const onDialled = (): void => presence.touch();
  session.on('dialled', onDialled);
  const { finalStageFlowsMs, finalStageLeavesMs } = host.waits;
  const isBusy = (): boolean => session.isFlowing(finalStageFlowsMs) || session.isJustDelivered(finalStageLeavesMs);
  try {
    return await withStageLimit(context, beginning, { isBusy }, async (signal) => {
      await host.openFinalStagePort();
      presence.start();
      await firstOf<true>(signal, [
        (either) =>
          waitFor(presence, ['looked'], () => isGone(session, presence, host.waits) || undefined, { signal: either }),
        (either) => showsItself(job, host, session, options, either),
        ...(radio ? [(either: AbortSignal) => radio.keepJoined(either)] : []),
      ]);
      narrator.stop();
      context.report('installed', {}, { fraction: 0.99 });
      return session.summary();
    });
  } catch (error) {
    // Whatever ends it: the network is not left, and the job not closed, under a transfer.
    await session.whenQuiet(finalStageFlowsMs);
    throw error;
  } finally {
    session.off('dialled', onDialled);
    narrator.stop();
    presence.stop();
    await radio?.leave();
    session.isJoined = false;
  }
}

/**
 * Resolves when the new firmware is there after a transfer of which this process did not see the end. A device that asks
 * for the image again is asked for nothing.
 */
async function showsItself(
  job: Job,
  host: StageHost,
  session: FinalStageSession,
  { url, newFirmwareUrl }: FinalStageOptions,
  signal: AbortSignal,
): Promise<true> {
  const given = newFirmwareUrl ?? (isAtLoopback(url) ? url : undefined);
  const places = placesOf(job, given);
  const presence = new NewFirmwarePresence(places, {
    mac: job.facts.mac,
    ownAddresses: () => host.ownAddresses(places[0].url),
    mayBeOurs: isOwnFirmware,
  });
  const found = (): true | undefined => {
    if (!session.isFinalInterrupted) presence.stop();
    else if (presence.found) return true;
    return undefined;
  };
  session.on('changed', found);
  try {
    if (session.isFinalInterrupted) presence.start();
    await waitFor(presence, ['looked'], found, { signal });
    job.evidence.addIfNew({ kind: 'new-firmware-looked', looks: presence.sightings });
    return true;
  } finally {
    session.off('changed', found);
    presence.stop();
  }
}

/** The radio's part. */
function radioVisitOf(
  { job }: StageContext,
  host: StageHost,
  session: FinalStageSession,
  url: string,
): NetworkVisit | undefined {
  if (!host.hasWifi(url)) return undefined;
  return new NetworkVisit(host.radio, job.evidence, finalStageVisit(job, host.jobs, session));
}

/** Completes the firmware from the node: all of it where a flash is resumed here. */
async function completeFirmware(
  context: StageContext,
  host: StageHost,
  sources: FirmwareSources | undefined,
): Promise<void> {
  const { job } = context;
  if (job.firmware.final) return;
  job.firmware = { ...job.firmware, ...(await loadForFinalStage(sources ?? {}, imageOptions(context, host))) };
}

/** The deliveries before a restart of ours, of which the evidence of this process knows nothing. */
function recall(evidence: JobEvidence, { deliveries }: FinalStageSession): void {
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
function isGone(session: FinalStageSession, presence: FinalStagePresence, waits: Waits): boolean {
  const state = session.deliveries.final?.state;
  const isAway = (forMs: number): boolean =>
    Date.now() - presence.lastThere >= forMs && presence.looksSince >= GONE_AFTER_LOOKS;
  if (state === 'acknowledged' && isAway(waits.unconfirmedMs)) throw new FlashError('finalstage-unconfirmed');
  if (state === 'interrupted' && isAway(waits.unconfirmedMs)) throw new FlashError('finalstage-interrupted');
  return state === 'delivered' && isAway(waits.goneMs);
}

/** Says what FinalStage does and what the person must do now, at every piece of news. */
class FinalStageNarrator {
  private readonly session: FinalStageSession;
  private readonly presence: FinalStagePresence;
  private readonly radio: NetworkVisit | undefined;
  private readonly flow = new Throttle(() => this.narrate());

  constructor(
    private readonly context: StageContext,
    private readonly host: StageHost,
    seen: { session: FinalStageSession; presence: FinalStagePresence; radio: NetworkVisit | undefined },
  ) {
    this.session = seen.session;
    this.presence = seen.presence;
    this.radio = seen.radio;
    this.session.on('changed', this.flow.call);
    this.presence.on('looked', this.narrate);
    this.radio?.on('changed', this.narrate);
    this.narrate();
  }

  stop(): void {
    this.radio?.off('changed', this.narrate);
    this.session.off('changed', this.flow.call);
    this.presence.off('looked', this.narrate);
    this.flow.flush();
  }

  private readonly narrate = (): void => {
    const { context, presence, session: session } = this;
    const { user2, final } = session.deliveries;
    if (final?.state === 'interrupted') return context.report('final-interrupted', {}, { fraction: 0.35 });
    if (final?.state === 'acknowledged') return context.report('final-unconfirmed', {}, { fraction: 0.96 });
    if (final?.state === 'delivered') {
      const { ownAddress, isAnswered } = presence;
      if (ownAddress !== undefined && !isAnswered && !this.radio?.isJoined) {
        return context.report('leave-finalstage', { actual: ownAddress }, { fraction: 0.97 });
      }
      return context.report('final-sent', {}, { fraction: 0.96 });
    }
    if (final?.state === 'flowing') {
      return context.report('final-flows', { ...final }, { fraction: 0.35 + 0.6 * (final.sent / final.size) });
    }
    const verdict = context.job.evidence.verdict();
    if (isFailure(verdict) && !OF_ITS_OWN_WORDS.includes(verdict.code)) {
      return context.report('finalstage-trouble', { message: explained(verdict) });
    }
    if (final) {
      const isThere = presence.isAnswered || presence.ownAddress !== undefined;
      if (!isThere) return context.report('finalstage-away', {});
      return context.report('final-stalled', { sent: final.sent, size: final.size });
    }
    if (user2?.state === 'flowing' && user2.sent < user2.size) {
      return context.report('user2-flows', { ...user2 }, { fraction: 0.1 + 0.2 * (user2.sent / user2.size) });
    }
    if (user2 && user2.sent < user2.size) {
      return context.report('user2-stalled', { sent: user2.sent, size: user2.size });
    }
    if (user2 && !session.dialsWithoutRequestSince) {
      return context.report('finalstage-again', {}, { fraction: 0.3 });
    }
    if (session.lastDialled) return context.report('finalstage-dials', {}, { fraction: user2 ? 0.32 : 0.1 });
    this.narrateWait();
  };

  private narrateWait(): void {
    const { context, host, presence } = this;
    const waiting = host.jobs.awaitingFinalStage();
    const first = waiting[0];
    if (waiting.length > 1 && first) {
      return context.report('several-wait', {
        count: waiting.length,
        deviceid: first.deviceid ?? wording('first-device'),
      });
    }
    if (presence.wrongAddress !== undefined) {
      return context.report('finalstage-wrong-address', { actual: presence.wrongAddress });
    }
    if (presence.ownAddress !== undefined) {
      return context.report('finalstage-joined', { port: host.finalStagePort }, { fraction: 0.05 });
    }
    const news = this.radio?.news;
    if (news) context.report(news.name, news.values);
    else context.report('wait-for-finalstage');
  }
}
