import { isIPv4 } from 'node:net';
import { FlashError } from '../../errors';
import type { HomeNetwork } from '../../net/home-network';
import { DEVICE_NETWORKS } from '../../protocol/device-networks';
import { wording, type Wording } from '../../wordings/wording';

/** This machine's own address as the first guest of a device's access point, and of FinalStage. */
const GUEST_ADDRESSES = DEVICE_NETWORKS.map(({ guest }) => guest);

/** The IPv4 that devices dial: the one that a person has set, else this machine's own on its home network. */
export class DialledAddress {
  /** @param set what a person has set; empty = nothing */
  constructor(
    private readonly set: () => string,
    private readonly home: Pick<HomeNetwork, 'choice' | 'current'>,
  ) {}

  get current(): string | undefined {
    return this.set() || this.home.current;
  }

  get isSet(): boolean {
    return this.set() !== '';
  }

  /** Whether it is one that this machine had, if not now, when it was last on its home network. */
  get isRemembered(): boolean {
    return this.home.current !== undefined && this.home.current === this.current;
  }

  /**
   * The address to give a device. One that a person has set may lie in the range of a device's own networks: there are
   * homes that use the same numbers.
   * @throws FlashError `address-invalid`
   */
  require(): string {
    const { current } = this;
    if (current === undefined) throw invalid(this.whyUnknown());
    if (GUEST_ADDRESSES.includes(current)) {
      throw invalid(wording('address-of-guest', { address: current }));
    }
    if (!isIPv4(current)) throw invalid(wording('address-not-ipv4', { address: current }));
    return current;
  }

  private whyUnknown(): Wording {
    const { choice } = this.home;
    const candidates = choice.home ? [] : choice.candidates;
    if (candidates.length === 0) {
      return wording('address-none');
    }
    const list = candidates.map(({ address, name }) => `${address} (${name})`).join(', ');
    return wording('address-several', { list });
  }
}

function invalid(reason: Wording): FlashError {
  return new FlashError('address-invalid', { reason });
}
