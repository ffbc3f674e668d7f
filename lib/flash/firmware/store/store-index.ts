/** What the store knows beside the images themselves: their origins, and the digests that a person confirmed. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from './atomic-file';

const FILE = 'index.json';
const DIGEST = /^[\da-f]{64}$/;

export interface ImageRecord {
  /** ISO 8601. */
  addedAt: string;
  /** For people, the newest last: an address without secrets, `catalog:<name>`, `mended …`. */
  origins: string[];
}

/** What a source brought the last time. */
export interface SourceRecord {
  sha256: string;
  /** Its digest is one to trust: the catalog's, or confirmed by a person. */
  isConfirmed: boolean;
}

export interface StoreIndex {
  images: Record<string, ImageRecord>;
  sources: Record<string, SourceRecord>;
}

/** An index that is missing or broken costs names and confirmations, no image: those are known by their file names. */
export async function readIndex(folder: string): Promise<StoreIndex> {
  const index: StoreIndex = { images: {}, sources: {} };
  const { images, sources } = await parsed(join(folder, FILE));
  for (const [sha256, record] of Object.entries(images ?? {})) {
    if (DIGEST.test(sha256) && isImageRecord(record)) index.images[sha256] = record;
  }
  for (const [source, record] of Object.entries(sources ?? {})) {
    if (isSourceRecord(record)) index.sources[source] = record;
  }
  return index;
}

export async function writeIndex(folder: string, index: StoreIndex): Promise<void> {
  await writeAtomically(folder, FILE, `${JSON.stringify(index, null, 2)}\n`);
}

async function parsed(path: string): Promise<{ images?: object; sources?: object }> {
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof content === 'object' && content !== null ? content : {};
  } catch {
    return {};
  }
}

function isImageRecord(record: unknown): record is ImageRecord {
  const { addedAt, origins } = (record ?? {}) as Partial<ImageRecord>;
  return typeof addedAt === 'string' && Array.isArray(origins) && origins.every((origin) => typeof origin === 'string');
}

function isSourceRecord(record: unknown): record is SourceRecord {
  const { sha256, isConfirmed } = (record ?? {}) as Partial<SourceRecord>;
  return typeof sha256 === 'string' && DIGEST.test(sha256) && typeof isConfirmed === 'boolean';
}
