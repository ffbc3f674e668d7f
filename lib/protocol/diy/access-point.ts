import { checkCredentials } from '../ap';
import type { WebPage } from '../new-firmware';

/** In the same access point as `/ap`, but this one leads into DIY mode (docs/dev/diy-mode.md#1.3). */
export const AP_DIY_PATH = '/ap_diy';

/** The settings of `POST /ap_diy`. */
export interface DiyProvisioning {
  readonly ssid: string;
  /** Empty for an open Wi-Fi. */
  readonly password: string;
}

/**
 * The body of `POST /ap_diy`; the answer is read like that of `/ap` (`parseProvisioningReply`).
 *
 * @throws FlashError as `checkCredentials`
 */
export function diyProvisioningBody({ ssid, password }: DiyProvisioning): string {
  checkCredentials(ssid, password);
  return JSON.stringify({ ssid, password });
}

/**
 * Whether what the access point of a 3.x device shows at `/` is the page of DIY mode. Those without DIY mode answer
 * `/device` and have no page (docs/dev/diy-mode.md#2.6).
 */
export function isDiyPage({ status, body }: WebPage): boolean {
  return status === 200 && /<(!doctype\s+)?html|<title|<script|<body/i.test(body);
}
