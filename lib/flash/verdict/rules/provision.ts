import { ACCESS_POINT } from '../../../protocol/device-networks';
import { overlapOf } from '../networks';
import type { Rule } from '../rule';
import { wording } from '../../../wordings/wording';

const stages = ['provision'] as const;

/** Until a device has taken its set-up: its access point, and whether this machine can reach it. */
export const PROVISION_RULES: readonly Rule[] = [
  {
    // SonOTA#28: what we send to the device leaves by the other interface.
    code: 'network-overlap',
    stages,
    see: (seen) =>
      seen.inStage('ap-looked').at(-1)?.result === 'answered'
        ? undefined
        : overlapOf(seen, ACCESS_POINT, wording('network-access-point')),
  },
  {
    // A router or a portal of the network that this machine is in; the device's own network comes later.
    code: 'ap-stranger',
    stages,
    see: (seen) => {
      const last = seen.inStage('ap-looked').at(-1);
      if (last?.result !== 'strange' || last.joined) return undefined;
      return {
        confidence: 'likely',
        values: { reason: last.reason ?? wording('no-sonoff-page') },
        evidence: [last],
      };
    },
  },
  {
    // Another machine at the address, in the device's own network.
    code: 'ap-refused',
    stages,
    see: (seen) => {
      const last = seen.inStage('ap-looked').at(-1);
      if (last?.result !== 'strange') return undefined;
      const reason = last.reason ?? wording('no-sonoff');
      return { confidence: 'likely', values: { reason }, evidence: [last] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 11: another default route, a VPN, or an access point that has just closed.
    code: 'ap-silent',
    stages,
    see: (seen) => {
      const looks = seen.inStage('ap-looked');
      const sinceJoined = looks.slice(looks.findLastIndex(({ joined }) => !joined) + 1);
      const first = sinceJoined[0];
      if (!first || sinceJoined.some(({ result }) => result !== 'silent')) return undefined;
      if (!seen.isLate(first.at, seen.patience.apSilentMs)) return undefined;
      return { confidence: 'likely', evidence: [first] };
    },
  },
  {
    // docs/dev/stock-firmware.md#7, row 10: quick pairing instead of the access point, or its three minutes are over.
    code: 'ap-unreachable',
    stages,
    see: (seen) => {
      const looks = seen.inStage('ap-looked');
      if (!seen.isOver || looks.some(({ result }) => result !== 'silent')) return undefined;
      return { confidence: 'likely', evidence: looks };
    },
  },
];
