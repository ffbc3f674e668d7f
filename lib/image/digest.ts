import { createHash } from 'node:crypto';

/** SHA-256 of all bytes, as devices and catalogs write it: 64 lower-case hex digits. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
