import type { ErrorValues } from '../../errors';
import type { Observation, ObservationKind, Seen, StageBegan } from '../observation';
import type { Patience } from './patience';
import { wording } from '../../wordings/wording';

/** A job's observations as the rules ask for them. */
export class EvidenceView {
  /** The start of the judged stage, if one has started. */
  readonly began: (StageBegan & { at: number }) | undefined;
  /** How that stage ended, if it has. */
  readonly end: 'over' | 'ended' | 'failed' | undefined;
  private readonly start: number;

  constructor(
    readonly all: readonly Observation[],
    readonly now: number,
    readonly patience: Patience,
  ) {
    this.start = all.findLastIndex((seen) => seen.kind === 'stage' && seen.event === 'began');
    const began = all[this.start];
    if (began?.kind === 'stage' && began.event === 'began') this.began = began;
    const ends = this.inStage('stage').flatMap(({ event }) => (event === 'began' ? [] : [event]));
    this.end = ends.at(-1);
  }

  /** The stage's time limit has come, so that nothing more is to be waited for. */
  get isOver(): boolean {
    return this.inStage('stage').some(({ event }) => event === 'over');
  }

  /** Everything of a kind since the stage started. */
  inStage<K extends ObservationKind>(kind: K): Seen<K>[] {
    return this.all.slice(Math.max(0, this.start)).filter((seen): seen is Seen<K> => seen.kind === kind);
  }

  /** Everything of a kind since the stage started from its beginning: a restart of this program only continues it. */
  inAttempt<K extends ObservationKind>(kind: K): Seen<K>[] {
    const isFirst = (seen: Observation): boolean => seen.kind === 'stage' && seen.event === 'began' && !seen.isResumed;
    return this.after(this.all.findLast(isFirst), kind);
  }

  /** Everything of a kind in the whole job. */
  ever<K extends ObservationKind>(kind: K): Seen<K>[] {
    return this.all.filter((seen): seen is Seen<K> => seen.kind === kind);
  }

  /** Everything of a kind that came after another observation; in the whole job where that is undefined. */
  after<K extends ObservationKind>(mark: Observation | undefined, kind: K): Seen<K>[] {
    const index = mark ? this.all.indexOf(mark) : -1;
    return this.all.slice(index + 1).filter((seen): seen is Seen<K> => seen.kind === kind);
  }

  /** Whether so long has passed since `at`, or the stage's time is over anyway. */
  isLate(at: number, patienceMs: number): boolean {
    return this.isOver || this.now - at >= patienceMs;
  }

  /** For how long something has been missing, in s: the whole time of the stage once that is over, else the patience. */
  missingSeconds(patienceMs: number): number {
    return this.isOver ? (this.began?.seconds ?? 0) : Math.ceil(patienceMs / 1000);
  }

  /** Values that the sentences of every verdict may need. */
  get values(): ErrorValues {
    const { deviceid = wording('unknown'), seconds = 0, url = '?', address = '?', ports = '?' } = this.began ?? {};
    // From the last observation with them: a device that dialled in before its job started no longer dispatches.
    const stated = [...this.dispatches(), ...this.ever('ready'), ...this.ever('device-facts')].sort(
      (one, other) => one.at - other.at,
    );
    const model = stated.findLast((seen) => seen.model !== undefined)?.model ?? wording('unknown');
    const romVersion = stated.findLast((seen) => seen.romVersion !== undefined)?.romVersion ?? wording('unknown');
    return { deviceid, seconds, url, address, ports, model, romVersion };
  }

  /** The dispatches among these of the device that is waited for; of any where none is named. */
  dispatches(among = this.ever('dispatched')): Seen<'dispatched'>[] {
    const deviceid = this.began?.deviceid;
    return among.filter((seen) => deviceid === undefined || seen.deviceid === deviceid);
  }
}
