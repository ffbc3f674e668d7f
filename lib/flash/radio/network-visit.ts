import { EventEmitter } from 'node:events';
import { asFlashError, explained, FlashError, type ErrorCode } from '../../errors';
import type { AccessPoint, WifiNetwork } from '../../net/wifi/wifi';
import { pause } from '../../net/wifi/within';
import type { ProgressTextName, ProgressValues } from '../../progress-texts';
import type { JobEvidence } from '../job/evidence';
import type { Radio, WifiLease } from './radio';
import type { RadioPurpose } from './radio-owner';
import { wording } from '../../wordings/wording';

/** Others have their turn in between, and a scan disturbs whatever else uses the interface. */
export const LOOK_PAUSE_MS = 1500;
export const AGAIN_PAUSE_MS = 2000;

/** Errors that waiting does not cure, and how often anything else is tried in a row. */
const TRIES: Partial<Record<ErrorCode, number>> = {
  'wifi-unavailable': 1,
  'wifi-not-permitted': 1,
  'wifi-uplink': 1,
  'wifi-interface-missing': 1,
  'wifi-interface-unusable': 1,
  'wifi-address-needed': 1,
  'device-unknown': 1,
  'wifi-password-wrong': 3,
  'wifi-no-address': 4,
  'wifi-timeout': 4,
  'wifi-failed': 4,
  'wifi-supervisor-failed': 4,
  'wifi-supervisor-timeout': 3,
  // NetworkManager restarts.
  'wifi-service-away': 20,
};

/** A stick that is put in again, a cable that was pulled for a moment: waited for where it has worked before. */
const PASSING: readonly ErrorCode[] = [
  'wifi-unavailable',
  'wifi-uplink',
  'wifi-interface-missing',
  'wifi-interface-unusable',
];
const TRIES_WHERE_IT_PASSES = 10;

/** A stage's use of the radio. */
export interface JoinPlan {
  readonly purpose: RadioPurpose;
  /** The report while its network is not there. */
  readonly looking: ProgressTextName;
  /**
   * The access point to join of those in reach, if it is there.
   * @throws FlashError where it is not clear which, or only a wrong one is there
   */
  pick(inReach: readonly AccessPoint[]): AccessPoint | undefined;
  networkOf(accessPoint: AccessPoint): WifiNetwork;
  /** A person has joined it manually, or a transfer is on the wire: then the radio is not touched. */
  isThereAlready(interfaceName: string): boolean;
  joined(accessPoint: AccessPoint): void;
  /** How long its host may be silent before it is left and joined again; 0 = without limit. */
  readonly answerLimitMs: number;
}

/** Where a visit stands, in words for people. */
export interface JoinReport {
  readonly name: ProgressTextName;
  readonly values: ProgressValues;
}

/**
 * Joins a device's network automatically, again and again while the stage lasts, and leaves it afterwards. Where a person
 * must join it does nothing, and has no news. Emits `changed` with each piece of news.
 */
export class NetworkVisit extends EventEmitter<{ changed: [] }> {
  news: JoinReport | undefined;
  private lease: WifiLease | undefined;
  /** Until what is let go is as it was before: the home Wi-Fi is back. */
  private releasing: Promise<void> | undefined;
  /** Until it is joined, or that has failed and been undone. */
  private joining: Promise<unknown> | undefined;
  private ssid: string | undefined;
  private hadDriver = false;
  private hasJoined = false;
  private readonly leaving = new AbortController();
  private readonly failures = new Map<ErrorCode, number>();

  constructor(
    private readonly radio: Radio,
    private readonly evidence: JobEvidence,
    private readonly plan: JoinPlan,
  ) {
    super();
  }

  /** Whether this machine is in the network by our own doing, or about to be. */
  get isJoined(): boolean {
    return this.ssid !== undefined;
  }

  /**
   * Never resolves: it continues until the signal aborts, and then stays where it is until `leave`. A device may answer
   * before its network counts as joined: so the joining continues behind an abort.
   *
   * @throws FlashError when it is of no use to try any longer
   */
  async keepJoined(signal: AbortSignal): Promise<never> {
    for (;;) {
      try {
        const { driver, refusals } = await this.radio.choice(signal);
        const refusal = refusals.at(-1)?.error;
        // The stage itself notices what a person does; an automatic join is not left to a person.
        if (driver === 'manual' && !(this.hadDriver && refusal)) return await until(signal);
        if (driver === 'manual')
          throw refusal ?? new FlashError('wifi-unavailable', { reason: wording('driver-gone') });
        this.hadDriver = true;
        // Also while others have the radio: a person must not take it for their own task.
        if (!this.news) this.tell('looking', {});
        await this.joinOnce(signal);
        await pause(LOOK_PAUSE_MS, signal);
      } catch (thrown) {
        signal.throwIfAborted();
        const error = asFlashError(thrown);
        // Reported before leaving, which may take its time.
        this.note(error);
        await this.stepOut();
        this.throwIfHopeless(error);
        await pause(AGAIN_PAUSE_MS, signal);
      }
    }
  }

  /** Leaves for good, and lets others have the radio. Never throws. */
  async leave(): Promise<void> {
    this.leaving.abort();
    await this.stepOut();
  }

  private async stepOut(): Promise<void> {
    await this.joining?.catch(() => undefined);
    const { lease, ssid } = this;
    this.lease = undefined;
    if (lease) this.releasing = lease.release();
    // The stage may end while a lost network is left already.
    await this.releasing;
    this.ssid = undefined;
    if (ssid !== undefined) this.evidence.add({ kind: 'wifi', event: 'left', ssid });
  }

  /** Looks once; where the network is there, resolves no sooner than it is lost again, by throwing that. */
  private async joinOnce(signal: AbortSignal): Promise<void> {
    const lease = await this.radio.acquire(this.plan.purpose, signal);
    if (this.leaving.signal.aborted) {
      // Its turn came when the stage had gone: nothing else would release it.
      await lease.release();
      throw new FlashError('cancelled');
    }
    this.lease = lease;
    if (lease.driver.name === 'manual' || this.plan.isThereAlready(lease.driver.interfaceName)) {
      this.progressText(undefined);
      return await this.stepOut();
    }
    const lost = lossOf(lease, signal);
    try {
      const accessPoint = this.plan.pick(await lease.scan(signal));
      if (!accessPoint) {
        this.tell('looking', {});
        return await this.stepOut();
      }
      const network = this.plan.networkOf(accessPoint);
      const { ssid } = network;
      this.tell('joining', { ssid });
      this.evidence.add({ kind: 'wifi', event: 'joining', ssid });
      this.ssid = ssid;
      const joining = lease.join(network, this.leaving.signal).then(({ address }) => {
        this.failures.clear();
        this.hasJoined = true;
        this.evidence.add({ kind: 'wifi', event: 'joined', ssid });
        this.plan.joined(accessPoint);
        this.tell('joined', { ssid, actual: address });
      });
      this.joining = joining;
      await Promise.race([joining, until(signal)]);
      const silent = new FlashError('wifi-lost', { ssid, reason: wording('nothing-answers-in-it') });
      await lost.orAfter(this.plan.answerLimitMs, silent);
    } finally {
      lost.stop();
    }
  }

  private note(error: FlashError): void {
    const { code, values } = error;
    this.evidence.add({ kind: 'wifi', event: code === 'wifi-lost' ? 'lost' : 'failed', code, values });
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    this.progressText({ name: 'wifi-trouble', values: { message: explained(error) } });
  }

  /** @throws the error itself where it has come too often */
  private throwIfHopeless(error: FlashError): void {
    const { code } = error;
    const mayPass = this.hasJoined && PASSING.includes(code);
    const tries = mayPass ? TRIES_WHERE_IT_PASSES : (TRIES[code] ?? Infinity);
    if ((this.failures.get(code) ?? 0) >= tries) throw error;
  }

  private tell(what: 'looking' | 'joining' | 'joined', values: ProgressValues): void {
    // That it is still not there says less than why it went.
    if (what === 'looking' && this.news?.name === 'wifi-trouble') return;
    this.progressText({ name: what === 'looking' ? this.plan.looking : `wifi-${what}`, values });
  }

  private progressText(news: JoinReport | undefined): void {
    this.news = news;
    this.emit('changed');
  }
}

/** Reports from the start whether a network that is joined is lost. */
function lossOf(
  { driver }: WifiLease,
  signal: AbortSignal,
): { orAfter(limitMs: number, late: FlashError): Promise<never>; stop(): void } {
  const controller = new AbortController();
  const onLost = (error: FlashError): void => controller.abort(error);
  driver.once('lost', onLost);
  let timer: NodeJS.Timeout | undefined;
  return {
    orAfter: (limitMs, late) => {
      if (limitMs > 0) timer = setTimeout(() => controller.abort(late), limitMs);
      return until(AbortSignal.any([signal, controller.signal]));
    },
    stop: () => {
      clearTimeout(timer);
      driver.off('lost', onLost);
    },
  };
}

/** Rejects with the signal's reason when it aborts. */
function until(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
