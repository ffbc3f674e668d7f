import type { ErrorCode } from '../../errors';
import { parseObject } from '../json';

/** Where a device posts how its download ended: to the server of the image (docs/dev/diy-mode.md#1.12). */
export const RESULT_PATH = '/api/device/otaFlash';

/** Longest body that is read. The device's has under 40 bytes. */
export const RESULT_LIMIT = 1024;

/** The device's codes; 0 is none of them. */
const MEANINGS: Readonly<Record<number, ErrorCode>> = {
  404: 'download-failed',
  406: 'diy-message-refused',
  409: 'diy-digest-differs',
  410: 'diy-device-fault',
};

/** The device's verdict on its own download: 0 where it is done, undefined where the body says nothing. Never throws. */
export function parseResult(body: string): number | undefined {
  if (body.length > RESULT_LIMIT) return undefined;
  const parsed = parseObject(body);
  const error = 'object' in parsed ? parsed.object['error'] : undefined;
  return typeof error === 'number' && Number.isInteger(error) && error >= 0 && error < 1000 ? error : undefined;
}

/** @param error as `parseResult` gives it, other than 0 */
export function resultCodeOf(error: number): ErrorCode {
  return MEANINGS[error] ?? 'diy-device-fault';
}
