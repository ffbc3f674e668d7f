import { FlashError } from '../errors';
import { wording } from '../wordings/wording';

/**
 * Longest server name that a device stores, both when provisioned and when dispatched (docs/dev/stock-firmware.md#1.3,
 * #2.2).
 */
export const SERVER_NAME_LIMIT = 50;

/**
 * Checks the server address for a device.
 *
 * @throws FlashError `address-invalid`
 */
export function checkServerAddress(name: string, port: number): void {
  if (name === '') throw new FlashError('address-invalid', { reason: wording('address-unknown') });
  if (name.length > SERVER_NAME_LIMIT) {
    throw new FlashError('address-invalid', { reason: wording('address-long', { name, limit: SERVER_NAME_LIMIT }) });
  }
  if (!/^[0-9A-Za-z._-]+$/.test(name)) {
    throw new FlashError('address-invalid', { reason: wording('address-no-name', { name }) });
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new FlashError('address-invalid', { reason: wording('port-invalid', { port }) });
  }
}
