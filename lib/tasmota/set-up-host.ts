import type { WifiChoice } from '../net/wifi/choose';
import type { AccessPoint, JoinedNetwork, WifiNetwork } from '../net/wifi/wifi';

/** The purpose of the radio here; others want it, too. */
interface Wanted {
  readonly purpose: 'set-up';
  readonly signal: AbortSignal;
}

/** The part of the machine that a set-up may use. */
export interface SetUpHost {
  /** The IPv4 that devices dial, where it is known. */
  readonly address: string | undefined;
  /** This machine's addresses, as far as they matter for a device at `url`. */
  ownAddresses(url: string): readonly { readonly address: string }[];
  /** Whether the networks of a device at `url` are joined by Wi-Fi. */
  hasWifi(url: string): boolean;
  readonly radio: {
    /** The purpose of its present holder. */
    readonly holder: string | undefined;
    /** The way networks are joined here. @throws FlashError `wifi-*`, `cancelled` */
    choice(signal: AbortSignal): Promise<WifiChoice>;
    /** Looks until the access point is there that is meant. @throws FlashError `wifi-*`, `cancelled` */
    lookFor(isMeant: (accessPoint: AccessPoint) => boolean, wanted: Wanted): Promise<AccessPoint>;
    /**
     * Does `work` in a network and leaves it afterwards, whatever happens.
     * @throws FlashError `wifi-*`, `cancelled`, or what `work` throws
     */
    withNetwork<T>(
      network: WifiNetwork,
      wanted: Wanted,
      work: (joined: JoinedNetwork, signal: AbortSignal) => Promise<T>,
    ): Promise<T>;
  };
}
