import { passed, warned, type Check } from './check';

/** Which of the home Wi-Fi's two are known; never what they are. */
export interface WifiPresence {
  readonly ssid: boolean;
  readonly password: boolean;
}

/** Name and password of the home Wi-Fi are there; a message may still bring them. */
export function checkWifi({ ssid, password }: WifiPresence): Check {
  if (ssid && password) {
    return passed('wifi', 'wifi-credentials-missing', 'Name and password of the home Wi-Fi are known.');
  }
  const what = !ssid && !password ? 'name and password' : ssid ? 'password' : 'name';
  return warned('wifi', 'wifi-credentials-missing', { what });
}
