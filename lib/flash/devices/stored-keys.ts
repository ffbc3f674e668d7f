/** Keys as they lie on disk: never themselves, only so that one that comes again is known. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DEVICE_ID } from '../../protocol/device-statement';
import { matching, object, optional, salvagedList, salvagedRecord } from '../../storage/schema';
import type { StoredFormat } from '../../storage/stored-file';

/** Both in hex. */
export interface KeyHash {
  readonly salt: string;
  readonly sha256: string;
}

/** The stored keys of one device. */
export interface StoredKeysOfDevice {
  /** Of its own (factory) key, where that was read in its access point. */
  readonly pin?: KeyHash;
  /** Of the session keys that this host gave it, the newest last. */
  readonly issued: readonly KeyHash[];
}

export interface StoredKeys {
  readonly devices: Partial<Record<string, StoredKeysOfDevice>>;
}

const hex = (digits: number): ReturnType<typeof matching> => matching(new RegExp(`^[\\da-f]{${digits}}$`), 'hex');
const keyHash = object<KeyHash>({ salt: hex(32), sha256: hex(64) });

export const KEYS_FORMAT: StoredFormat<StoredKeys> = {
  format: 'sonota-keys/1',
  schema: object<StoredKeys>({
    devices: salvagedRecord(
      matching(DEVICE_ID, 'an id of a device'),
      object<StoredKeysOfDevice>({ pin: optional(keyHash), issued: salvagedList(keyHash) }),
    ),
  }),
};

export function hashOf(key: string, salt = randomBytes(16).toString('hex')): KeyHash {
  return { salt, sha256: createHash('sha256').update(`${salt}${key}`).digest('hex') };
}

export function isHashOf(key: string, { salt, sha256 }: KeyHash): boolean {
  return timingSafeEqual(Buffer.from(hashOf(key, salt).sha256), Buffer.from(sha256));
}
