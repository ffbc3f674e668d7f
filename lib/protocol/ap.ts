import { FlashError } from '../errors';
import { ACCESS_POINT } from './device-networks';
import { isApiKey, isDeviceId } from './device-statement';
import { parseObject } from './json';
import { checkServerAddress } from './server-address';
import type { WordingCode } from '../wordings/table';
import { wording, type Wording } from '../wordings/wording';

/** The access point of an un-provisioned device (docs/dev/stock-firmware.md#1.1, #1.3). */
export const AP_SSID_PREFIX = 'ITEAD-';
export const AP_PASSWORD = '12345678';
export const AP_ADDRESS = ACCESS_POINT.device;
export const AP_URL = `http://${AP_ADDRESS}`;

/** The device finds these by comparing text, so not a character may differ (docs/dev/stock-firmware.md#1.3). */
export const AP_DEVICE_PATH = '/device';
export const AP_PROVISION_PATH = '/ap';

/** Limits of the device's buffers, in bytes: 32 and 64 with the final zero (docs/dev/stock-firmware.md#1.3). */
export const SSID_LIMIT = 31;
export const PASSWORD_LIMIT = 63;

/** The reply to `GET /device`. */
export interface DeviceInfo {
  readonly deviceid: string;
  /** The device's own (factory) key, a secret. */
  readonly apikey: string;
  /** It has a `chipid` too, as firmware 3.x has and that of the emulated cloud has not (docs/dev/diy-mode.md#2.6). */
  readonly statesChipId?: true;
}

/** The settings of `POST /ap`. */
export interface Provisioning {
  readonly ssid: string;
  /** Empty for an open Wi-Fi. */
  readonly password: string;
  /** The IPv4 address or host name that the device dials from now on, at most 50 characters. */
  readonly serverName: string;
  /** The TLS port that it dials there. */
  readonly port: number;
}

/**
 * Reads the body of the answer to `GET /device`.
 *
 * @param url the device's address as the user knows it, for the error
 * @throws FlashError `ap-refused` where that body is not a Sonoff's
 */
export function parseDeviceInfo(body: string, url: string = AP_URL): DeviceInfo {
  const parsed = parseObject(body);
  if ('reason' in parsed)
    throw new FlashError('ap-refused', { url, reason: wording('description-unusable', { why: parsed.reason }) });
  const { deviceid, apikey, chipid } = parsed.object;
  if (!isDeviceId(deviceid) || !isApiKey(apikey)) {
    throw new FlashError('ap-refused', { url, reason: wording('description-anonymous') });
  }
  return { deviceid, apikey, ...(typeof chipid === 'string' ? { statesChipId: true } : {}) };
}

/**
 * Whether a device can store these credentials, before anything is posted: the device answers "accepted" before it
 * tries them, so a mistake would only show as a device that never dials (docs/dev/stock-firmware.md#1.3).
 *
 * @returns warnings, each a sentence that does not quote the password
 * @throws FlashError `wifi-credentials-missing`, `wifi-credentials-unusable`
 */
export function checkCredentials(ssid: string | undefined, password: string | undefined): Wording[] {
  if (typeof ssid !== 'string' || ssid === '')
    throw new FlashError('wifi-credentials-missing', { what: wording('wifi-name') });
  if (typeof password !== 'string')
    throw new FlashError('wifi-credentials-missing', { what: wording('wifi-password') });
  refuseOuterSpaces('home-wifi-name', ssid);
  refuseOuterSpaces('home-wifi-password', password);
  checkLength('home-wifi-name', ssid, SSID_LIMIT);
  checkLength('home-wifi-password', password, PASSWORD_LIMIT);

  const warnings: Wording[] = [];
  if (password === '') {
    warnings.push(wording('doubt-empty-password'));
  } else if ([...password].length < 8) {
    warnings.push(wording('doubt-short-password'));
  }
  if (!isPlain(ssid)) warnings.push(wording('doubt-name-characters'));
  if (!isPlain(password)) warnings.push(wording('doubt-password-characters'));
  return warnings;
}

/** Which of the two, as errors name it. */
type Credential = 'home-wifi-name' | 'home-wifi-password';

/**
 * A space at an end is a slip far more often than part of a Wi-Fi, and Tasmota cannot store one.
 * @throws FlashError `wifi-credentials-unusable`
 */
export function refuseOuterSpaces(what: Credential, text: string | undefined): void {
  if (text === undefined || text.trim() === text) return;
  throw new FlashError('wifi-credentials-unusable', { what: wording(what), reason: wording('wifi-outer-space') });
}

/**
 * The body of `POST /ap`, in the order and with the spelling that SonOTA proved. Characters outside ASCII stay as they
 * are: the device copies what stands between the quotes, and undoes no escapes (docs/dev/stock-firmware.md#1.3).
 *
 * @throws FlashError as `checkCredentials`; `address-invalid` where the device could not dial that server
 */
export function provisioningBody({ ssid, password, serverName, port }: Provisioning): string {
  checkCredentials(ssid, password);
  checkServerAddress(serverName, port);
  return JSON.stringify({ version: 4, ssid, password, serverName, port });
}

/**
 * Reads the body of the answer to `POST /ap`. It says only that the device took the credentials, not that they work.
 *
 * @throws FlashError `ap-refused` with the device's code
 */
export function parseProvisioningReply(body: string, url: string = AP_URL): void {
  const parsed = parseObject(body);
  if ('reason' in parsed)
    throw new FlashError('ap-refused', { url, reason: wording('answer-unusable', { why: parsed.reason }) });
  const { error } = parsed.object;
  if (error === 0) return;
  if (typeof error !== 'number') throw new FlashError('ap-refused', { url, reason: wording('answer-without-error') });
  const meaning = PROVISIONING_ERRORS[error];
  const reason =
    meaning === undefined
      ? wording('answer-error', { error })
      : wording('answer-error-because', { error, why: wording(meaning) });
  throw new FlashError('ap-refused', { url, reason });
}

// docs/dev/stock-firmware.md#1.3. They belong to quick pairing, where the device is already in the home network.
const PROVISIONING_ERRORS: Readonly<Record<number, WordingCode>> = {
  400: 'pairing-timeout',
  401: 'pairing-password',
  402: 'pairing-not-found',
  403: 'pairing-refused',
  404: 'pairing-unknown',
};

function checkLength(what: Credential, text: string, limit: number): void {
  const length = Buffer.byteLength(text, 'utf8');
  if (length > limit)
    throw new FlashError('wifi-credentials-unusable', {
      what: wording(what),
      reason: wording('wifi-too-long', { limit }),
    });
}

/** Printable ASCII without the two characters that JSON must escape. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !/["\\]/.test(text);
}
