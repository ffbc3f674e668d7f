import type { HomeNetwork, OwnNetwork, VirtualRadio } from '../../../lib/virtual/device/radio';
import { AccessPoint } from '../air/access-point';
import { Station } from '../air/station';

/** An ESP8266 has one radio for both; here they are two, which only spares the device the change of channel. */
export interface Radios {
  ap: string;
  station: string;
}

const CHANNEL = 6;

/** The device's radio in real 802.11. Runs in the namespace that holds the radios. */
export function airRadio({ ap, station }: Radios, withoutLeases: boolean): VirtualRadio {
  const home = new Station(station);
  let own: AccessPoint | undefined;
  return {
    openAccessPoint: async ({ ssid, password, address, bssid, stolen }: OwnNetwork) => {
      const net = address.slice(0, address.lastIndexOf('.'));
      // An access point of the ESP8266's SDK gives the addresses from .2 on; a stolen one has given .2 away.
      const leases = withoutLeases ? undefined : ([`${net}.${stolen ? 3 : 2}`, `${net}.20`] as const);
      own = await AccessPoint.open(undefined, ap, { ssid, password, address, bssid, leases, channel: CHANNEL });
    },
    closeAccessPoint: async () => await own?.vanish(),
    joinHome: async (network: HomeNetwork, signal: AbortSignal) => await home.join(network, signal),
    leaveHome: async () => await home.leave(),
  };
}
