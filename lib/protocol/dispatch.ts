import { FlashError } from '../errors';
import { readDeviceStatement, type DeviceStatement } from './device-statement';
import { asciiJson, parseObject } from './json';
import { checkServerAddress } from './server-address';
import { wording } from '../wordings/wording';

/** Where a device asks which server to use: `POST` (docs/dev/stock-firmware.md#2.1). */
export const DISPATCH_PATH = '/dispatch/device';

/** The first thing a device says to its cloud, before any WebSocket: enough for a verdict on model and version. */
export interface DispatchRequest extends DeviceStatement {
  /** Not a time but rand() % 1000: 933 after every fresh boot (docs/dev/stock-firmware.md#2.1). */
  readonly ts?: number;
}

/**
 * Reads the body of a dispatch request.
 *
 * @param peer the device's address, for the error
 * @throws FlashError `message-malformed`, whose reason quotes nothing of the body
 */
export function parseDispatch(body: string, peer: string = 'an unknown address'): DispatchRequest {
  const parsed = parseObject(body);
  if ('reason' in parsed)
    throw new FlashError('message-malformed', { peer, reason: wording('dispatch-unusable', { why: parsed.reason }) });
  const read = readDeviceStatement(parsed.object);
  if ('reason' in read)
    throw new FlashError('message-malformed', { peer, reason: wording('dispatch-unusable', { why: read.reason }) });
  const { ts } = parsed.object;
  return typeof ts === 'number' ? { ...read.device, ts } : read.device;
}

/**
 * The body of the answer: where to open the WebSocket (docs/dev/stock-firmware.md#2.2).
 *
 * @param address what the device can dial, at most 50 characters
 * @throws FlashError `address-invalid`
 */
export function dispatchReply(address: string, port: number): string {
  checkServerAddress(address, port);
  return asciiJson({ error: 0, reason: 'ok', IP: address, port });
}
