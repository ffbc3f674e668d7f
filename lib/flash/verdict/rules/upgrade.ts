import { PIECE_BYTES } from '../../../client/range-fetch';
import { refusalOf, type RefusalCode } from '../../../protocol/acknowledgements';
import { PROVEN_VERSION } from '../../../protocol/upgrade';
import type { Observation, Seen } from '../../observation';
import type { RuleMatch, Rule } from '../rule';
import type { EvidenceView } from '../evidence-view';
import { wording } from '../../../wordings/wording';

const stages = ['upgrade'] as const;

/** A device that restarts in mid-upgrade dials again and may succeed then (SonOTA#21); not without limit. */
export const SESSIONS_AT_MOST = 3;
/** A download that restarts this often will not end. */
const RESTARTS_FOR_SUSPICION = 3;
/** The observations of the newest command, from its sending on. */
interface Attempt {
  readonly sent: Seen<'upgrade-sent'>;
  readonly requests: Seen<'image-requested'>[];
  readonly acknowledged: Seen<'acknowledged'> | undefined;
  readonly lost: Seen<'session-lost'> | undefined;
}

/** From the command to the device's own verdict on it. */
export const UPGRADE_RULES: readonly Rule[] = [
  {
    // Its acknowledgement is lost, or its session without a goodbye: whether it installs, the next stage sees.
    code: 'one-hop-unconfirmed',
    stages,
    see: (seen) => {
      const whole = unacknowledged(seen);
      if (!whole || oneHopState(seen) !== 'silent') return undefined;
      return { confidence: 'likely', isFinal: true, evidence: [whole] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 9: it does not continue where its connection broke off, but starts over.
    code: 'download-restarts',
    stages,
    see: (seen) => {
      const attempt = newestAttempt(seen);
      if (!attempt || attempt.acknowledged?.error === 0) return undefined;
      const beginnings = attempt.requests.filter((request) => request.class === 'range' && request.first === 0);
      if (beginnings.length < RESTARTS_FOR_SUSPICION) return undefined;
      const values = { times: beginnings.length };
      return { confidence: 'likely', isFinal: attempt.acknowledged !== undefined, values, evidence: beginnings };
    },
  },
  {
    // The command arrives, the image is never asked for: the port of the images is closed to the device.
    code: 'download-blocked',
    stages,
    see: (seen) => {
      const attempt = newestAttempt(seen);
      if (!attempt || attempt.lost || attempt.requests.length > 0) return undefined;
      const { sent, acknowledged } = attempt;
      const { failedConnectionMs: failedConnection, noRequestMs: noRequest } = seen.patience;
      const isBlocked = acknowledged
        ? acknowledged.error === 404 && acknowledged.at - sent.at >= failedConnection
        : seen.isLate(sent.at, noRequest);
      if (!isBlocked) return undefined;
      const evidence = acknowledged ? [sent, acknowledged] : [sent];
      return { confidence: 'likely', isFinal: acknowledged !== undefined, evidence };
    },
  },
  refusal('download-failed'),
  refusal('upgrade-malformed'),
  refusal('model-refused'),
  refusal('digest-refused'),
  {
    // The one refusal that another offer can answer, once (docs/dev/design.md#3.4).
    code: 'version-refused',
    stages,
    see: (seen) => {
      const finding = refused(seen, 'version-refused', ({ sent, acknowledged }) => ({
        confidence: 'certain',
        values: { version: sent.version },
        evidence: evidenceOf(sent, acknowledged),
      }));
      const isLastOffer = newestAttempt(seen)?.sent.version !== PROVEN_VERSION;
      return finding && { ...finding, isFinal: isLastOffer };
    },
  },
  {
    code: 'unexplained',
    stages,
    see: (seen) => {
      const { acknowledged } = newestAttempt(seen) ?? {};
      if (!acknowledged || acknowledged.error === 0) return undefined;
      const { deviceid = wording('unknown') } = seen.values;
      const reason = wording('upgrade-answered', { deviceid, error: acknowledged.error });
      return { confidence: 'certain', isFinal: true, values: { reason }, evidence: [acknowledged] };
    },
  },
  {
    // It has sent something else before it went: what broke off is not the download alone.
    code: 'message-malformed',
    stages,
    see: (seen) => {
      const { sent, lost, acknowledged } = newestAttempt(seen) ?? {};
      const last = seen.after(sent, 'malformed').at(-1);
      if (!lost || acknowledged || !last || oneHopState(seen) === 'writing') return undefined;
      const values = { peer: last.peer, reason: last.reason };
      return { confidence: 'likely', isFinal: true, values, evidence: [last, lost] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 12. That the `ts` sequence restarted proves a restart; a lost Wi-Fi leaves it
    // as it was.
    code: 'device-rebooted',
    stages,
    see: (seen) => {
      const attempt = newestAttempt(seen);
      if (!attempt?.lost || attempt.acknowledged || oneHopState(seen) === 'writing') return undefined;
      const times = attempt.sent.session;
      const isFinal = times >= SESSIONS_AT_MOST;
      // At its limit before that, the stage knows only that the device has not come back.
      if (seen.isOver && !isFinal) return undefined;
      const restarted = restartedSequence(seen);
      const confidence = restarted ? 'certain' : 'likely';
      return { confidence, isFinal, values: { times }, evidence: [...(restarted ?? []), attempt.lost] };
    },
  },
  {
    code: 'device-silent',
    stages,
    see: (seen) => {
      const attempt = newestAttempt(seen);
      if (!seen.isOver || !attempt || (attempt.acknowledged?.error ?? 0) !== 0) return undefined;
      return { confidence: 'likely', evidence: evidenceOf(attempt.sent, attempt.requests.at(-1)) };
    },
  },
  {
    // It was never there, so it got no command.
    code: 'device-timeout',
    stages,
    see: (seen) => {
      if (!seen.isOver || newestAttempt(seen)) return undefined;
      return { confidence: 'likely', evidence: seen.inStage('stage') };
    },
  },
];

/** A refusal whose number says what it is, and that nothing else can be offered against. */
function refusal(code: RefusalCode): Rule {
  const see = (seen: EvidenceView): RuleMatch | undefined =>
    refused(seen, code, ({ sent, acknowledged }) => ({
      confidence: 'certain',
      evidence: evidenceOf(sent, acknowledged),
    }));
  return { code, stages, see };
}

/** The verdict on this refusal; the stage ends with it. */
function refused(
  seen: EvidenceView,
  code: RefusalCode,
  explain: (attempt: Attempt) => RuleMatch | undefined,
): RuleMatch | undefined {
  const attempt = newestAttempt(seen);
  const error = attempt?.acknowledged?.error;
  if (!attempt || error === undefined || refusalOf(error) !== code) return undefined;
  const finding = explain(attempt);
  const values = { error, version: attempt.sent.version, reason: wording('reported', { error }), ...finding?.values };
  return finding && { isFinal: true, ...finding, values };
}

/** Most rules ask for it. */
const attempts = new WeakMap<EvidenceView, Attempt | 'none'>();

function newestAttempt(seen: EvidenceView): Attempt | undefined {
  const known = attempts.get(seen) ?? findAttempt(seen) ?? 'none';
  attempts.set(seen, known);
  return known === 'none' ? undefined : known;
}

function findAttempt(seen: EvidenceView): Attempt | undefined {
  const sent = seen.inStage('upgrade-sent').at(-1);
  if (!sent) return undefined;
  return {
    sent,
    requests: seen.after(sent, 'image-requested'),
    acknowledged: seen.after(sent, 'acknowledged').at(-1),
    lost: seen.after(sent, 'session-lost').at(-1),
  };
}

/**
 * What a device does that has the whole file of one hop and has not acknowledged it: it may be writing its new firmware,
 * so that its power must not be cut; or it is silent for longer than that takes. Undefined for any other device.
 */
export function oneHopState(seen: EvidenceView): 'writing' | 'silent' | undefined {
  const whole = unacknowledged(seen);
  if (!whole) return undefined;
  // While this program was not there, the device could not show that it still runs its stock firmware.
  const since = Math.max(whole.at, seen.began?.at ?? 0);
  return seen.now - since < seen.patience.oneHopWritesMs ? 'writing' : 'silent';
}

/**
 * In one hop, what shows that the device has the whole file, where it has neither acknowledged that nor shown its stock
 * firmware since. A restart of this program changes nothing of that; a stage that starts from its beginning does.
 */
function unacknowledged(seen: EvidenceView): Observation | undefined {
  const sent = seen.inAttempt('upgrade-sent').at(-1);
  if (!sent?.isOneHop || seen.after(sent, 'acknowledged').length > 0) return undefined;
  const lastPiece = seen
    .after(sent, 'image-requested')
    .findLast(({ first = -PIECE_BYTES, size }) => first + PIECE_BYTES >= size);
  const whole = lastPiece ?? seen.after(sent, 'image-ended').findLast(({ complete }) => complete);
  return whole && isBackSince(seen, whole) ? undefined : whole;
}

/** Only stock firmware dials. */
function isBackSince(seen: EvidenceView, mark: Observation): boolean {
  return seen.after(mark, 'registered').length > 0 || seen.dispatches(seen.after(mark, 'dispatched')).length > 0;
}

/** Two requests of which the later one stands before the earlier one in the device's sequence of random numbers. */
function restartedSequence(seen: EvidenceView): Observation[] | undefined {
  let furthest: Seen<'image-requested'> | undefined;
  for (const request of seen.inStage('image-requested')) {
    if (request.randPosition === undefined) continue;
    if (furthest?.randPosition !== undefined && request.randPosition <= furthest.randPosition)
      return [furthest, request];
    furthest = request;
  }
  return undefined;
}

function evidenceOf(...seen: (Observation | undefined)[]): Observation[] {
  return seen.filter((one) => one !== undefined);
}
