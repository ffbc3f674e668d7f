import { wording, type Wording } from '../wordings/wording';

/**
 * What a device states of itself, in the dispatch and again in the register message (docs/dev/stock-firmware.md#2.1,
 * #3.5).
 */
export interface DeviceStatement {
  readonly deviceid: string;
  /** The device's own (factory) key. A secret: it signs the downloads. */
  readonly apikey: string;
  readonly model: string;
  readonly romVersion: string;
}

/** Seen: ten hex digits that start with 1000. It becomes part of paths and topics, hence only these characters. */
export const DEVICE_ID = /^[0-9A-Za-z_-]{1,32}$/;

// A UUID in every log. Printable and bounded is enough, since we hand it back to that device alone.
const API_KEY = /^[\x21-\x7e]{1,64}$/;

// Both are shown to people, and the model goes back in the upgrade command, which must stay ASCII and short.
const PRINTABLE = /^[\x20-\x7e]{1,64}$/;

/** The statement in a message, whatever the order of its fields and whatever else is there, or why there is none. */
export function readDeviceStatement(
  message: Readonly<Record<string, unknown>>,
): { readonly device: DeviceStatement } | { readonly reason: Wording } {
  const { deviceid, apikey, model, romVersion } = message;
  if (!isDeviceId(deviceid)) return { reason: wording('field-unusable', { field: 'deviceid' }) };
  if (!isApiKey(apikey)) return { reason: wording('field-unusable', { field: 'apikey' }) };
  if (!isPrintable(model)) return { reason: wording('field-unusable', { field: 'model' }) };
  if (!isPrintable(romVersion)) return { reason: wording('field-unusable', { field: 'romVersion' }) };
  return { device: { deviceid, apikey, model, romVersion } };
}

export function isDeviceId(value: unknown): value is string {
  return typeof value === 'string' && DEVICE_ID.test(value);
}

export function isApiKey(value: unknown): value is string {
  return typeof value === 'string' && API_KEY.test(value);
}

function isPrintable(value: unknown): value is string {
  return typeof value === 'string' && PRINTABLE.test(value);
}
