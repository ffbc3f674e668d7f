import type { WifiNetwork } from '../../../lib/net/wifi/wifi';
import type { AirNetwork } from './access-point';

/** The network of a Sonoff that waits to be set up. */
export const ITEAD: AirNetwork = {
  ssid: 'ITEAD-10000a1b2c',
  password: '12345678',
  channel: 6,
  bssid: '5E:CF:7F:0A:1B:2C',
  address: '10.10.7.1',
  leases: ['10.10.7.2', '10.10.7.20'],
};

export const JOIN_ITEAD: WifiNetwork = { ssid: ITEAD.ssid, psk: ITEAD.password };
