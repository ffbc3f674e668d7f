import { FlashError } from '../errors';
import { ACCESS_POINT } from './device-networks';
import { isApiKey, isDeviceId } from './device-statement';
import { parseObject } from './json';
import { checkServerAddress } from './server-address';

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

/** What `GET /device` tells. */
export interface DeviceInfo {
  readonly deviceid: string;
  /** The device's own (factory) key, a secret. */
  readonly apikey: string;
  /** It has a `chipid` too, as firmware 3.x has and that of the emulated cloud has not (docs/dev/diy-mode.md#2.6). */
  readonly statesChipId?: true;
}

/** What `POST /ap` sets. */
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
    throw new FlashError('ap-refused', { url, reason: `its description is unusable, ${parsed.reason}` });
  const { deviceid, apikey, chipid } = parsed.object;
  if (!isDeviceId(deviceid) || !isApiKey(apikey)) {
    throw new FlashError('ap-refused', { url, reason: 'its description has no usable deviceid and apikey' });
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
export function checkCredentials(ssid: string | undefined, password: string | undefined): string[] {
  if (typeof ssid !== 'string' || ssid === '') throw new FlashError('wifi-credentials-missing', { what: 'name' });
  if (typeof password !== 'string') throw new FlashError('wifi-credentials-missing', { what: 'password' });
  refuseOuterSpaces('Wi-Fi name', ssid);
  refuseOuterSpaces('Wi-Fi password', password);
  checkLength('Wi-Fi name', ssid, SSID_LIMIT);
  checkLength('Wi-Fi password', password, PASSWORD_LIMIT);

  const warnings: string[] = [];
  if (password === '') {
    warnings.push('The Wi-Fi password is empty: the device can only join an open Wi-Fi with it.');
  } else if ([...password].length < 8) {
    warnings.push('The Wi-Fi password is shorter than the 8 characters that WPA asks for.');
  }
  if (!isPlain(ssid)) warnings.push(undecodable('name'));
  if (!isPlain(password)) warnings.push(undecodable('password'));
  return warnings;
}

/**
 * A space at an end is a slip far more often than part of a Wi-Fi, and Tasmota cannot store one.
 * @throws FlashError `wifi-credentials-unusable`
 */
export function refuseOuterSpaces(what: string, text: string | undefined): void {
  if (text === undefined || text.trim() === text) return;
  throw new FlashError('wifi-credentials-unusable', { what, reason: 'it starts or ends with a space' });
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
    throw new FlashError('ap-refused', { url, reason: `its answer is unusable, ${parsed.reason}` });
  const { error } = parsed.object;
  if (error === 0) return;
  if (typeof error !== 'number') throw new FlashError('ap-refused', { url, reason: 'its answer has no error code' });
  const meaning = PROVISIONING_ERRORS[error];
  throw new FlashError('ap-refused', { url, reason: `error ${error}${meaning === undefined ? '' : `, ${meaning}`}` });
}

// docs/dev/stock-firmware.md#1.3. They belong to quick pairing, where the device is already in the home network.
const PROVISIONING_ERRORS: Readonly<Record<number, string>> = {
  400: 'it ran out of time',
  401: 'the Wi-Fi password is wrong',
  402: 'the Wi-Fi was not found',
  403: 'the Wi-Fi did not let it in',
  404: 'for a reason that it does not know',
};

function checkLength(what: string, text: string, limit: number): void {
  const length = Buffer.byteLength(text, 'utf8');
  if (length > limit)
    throw new FlashError('wifi-credentials-unusable', { what, reason: `it has more than ${limit} bytes` });
}

/** Printable ASCII without the two characters that JSON must escape. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !/["\\]/.test(text);
}

function undecodable(what: string): string {
  return `The Wi-Fi ${what} has a character (", \\, a control character or one outside ASCII) that the device may misread.`;
}
