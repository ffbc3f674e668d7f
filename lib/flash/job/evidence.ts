import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { explain } from '../../errors';
import { PIECE_BYTES } from '../../client/range-fetch';
import type { Observation, Seen, StageBegan, NewObservation } from '../observation';
import { PATIENCE, type Patience } from '../verdict/patience';
import { judge } from '../verdict/rules/judge';
import type { Verdict } from '../verdict/verdict';
import { wording } from '../../wordings/wording';

/** More than a whole flash leaves; a device that dials for days must not fill the memory. */
const KEPT_AT_MOST = 1000;
/** Of what repeats itself by nature, or can be sent by anyone, the newest suffice. */
const REPEATING = new Set<Observation['kind']>([
  'message',
  'dispatched',
  'image-requested',
  'image-sent',
  'image-ended',
  'registered',
  'session-lost',
  'dialled',
  'finalstage-dialled',
  'malformed',
  'tls-failed',
  'stranger',
  'connection-refused',
  'left-unregistered',
  'unlock-asked',
]);
/** Observations that end a row of requests; they are not put behind it. */
const ENDS_A_ROW = new Set<Observation['kind']>(['stage', 'upgrade-sent', 'acknowledged', 'session-lost']);
/**
 * FinalStage dials twice a second, and behind one address there may be a whole house of devices that fetch their images:
 * one observation for so long tells as much.
 */
export const DIALS_EVERY_MS = 5000;
/** A verdict may change by time alone, but need not be found again for every report. */
const FRESH_MS = 200;

type ImageRequest = Extract<NewObservation, { kind: 'image-requested' }>;
type Dialled = Extract<NewObservation, { kind: 'dialled' }>;

/**
 * All that was seen of one job, and what follows from it. Emits `changed` at every observation but those that are merely
 * counted, with whether a restart must know of it.
 */
export class JobEvidence extends EventEmitter<{ changed: [isDurable: boolean] }> {
  patience: Patience = PATIENCE;
  private readonly seen: Observation[] = [];
  private readonly hidden = new Set<string>();
  private judged: { verdict: Verdict; at: number } | undefined;

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  get all(): readonly Observation[] {
    return this.seen;
  }

  /** Words that no evidence shows, such as the name of the home Wi-Fi. */
  get secrets(): readonly string[] {
    return [...this.hidden];
  }

  hide(word: string | undefined): void {
    if (word !== undefined && word !== '') this.hidden.add(word);
  }

  add(sighting: NewObservation, at = Date.now()): void {
    if (sighting.kind === 'finalstage-dialled' && !this.isFinalStageDialNews(at)) return;
    if (sighting.kind === 'dialled' && sighting.port === 'images' && !this.isImageDialNews(sighting, at)) return;
    if (sighting.kind === 'image-requested' && this.continues(sighting, at)) return;
    this.keep({ at, ...(sighting.kind === 'dispatched' ? this.folded(sighting) : sighting) });
    this.judged = undefined;
    this.emit('changed', sighting.kind === 'device-facts');
  }

  /** Takes in what an earlier run of the process saw. */
  restore(seen: readonly Observation[]): void {
    this.seen.unshift(...seen);
    this.judged = undefined;
  }

  /** Adds what is looked at again and again, where it is not as it was in this stage. */
  addIfNew(sighting: NewObservation): void {
    const before = this.seen.findLast((one) => one.kind === sighting.kind || isBeginning(one));
    const now = { at: before?.at ?? 0, ...sighting };
    if (JSON.stringify(before) !== JSON.stringify(now)) this.add(sighting);
  }

  /** Adds what may come again and again, where it has not come in this stage. */
  addOnce(sighting: NewObservation): void {
    const inThisStage = this.seen.slice(Math.max(0, this.seen.findLastIndex(isBeginning)));
    const isKnown = inThisStage.some((one) => isDeepStrictEqual(one, { at: one.at, ...sighting }));
    if (!isKnown) this.add(sighting);
  }

  /** When the awaited device was set up; if that was not in this job, when the wait for it started. */
  get newcomersSince(): number | undefined {
    return this.seen.findLast(({ kind }) => kind === 'provisioned')?.at ?? this.stageBeganAt;
  }

  /** When the observed stage started. */
  get stageBeganAt(): number | undefined {
    return this.seen.findLast(isBeginning)?.at;
  }

  verdict(now = Date.now()): Verdict {
    if (!this.judged || Math.abs(now - this.judged.at) >= FRESH_MS) {
      this.judged = { verdict: this.judgeNow(now), at: now };
    }
    return this.judged.verdict;
  }

  /** A rule with a fault must not end Node-RED: verdicts are asked for in timers and when the flows start. */
  private judgeNow(now: number): Verdict {
    try {
      return judge(this.seen, now, this.patience);
    } catch (error) {
      const values = { reason: wording('unjudged-evidence', { message: (error as Error).message }) };
      const text = explain('unexplained', values);
      return { code: 'unexplained', confidence: 'likely', isFinal: false, text, values, evidence: [] };
    }
  }

  /**
   * Counts a request that continues where the one before ended. Of such a row the first and the newest are kept, which is
   * all that a verdict looks at; its continuation is no news.
   */
  private continues(request: ImageRequest, at: number): boolean {
    const index = this.seen.findLastIndex(({ kind }) => kind === 'image-requested' || ENDS_A_ROW.has(kind));
    const before = this.seen[index];
    if (before?.kind !== 'image-requested' || !isNext(before, request)) return false;
    const { count = 0 } = before;
    if (count > 0) this.seen.splice(index, 1);
    this.keep({ at, ...request, count: count + 1 });
    return true;
  }

  private isFinalStageDialNews(at: number): boolean {
    const last = this.seen.findLast(({ kind }) => kind === 'finalstage-dialled' || kind === 'finalstage-requested');
    return last?.kind !== 'finalstage-dialled' || at - last.at >= DIALS_EVERY_MS;
  }

  /** The ports of the cloud are another matter: there each connection may be that of the device that is waited for. */
  private isImageDialNews({ peer }: Dialled, at: number): boolean {
    const last = this.seen.findLast((one) => one.kind === 'image-requested' || isImageDial(one));
    return last?.kind !== 'dialled' || last.peer !== peer || at - last.at >= DIALS_EVERY_MS;
  }

  /**
   * A dispatch, counted with those before it from the same peer in this stage: only what was asked last matters, and a
   * peer can ask for any number of devices.
   */
  private folded(sighting: Extract<NewObservation, { kind: 'dispatched' }>): NewObservation {
    const start = this.seen.findLastIndex(isBeginning);
    const awaited = this.seen.findLast(isBeginning)?.deviceid;
    const isSame = (one: Observation): boolean =>
      one.kind === 'dispatched' &&
      one.peer === sighting.peer &&
      one.isProven === sighting.isProven &&
      (one.deviceid === awaited) === (sighting.deviceid === awaited);
    const index = this.seen.findLastIndex((one, at) => at > start && isSame(one));
    const [before] = index < 0 ? [] : this.seen.splice(index, 1);
    return before?.kind === 'dispatched' ? { ...sighting, count: (before.count ?? 1) + 1 } : sighting;
  }

  private keep(observation: Observation): void {
    this.seen.push(observation);
    if (this.seen.length > KEPT_AT_MOST) this.forgetOne();
  }

  /** The oldest of what there is most of, so that one kind cannot displace the others; how the stages went stays. */
  private forgetOne(): void {
    const counts = new Map<Observation['kind'], number>();
    for (const { kind } of this.seen) if (REPEATING.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const [most] = [...counts].sort(([, one], [, other]) => other - one);
    const isSpare = ({ kind }: Observation): boolean => (most ? kind === most[0] : kind !== 'stage');
    this.seen.splice(Math.max(0, this.seen.findIndex(isSpare)), 1);
  }
}

/** Whether a request by ranges asks for the piece behind another one's, and the device has not restarted in between. */
function isNext(
  before: Seen<'image-requested'>,
  { role, class: otaClass, first, randPosition }: ImageRequest,
): boolean {
  if (otaClass !== 'range' || before.class !== 'range' || role !== before.role) return false;
  if (first === undefined || first !== (before.first ?? NaN) + PIECE_BYTES) return false;
  if (randPosition === undefined || before.randPosition === undefined) return randPosition === before.randPosition;
  return randPosition > before.randPosition;
}

function isImageDial(one: Observation): boolean {
  return one.kind === 'dialled' && one.port === 'images';
}

function isBeginning(one: Observation): one is Extract<Observation, StageBegan> {
  return one.kind === 'stage' && one.event === 'began';
}
