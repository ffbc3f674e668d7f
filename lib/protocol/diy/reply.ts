import { isDeviceId } from '../device-statement';
import { isObject, parseObject } from '../json';
import { dBm } from './txt-record';
import { wording, type Wording } from '../../wordings/wording';

/**
 * - `done`: the device took the command; for `ota_flash` that is a beginning, not an end
 * - `refused`: with its own code; the HTTP status is 200 all the same
 * - `foreign`: no answer of DIY mode, such as the page of another server, or an unknown command
 */
export type DiyReply =
  | { readonly result: 'done'; readonly data: Readonly<Record<string, unknown>> }
  | { readonly result: 'refused'; readonly error: number }
  | { readonly result: 'foreign'; readonly reason: Wording };

/** The reply to `info`; fields that a version does not state are undefined. */
export interface DiyInfo {
  /** From 3.5.0 on. */
  readonly deviceid: string | undefined;
  /** From 3.5.0 on. */
  readonly fwVersion: string | undefined;
  /** Whether `ota_flash` will be taken. */
  readonly otaUnlock: boolean | undefined;
  /** dBm. */
  readonly rssi: number | undefined;
  /** Of its access point, six pairs with colons. */
  readonly bssid: string | undefined;
  /** The name of its Wi-Fi. */
  readonly ssid: string | undefined;
  /** How its relay stands. */
  readonly relay: 'on' | 'off' | undefined;
  /** Several channels in place of one switch: newer hardware, such as MINIR3. */
  readonly hasChannels: boolean;
}

/**
 * Reads the body of an answer of a device's DIY server. `data` is an object from 3.5 on and JSON in a string before
 * (docs/dev/diy-mode.md#1.6). Never throws; a reason never quotes the answer.
 */
export function parseDiyReply(body: string): DiyReply {
  const parsed = parseObject(body);
  if ('reason' in parsed) return { result: 'foreign', reason: parsed.reason };
  const { error, data = {} } = parsed.object;
  if (typeof error !== 'number' || !Number.isInteger(error)) {
    return { result: 'foreign', reason: wording('without-error') };
  }
  if (error !== 0) return { result: 'refused', error };
  if (isObject(data)) return { result: 'done', data };
  if (data === '') return { result: 'done', data: {} };
  const inner = typeof data === 'string' ? parseObject(data) : { reason: wording('not-an-object') };
  if ('reason' in inner) return { result: 'foreign', reason: wording('data-unusable', { why: inner.reason }) };
  return { result: 'done', data: inner.object };
}

/** Reads the data of the answer to `info`. Never throws. */
export function readDiyInfo(data: Readonly<Record<string, unknown>>): DiyInfo {
  const { deviceid, fwVersion, otaUnlock, signalStrength, rssi, bssid, ssid, switch: relay, switches } = data;
  return {
    deviceid: isDeviceId(deviceid) ? deviceid : undefined,
    fwVersion: typeof fwVersion === 'string' && /^[\x20-\x7e]{1,32}$/.test(fwVersion) ? fwVersion : undefined,
    otaUnlock: typeof otaUnlock === 'boolean' ? otaUnlock : undefined,
    rssi: dBm(signalStrength) ?? dBm(rssi),
    bssid: typeof bssid === 'string' && /^([\da-f]{1,2}:){5}[\da-f]{1,2}$/i.test(bssid) ? bssid : undefined,
    ssid: typeof ssid === 'string' && Buffer.byteLength(ssid) <= 32 ? ssid : undefined,
    relay: relay === 'on' || relay === 'off' ? relay : undefined,
    hasChannels: Array.isArray(switches) || isObject(switches),
  };
}
