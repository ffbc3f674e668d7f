/** The store's index beside the images themselves: their origins, and the digests that a person confirmed. */

import { join } from 'node:path';
import { flag, isoTime, list, matching, object, replaceable, salvagedRecord, text } from '../../storage/schema';
import { readStored, storedText, type OnUnusable, type StoredFormat } from '../../storage/stored-file';
import { writeAtomically } from '../../storage/atomic-file';

const FILE = 'index.json';

export interface ImageRecord {
  /** ISO 8601. */
  addedAt: string;
  /** For people, the newest last: an address without secrets, `catalog:<name>`, `mended …`. */
  origins: string[];
}

/** The last image from a source. */
export interface SourceRecord {
  sha256: string;
  /** Its digest is one to trust: the catalog's, or confirmed by a person. */
  isConfirmed: boolean;
}

export interface StoreIndex {
  images: Partial<Record<string, ImageRecord>>;
  sources: Partial<Record<string, SourceRecord>>;
}

const digest = matching(/^[\da-f]{64}$/, 'a digest');
const FORMAT: StoredFormat<StoreIndex> = {
  format: 'sonota-firmware/1',
  schema: object<StoreIndex>({
    images: replaceable(salvagedRecord(digest, object<ImageRecord>({ addedAt: isoTime, origins: list(text()) })), {}),
    sources: replaceable(salvagedRecord(text(), object<SourceRecord>({ sha256: digest, isConfirmed: flag })), {}),
  }),
  unmarked: (content) => content,
};

/** An index that is missing or broken costs names and confirmations, no image: those are known by their file names. */
export function readIndex(folder: string, onUnusable: OnUnusable): StoreIndex {
  const { images = {}, sources = {} } = readStored(join(folder, FILE), FORMAT, onUnusable) ?? {};
  return { images, sources };
}

export async function writeIndex(folder: string, index: StoreIndex): Promise<void> {
  await writeAtomically(folder, FILE, storedText(FORMAT, index));
}
