import type { FlashError } from '../errors';
import { failed, passed, warned, type SaidCheck } from './check';
import { phrase } from './phrases';
import { wording } from '../wordings/wording';

/** Which of the home Wi-Fi's two are known; never what they are. */
export interface WifiPresence {
  readonly ssid: boolean;
  readonly password: boolean;
  /** Why a device cannot use them. */
  readonly problem?: FlashError;
}

/** Name and password of the home Wi-Fi are there; a message may still bring them. */
export function checkWifi({ ssid, password, problem }: WifiPresence): SaidCheck {
  if (problem) return failed('wifi', problem);
  if (ssid && password) {
    return passed('wifi', 'wifi-credentials-missing', phrase('wifi-known'));
  }
  const what = !ssid && !password ? 'wifi-both' : ssid ? 'wifi-password' : 'wifi-name';
  return warned('wifi', 'wifi-credentials-missing', { what: wording(what) });
}
