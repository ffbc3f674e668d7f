import { FlashError } from '../errors';

/**
 * Longest server name that a device stores, both when provisioned and when dispatched (docs/dev/stock-firmware.md#1.3,
 * #2.2).
 */
export const SERVER_NAME_LIMIT = 50;

/**
 * Checks what a device is told to dial.
 *
 * @throws FlashError `address-invalid`
 */
export function checkServerAddress(name: string, port: number): void {
  if (name === '') throw new FlashError('address-invalid', { reason: 'it is not known' });
  if (name.length > SERVER_NAME_LIMIT) {
    throw new FlashError('address-invalid', { reason: `${name} has more than ${SERVER_NAME_LIMIT} characters` });
  }
  if (!/^[0-9A-Za-z._-]+$/.test(name)) {
    throw new FlashError('address-invalid', { reason: `${name} is neither an IPv4 address nor a host name` });
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new FlashError('address-invalid', { reason: `${port} is not a port` });
  }
}
