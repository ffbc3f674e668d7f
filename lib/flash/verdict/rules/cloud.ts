import { isCloudMethod, methodOf } from '../../../protocol/compatibility';
import type { Seen } from '../../observation';
import { overlapAtHome } from '../networks';
import type { Rule } from '../rule';
import type { EvidenceView } from '../evidence-view';
import { wording, type WordingValue } from '../../../wordings/wording';

const stages = ['cloud'] as const;

/** A device that breaks off after our certificate this often checks it; it will never do anything else. */
const REJECTIONS_FOR_CERTAINTY = 3;
/** One connection or session without a word may be any client's; a device comes back. */
const TIMES_FOR_SUSPICION = 2;

/** Until the device is ready for an upgrade: whether it comes, and what becomes of its connections. */
export const CLOUD_RULES: readonly Rule[] = [
  {
    // SonOTA#28: known before the device is in FinalStage, while the network can still be changed.
    code: 'network-overlap',
    stages,
    see: (seen) => overlapAtHome(seen.dispatches().at(-1)),
  },
  {
    // Its dispatch states its firmware before it is ready; without its key any peer may have sent that.
    code: 'device-not-supported',
    stages,
    see: (seen) => {
      if (seen.began?.deviceid === undefined || seen.began.isForced) return undefined;
      const all = seen.dispatches();
      const last = all.findLast(({ isProven }) => isProven) ?? all.at(-1);
      const known = last && methodOf(last);
      if (!known || isCloudMethod(known)) return undefined;
      const { deviceid, model, romVersion, isProven = false } = last;
      const values = { deviceid, model, romVersion, reason: known.reason };
      return { confidence: isProven ? 'certain' : 'likely', isFinal: isProven, values, evidence: [last] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 7.
    code: 'plain-firmware',
    stages,
    see: (seen) => {
      const last = [...seen.dispatches(), ...seen.inStage('ready')].at(-1);
      return last?.via === 'plain' && !seen.isOver ? { confidence: 'certain', evidence: [last] } : undefined;
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 2: firmware from 1.6 on checks whose certificate it gets. So do browsers and
    // monitors, and a connection that breaks off states no id: only the device's own refusal ends the wait.
    code: 'certificate-rejected',
    stages,
    see: (seen) => {
      const own = ofPeer(rejectionsSinceSetUp(seen), deviceAddress(seen));
      if (isRepeated(seen, own)) {
        return { confidence: 'certain', isFinal: true, values: { peer: own[0]?.peer ?? '?' }, evidence: own };
      }
      const rejections = failures(seen, 'certificate-rejected');
      const last = rejections.at(-1);
      if (!last) return undefined;
      const newcomers = newcomersOf(seen);
      const peers = newcomers.includes(last.peer) ? newcomers : [last.peer];
      return { confidence: 'likely', values: { peer: eitherOf(peers) }, evidence: rejections };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 8: our own TLS library does not want what the device offers.
    code: 'tls-refused',
    stages,
    see: (seen) => {
      const last = failures(seen, 'refused-here').at(-1);
      return last && { confidence: 'likely', values: { peer: last.peer, reason: last.reason }, evidence: [last] };
    },
  },
  {
    code: 'message-malformed',
    stages,
    see: (seen) => {
      const ours = sinceDispatch(seen, 'malformed');
      const last = [...ours, ...failures(seen, 'not-tls')].at(-1);
      return last && { confidence: 'likely', values: { peer: last.peer, reason: last.reason }, evidence: [last] };
    },
  },
  {
    // It has reached us and does not state its id.
    code: 'session-unregistered',
    stages,
    see: (seen) => {
      // It dispatches before each of them, so all of the stage count.
      const registered = seen.inStage('registered').at(-1);
      const all = registered ? seen.after(registered, 'left-unregistered') : seen.inStage('left-unregistered');
      const left = all.filter(({ peer }) => !isAnother(seen, peer));
      const last = left.at(-1);
      const own = ofPeer(left, last?.peer);
      if (!last || !(seen.isOver || own.length >= TIMES_FOR_SUSPICION)) return undefined;
      return { confidence: 'likely', values: { peer: last.peer, count: own.length }, evidence: own };
    },
  },
  {
    code: 'connection-empty',
    stages,
    see: (seen) => {
      const empty = emptyConnections(seen);
      const often = empty.find(({ peer }) => seen.isOver || ofPeer(empty, peer).length >= TIMES_FOR_SUSPICION);
      return often && { confidence: 'likely', values: { peer: often.peer }, evidence: ofPeer(empty, often.peer) };
    },
  },
  {
    // This machine is still in the device's own network, or has another address at home by now.
    code: 'address-changed',
    stages,
    see: (seen) => {
      const told = setUpOf(seen)?.told;
      const now = seen.inStage('addresses').at(-1);
      if (!isSilent(seen) || told === undefined || !now || now.addresses.length === 0) return undefined;
      if (now.addresses.some(({ address }) => address === told)) return undefined;
      const own = now.addresses.map(({ name, address }) => `${address} (${name})`).join(', ');
      return { confidence: 'likely', values: { told, own }, evidence: [now] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 6. A device that was seen before has only lost its way for a while.
    code: 'nothing-arrived',
    stages,
    see: (seen) => {
      if (!seen.began || !isSilent(seen)) return undefined;
      const doubts = setUpOf(seen)?.doubts;
      const seconds = seen.missingSeconds(seen.patience.nothingArrivedMs);
      const sentences = doubts === undefined ? '' : wording('before-the-rest', { text: doubts });
      const values = { seconds, doubts: sentences };
      return { confidence: 'likely', values, evidence: [seen.began] };
    },
  },
  {
    // A peer came, and stated what a device states, but got no further, or it was another device.
    code: 'device-timeout',
    stages,
    see: (seen) => {
      const came = [...seen.inStage('dispatched'), ...seen.inStage('registered')];
      return seen.isOver && came.length > 0 ? { confidence: 'likely', evidence: came } : undefined;
    },
  },
];

/** Whether no peer has dialled for so long that a device which was set up would have. */
function isSilent(seen: EvidenceView): boolean {
  const { began } = seen;
  const hasCome = seen.inStage('dialled').some(({ port }) => port !== 'images') || seen.inStage('ready').length > 0;
  return began !== undefined && !hasCome && seen.isLate(began.at, seen.patience.nothingArrivedMs);
}

/** Whether a peer has dispatched as another device than the one that is waited for. */
function isAnother(seen: EvidenceView, peer: string): boolean {
  const deviceid = seen.began?.deviceid;
  const ids = ofPeer(seen.inStage('dispatched'), peer).map((dispatched) => dispatched.deviceid);
  return deviceid !== undefined && ids.length > 0 && !ids.includes(deviceid);
}

/** The observations of a kind since the device dispatched last, which shows that its way to us is free. */
function sinceDispatch<K extends 'tls-failed' | 'malformed'>(seen: EvidenceView, kind: K): Seen<K>[] {
  const last = seen.dispatches().at(-1);
  const isInStage = last !== undefined && seen.inStage('dispatched').includes(last);
  return isInStage ? seen.after(last, kind) : seen.inStage(kind);
}

function failures(seen: EvidenceView, failure: Seen<'tls-failed'>['failure']): Seen<'tls-failed'>[] {
  return sinceDispatch(seen, 'tls-failed').filter((failed) => failed.failure === failure);
}

/** Handshakes that were never started, and connections to the plain port that nothing has followed. */
function emptyConnections(seen: EvidenceView): (Seen<'tls-failed'> | Seen<'dialled'>)[] {
  const unstarted = sinceDispatch(seen, 'tls-failed').filter(
    ({ helloSeen, failure }) => !helloSeen && (failure === 'broken-off' || failure === 'timeout'),
  );
  const kinds = ['dispatched', 'malformed', 'stranger', 'connection-refused', 'left-unregistered'] as const;
  const isOther = new Set(kinds.flatMap((kind) => seen.inStage(kind).map(({ peer }) => peer)));
  const mute = seen
    .inStage('dialled')
    .filter((dialled) => dialled.port === 'plain' && !isOther.has(dialled.peer))
    .filter((dialled) => seen.isLate(dialled.at, seen.patience.silentConnectionMs));
  return [...unstarted, ...mute];
}

/** Where the device dials from, if that is known: by its key, or because no other peer has come since it was set up. */
function deviceAddress(seen: EvidenceView): string | undefined {
  const proven = seen.dispatches().findLast(({ isProven }) => isProven);
  if (proven) return proven.peer;
  const [only, second] = newcomersOf(seen);
  return setUpOf(seen) && second === undefined ? only : undefined;
}

/** The peers that came for the first time since the set-up, without those that have shown that they are others. */
function newcomersOf(seen: EvidenceView): string[] {
  const mark = setUpOf(seen) ?? seen.began;
  const deviceid = seen.began?.deviceid;
  const others = seen.after(mark, 'dispatched').filter((one) => deviceid !== undefined && one.deviceid !== deviceid);
  const dialled = seen.after(mark, 'dialled').filter(({ port }) => port !== 'images');
  const came = [...dialled, ...seen.after(mark, 'tls-failed')].filter(({ isOld }) => isOld !== true);
  const peers = new Set(came.sort((one, other) => one.at - other.at).map(({ peer }) => peer));
  const modern = seen.after(mark, 'tls-failed').filter(({ isModern }) => isModern);
  for (const { peer } of [...others, ...modern]) peers.delete(peer);
  return [...peers];
}

function setUpOf(seen: EvidenceView): Seen<'provisioned'> | undefined {
  return seen.ever('provisioned').at(-1);
}

/** Those that can be the device's, and no other's that is waited for at the same time. */
function rejectionsSinceSetUp(seen: EvidenceView): Seen<'tls-failed'>[] {
  return seen
    .after(setUpOf(seen), 'tls-failed')
    .filter((failed) => failed.failure === 'certificate-rejected' && !failed.isOld && !failed.isModern)
    .filter(({ isShared }) => !isShared);
}

/** Often enough, and with the pauses that a device makes between two tries: a burst is something else. */
function isRepeated(seen: EvidenceView, rejections: readonly Seen<'tls-failed'>[]): boolean {
  const [first, last] = [rejections[0], rejections.at(-1)];
  if (!first || !last || rejections.length < REJECTIONS_FOR_CERTAINTY) return false;
  return last.at - first.at >= seen.patience.refusalSpanMs;
}

function eitherOf(peers: readonly string[]): WordingValue {
  return peers.reduce<WordingValue>(
    (all, other) => (all === '' ? other : wording('either-peer', { peer: all, other })),
    '',
  );
}

function ofPeer<T extends { peer: string }>(seen: readonly T[], peer: string | undefined): T[] {
  return seen.filter((one) => one.peer === peer);
}
