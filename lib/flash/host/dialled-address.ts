import { isIPv4 } from 'node:net';
import { FlashError } from '../../errors';
import type { HomeNetwork } from '../../net/home-network';
import { DEVICE_NETWORKS } from '../../protocol/device-networks';

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
      throw invalid(`${current} is what this machine is called in a device's own network, not at home`);
    }
    if (!isIPv4(current)) throw invalid(`${current} is not an IPv4 address`);
    return current;
  }

  private whyUnknown(): string {
    const { choice } = this.home;
    const candidates = choice.home ? [] : choice.candidates;
    if (candidates.length === 0) {
      return 'none is set, and this machine has no address on a home network that could be found';
    }
    const list = candidates.map(({ address, name }) => `${address} (${name})`).join(', ');
    return `none is set, and this machine is in several networks that may be the home network: ${list}; enter one of these addresses in the host`;
  }
}

function invalid(reason: string): FlashError {
  return new FlashError('address-invalid', { reason });
}
