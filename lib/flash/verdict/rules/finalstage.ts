import { FINALSTAGE_NETWORK, isInNetwork } from '../../../protocol/device-networks';
import { FINALSTAGE_ADDRESS, FINALSTAGE_HOST_ADDRESS } from '../../../protocol/finalstage';
import type { Observation, Seen } from '../../observation';
import { overlapAtHome, overlapOf } from '../networks';
import type { Rule } from '../rule';
import type { EvidenceView } from '../evidence-view';
import { wording } from '../../../wordings/wording';

const stages = ['finalstage'] as const;

/**
 * Addresses that FinalStage gives to those who come after the first: it takes four guests
 * (docs/dev/stock-firmware.md#5).
 */
const LATER_GUEST = /^192\.168\.4\.[3-9]$/;
const NO_DHCP = '169.254.';

/** From the device's restart into FinalStage until it is gone with the final image. */
export const FINALSTAGE_RULES: readonly Rule[] = [
  {
    // docs/dev/stock-firmware.md#7, row 4. Never sooner than its time, not even at the stage's limit: nothing can undo
    // this word.
    code: 'finalstage-half-erased',
    stages,
    see: (seen) => {
      const dials = dialsWithoutRequest(seen);
      const [first, last] = [dials[0], dials.at(-1)];
      if (!first || !last || seen.now - first.at < seen.patience.halfErasedMs) return undefined;
      const isBehindErase = seen
        .ever('finalstage-ended')
        .some(({ image, how }) => image === 'final' && how === 'broken');
      const isRestarted = dials.some(
        (dial, index) => dial.at - (dials[index - 1]?.at ?? dial.at) >= seen.patience.restartMs,
      );
      const confidence = isBehindErase || isRestarted ? 'certain' : 'likely';
      return { confidence, evidence: [first, last] };
    },
  },
  {
    // The system sends what it was given after the process has ended: the numbers that were kept prove nothing.
    code: 'finalstage-interrupted',
    stages,
    see: (seen) => {
      const ended = newestEnd(seen, 'final');
      if (ended?.how !== 'interrupted' || seen.end === 'ended') return undefined;
      return { confidence: 'likely', evidence: [ended] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 14, where the erase is behind it.
    code: 'finalstage-stalled',
    stages,
    see: (seen) => {
      const broken = breakOf(seen, 'final');
      if (broken && isInterrupted(broken)) return undefined;
      return broken && { confidence: 'certain', values: sizesOf(seen, broken), evidence: [broken] };
    },
  },
  {
    // It has everything, and goes without a goodbye: installed, or switched off in the last moment.
    code: 'finalstage-unconfirmed',
    stages,
    see: (seen) => {
      const ended = seen.ever('finalstage-ended').at(-1);
      const gone = goneSince(seen);
      if (ended?.image !== 'final' || ended.how !== 'acknowledged' || !gone) return undefined;
      if (!seen.isLate(gone.at, seen.patience.unconfirmedMs)) return undefined;
      return { confidence: 'likely', evidence: [ended, gone] };
    },
  },
  {
    // A person who gets this far has a device that is flashed or hangs, and nothing shows which (SonOTA#66).
    code: 'unexplained',
    stages,
    see: (seen) => {
      const ended = seen.ever('finalstage-ended').at(-1);
      if (!seen.isOver || ended?.image !== 'final' || !isWhole(seen, ended)) return undefined;
      const isThere = seen.ever('finalstage-looked').at(-1)?.answered ?? false;
      const reason = wording(isThere ? 'finalstage-stays' : 'finalstage-unseen');
      return { confidence: 'likely', values: { reason }, evidence: [ended] };
    },
  },
  {
    // It waits for the rest without a limit of its own; what it runs from is still whole.
    code: 'user2-stalled',
    stages,
    see: (seen) => {
      const broken = breakOf(seen, 'user2');
      if (!broken) return undefined;
      return {
        confidence: isInterrupted(broken) ? 'likely' : 'certain',
        values: sizesOf(seen, broken),
        evidence: [broken],
      };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 17.
    code: 'network-overlap',
    stages,
    see: (seen) => {
      if (isReached(seen)) return undefined;
      const atHome = joinedSince(seen) ? overlapAtHome(seen.dispatches().at(-1)) : undefined;
      return (
        overlapOf(seen, FINALSTAGE_NETWORK, wording('network-of-finalstage')) ??
        (atHome && { ...atHome, confidence: 'likely' })
      );
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 5, where FinalStage itself gave the address that it does not dial.
    code: 'finalstage-stolen',
    stages,
    see: (seen) => {
      const joined = joinedSince(seen);
      const isThere = seen.inStage('finalstage-looked').at(-1)?.answered;
      if (!joined || !isThere || isReached(seen) || !LATER_GUEST.test(joined.ownAddress ?? '')) return undefined;
      return { confidence: 'likely', values: { actual: joined.ownAddress ?? '?' }, evidence: [joined] };
    },
  },
  {
    code: 'finalstage-wrong-address',
    stages,
    see: (seen) => {
      const joined = joinedSince(seen);
      if (joined && !isReached(seen) && joined.ownAddress !== FINALSTAGE_HOST_ADDRESS) {
        return { confidence: 'certain', values: { actual: joined.ownAddress ?? '?' }, evidence: [joined] };
      }
      // No answer to this machine's question for an address: FinalStage's radio is joined, but nothing more.
      const [before, after] = [seen.inStage('addresses')[0], seen.inStage('addresses').at(-1)];
      const known = new Set(before?.addresses.map(({ address }) => address));
      const odd = after?.addresses.find(({ address }) => address.startsWith(NO_DHCP) && !known.has(address));
      if (!after || !odd || joined || !seen.isLate(after.at, seen.patience.silentConnectionMs)) return undefined;
      return { confidence: 'likely', values: { actual: odd.address }, evidence: [after] };
    },
  },
  {
    // The first client gets the one address that FinalStage dials, and its network is open to any
    // (docs/dev/stock-firmware.md#5).
    code: 'finalstage-stranger',
    stages,
    see: (seen) => {
      const strangers = seen.inStage('stranger').filter(({ peer }) => isGuest(seen, peer));
      const last = strangers.at(-1);
      if (!last || isReached(seen)) return undefined;
      const peers = [...new Set(strangers.map(({ peer }) => peer))];
      return { confidence: 'likely', values: { peer: peers.join(', ') }, evidence: strangers };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 3.
    code: 'finalstage-blocked',
    stages,
    see: (seen) => {
      const joined = joinedSince(seen);
      if (joined?.ownAddress !== FINALSTAGE_HOST_ADDRESS || isReached(seen)) return undefined;
      if (!seen.isLate(joined.at, seen.patience.finalStageDialsMs)) return undefined;
      return { confidence: 'likely', values: { port: seen.began?.ports ?? '?' }, evidence: [joined] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 14, where nothing is lost yet.
    code: 'finalstage-left-early',
    stages,
    see: (seen) => {
      const gone = goneSince(seen);
      if (!gone || isDone(seen, 'final')) return undefined;
      const { leftEarlyMs: leftEarly, secondCycleMs: secondCycle } = seen.patience;
      if (!seen.isLate(gone.at, isDone(seen, 'user2') ? secondCycle : leftEarly)) return undefined;
      return { confidence: 'likely', evidence: [gone] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 13.
    code: 'finalstage-again',
    stages,
    see: (seen) => {
      const last = seen.ever('finalstage-ended').at(-1);
      const isBetween =
        last?.image === 'user2' && isWhole(seen, last) && !seen.after(last, 'finalstage-requested').length;
      return isBetween && !seen.isOver ? { confidence: 'certain', evidence: [last] } : undefined;
    },
  },
  {
    code: 'finalstage-timeout',
    stages,
    see: (seen) => {
      if (!seen.isOver || isDone(seen, 'final')) return undefined;
      return { confidence: 'likely', evidence: [...seen.inStage('stage'), ...seen.inStage('finalstage-looked')] };
    },
  },
];

/** Whether a peer is in FinalStage's own network, and is neither FinalStage nor this machine. */
function isGuest(seen: EvidenceView, peer: string): boolean {
  const others = [FINALSTAGE_ADDRESS, joinedSince(seen)?.ownAddress];
  return isInNetwork(peer, FINALSTAGE_NETWORK) && !others.includes(peer);
}

/** The bare connections since the last request. */
function dialsWithoutRequest(seen: EvidenceView): Seen<'finalstage-dialled'>[] {
  return seen.after(seen.ever('finalstage-requested').at(-1), 'finalstage-dialled');
}

/** How the newest transfer ended, where it was of this image and has ended. */
function newestEnd(seen: EvidenceView, image: 'user2' | 'final'): Seen<'finalstage-ended'> | undefined {
  const requested = seen.ever('finalstage-requested').at(-1);
  return requested?.image === image ? seen.after(requested, 'finalstage-ended').at(-1) : undefined;
}

/** Where the newest transfer of an image stands still or has broken off, that. */
function breakOf(
  seen: EvidenceView,
  image: 'user2' | 'final',
): Seen<'finalstage-stalled'> | Seen<'finalstage-ended'> | undefined {
  const requested = seen.ever('finalstage-requested').at(-1);
  if (requested?.image !== image) return undefined;
  const ended = newestEnd(seen, image);
  if (ended) return isWhole(seen, ended) ? undefined : ended;
  return seen.after(requested, 'finalstage-stalled').at(-1);
}

function isInterrupted(broken: Seen<'finalstage-stalled'> | Seen<'finalstage-ended'>): boolean {
  return broken.kind === 'finalstage-ended' && broken.how === 'interrupted';
}

function sizesOf(
  seen: EvidenceView,
  { image, bytes }: { image: string; bytes: number },
): { sent: number; size: number } {
  const size = seen.ever('finalstage-requested').findLast((requested) => requested.image === image)?.size ?? 0;
  return { sent: bytes, size };
}

function isDone(seen: EvidenceView, image: 'user2' | 'final'): boolean {
  return seen.ever('finalstage-ended').some((ended) => ended.image === image && isWhole(seen, ended));
}

/** The last byte of user2 is enough: the device restarts immediately, and how its connection ends shows nothing. */
function isWhole(seen: EvidenceView, ended: Seen<'finalstage-ended'>): boolean {
  const { sent, size } = sizesOf(seen, ended);
  const isKnown = ended.how === 'acknowledged' || ended.how === 'delivered';
  return isKnown || (ended.image === 'user2' && sent >= size);
}

/** The look at which this machine came into FinalStage's network, if it is in it, with its present address. */
function joinedSince(seen: EvidenceView): Seen<'finalstage-looked'> | undefined {
  const looks = seen.inStage('finalstage-looked');
  const last = looks.at(-1);
  if (last?.ownAddress === undefined) return undefined;
  return looks[looks.findLastIndex(({ ownAddress }) => ownAddress !== last.ownAddress) + 1];
}

/** Whether FinalStage has reached us since this machine came into its network. */
function isReached(seen: EvidenceView): boolean {
  const since = joinedSince(seen)?.at ?? -Infinity;
  const signs = [...seen.ever('finalstage-dialled'), ...seen.ever('finalstage-requested')];
  return signs.some(({ at }) => at >= since);
}

/** The last sign of FinalStage, where it was there and is not any more. */
function goneSince(seen: EvidenceView): Observation | undefined {
  const looks = seen.inStage('finalstage-looked');
  const isThere = (look: Seen<'finalstage-looked'>): boolean => look.answered || look.ownAddress !== undefined;
  const last = looks.at(-1);
  if (!last || isThere(last) || !looks.some(isThere)) return undefined;
  const first = looks[looks.findLastIndex(isThere) + 1] ?? last;
  const signs = [...seen.ever('finalstage-dialled'), ...seen.ever('finalstage-requested')];
  return signs.some(({ at }) => at > first.at) ? undefined : first;
}
