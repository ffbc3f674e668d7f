/** Where the bytes of an image come from: a file, an address, or the message itself. */

import { stat } from 'node:fs/promises';
import { types } from 'node:util';
import { displayUrl } from '../client/http-get';
import { FlashError } from '../errors';
import { FINAL_LIMIT, USER_LIMIT, imageNamed, type ImageRole } from '../image';
import { fetchHere, READ_LIMIT_BYTES, type FetchSettings, type SourceBytes } from './library/fetch-here';
import type { ImageLibrary } from './library/image-library';
import { placesOf, thisFileSystem, whyNoFile, withoutQuotes } from './file-path';
import { rehearsalImage } from './rehearsal';
import { SharedReads } from './shared-reads';
import { UnchangedFiles } from './unchanged-files';
import { unlessAborted } from '../timing/unless-aborted';
import type { FirmwareReason } from '../wordings/source';
import { quoted, wording, type Wording } from '../wordings/wording';

/** A Buffer as it looks after a trip through JSON, such as MQTT or a file. */
export interface JsonBuffer {
  type: 'Buffer';
  data: number[];
}

/**
 * A file's path (a relative one counts from Node-RED's working directory, else from its user folder), an http(s) address, `catalog:<name>`,
 * `store:<sha256>`, or the bytes. `rehearsal:<role>` makes images for the virtual Sonoff.
 */
export type ImageSource = string | Uint8Array | JsonBuffer;

export interface SourceOptions extends FetchSettings {
  /** Catalog and store; without it `catalog:` and `store:` lead nowhere, and nothing that is fetched is kept. */
  library?: ImageLibrary | undefined;
  /** The digest seen when the source was examined. */
  digest?: string | undefined;
}

const files = new SharedReads<Buffer | undefined>();
const unchanged = new UnchangedFiles();

const FILE_REASONS: Readonly<Record<string, FirmwareReason>> = {
  EACCES: 'file-forbidden',
  EPERM: 'file-forbidden',
  EISDIR: 'file-folder',
  ELOOP: 'file-links',
  ENAMETOOLONG: 'file-path-long',
  EIO: 'disk-error',
  ERR_INVALID_ARG_VALUE: 'file-path-zero',
};

/** Whether a form or a message names no source at all. */
export function isEmptySource(source: ImageSource | null | undefined): source is null | undefined | '' {
  return source === undefined || source === null || (typeof source === 'string' && source.trim() === '');
}

/**
 * Reads the whole source; what the bytes are is not looked at.
 *
 * @throws FlashError firmware-missing, image-unreadable, image-too-large, fetch-*, digest-*, store-*, cancelled, and for
 * what a catalog's address brings: image-*
 */
export async function readSource(role: ImageRole, source: ImageSource, options: SourceOptions): Promise<SourceBytes> {
  if (options.signal.aborted) throw new FlashError('cancelled');
  if (typeof source !== 'string') return { bytes: bytesOfMessage(role, source), source: 'message' };
  const name = withoutQuotes(source);
  const { library, digest, ...settings } = options;
  const made = rehearsalIn(name);
  if (made !== undefined) {
    return {
      bytes: rehearsalImage(made === 'user1' || made === 'user2' || made === 'final' ? made : role),
      source: name,
    };
  }
  const [, kind, rest = ''] = /^(catalog|store):(.*)$/is.exec(name) ?? [];
  if (kind !== undefined) {
    if (!library) throw new FlashError('firmware-missing', { what: wording('no-such-name', { name }) });
    if (kind.toLowerCase() === 'store') return await library.fromStore(rest.trim());
    return await library.fromCatalog(role, rest.trim(), settings);
  }
  if (/^(?!file:)[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
    if (library) return await library.fromAddress(role, name, digest, settings);
    return { bytes: await fetchHere(role, name, settings), source: displayUrl(name) };
  }
  return await readNamedFile(role, name, library?.userFolder, options.signal);
}

/** Whether a source names an image that is made here, for the virtual Sonoff. */
export function isRehearsalSource(source: ImageSource): boolean {
  return typeof source === 'string' && rehearsalIn(withoutQuotes(source)) !== undefined;
}

function rehearsalIn(name: string): string | undefined {
  return /^rehearsal:(.*)$/is.exec(name)?.[1]?.toLowerCase();
}

async function readNamedFile(
  role: ImageRole,
  name: string,
  userFolder: string | undefined,
  signal: AbortSignal,
): Promise<SourceBytes> {
  const places = placesOf(name, thisFileSystem(userFolder));
  if ('reason' in places) {
    throw new FlashError('image-unreadable', { what: imageNamed(role), source: name, reason: places.reason });
  }
  const [first, ...others] = places.paths;
  for (const path of [first, ...others]) {
    // An error names the role.
    const reading = files.read(`${role} ${path}`, () => bytesOfFile(role, path));
    const bytes = await unlessAborted(reading, signal).catch((thrown: unknown) => {
      throw signal.aborted ? new FlashError('cancelled', {}, { cause: thrown }) : thrown;
    });
    if (bytes) return { bytes, source: path };
  }
  throw new FlashError('image-unreadable', { what: imageNamed(role), source: first, reason: whyNoFile(name) });
}

/** @returns undefined where there is no such file */
async function bytesOfFile(role: ImageRole, path: string): Promise<Buffer | undefined> {
  const unreadable = (reason: Wording, cause?: unknown): FlashError =>
    new FlashError('image-unreadable', { what: imageNamed(role), source: path, reason }, { cause });
  try {
    // Looked at before it is opened: opening a pipe waits until something writes to it.
    const file = await stat(path, { bigint: true });
    if (file.isDirectory()) throw unreadable(wording('file-folder'));
    if (!file.isFile()) throw unreadable(wording('file-irregular'));
    refuseLength(role, Number(file.size));
    const bytes = await unchanged.read(path, file);
    refuseLength(role, bytes.length);
    return bytes;
  } catch (thrown) {
    if (thrown instanceof FlashError) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const known = FILE_REASONS[code];
    throw unreadable(known === undefined ? quoted(code || String(thrown)) : wording(known), thrown);
  }
}

/** A copy: the flow that sent the bytes may change them while a device still reads the image. */
function bytesOfMessage(role: ImageRole, source: unknown): Buffer {
  // Not instanceof: a function node's arrays may come from another realm.
  if (types.isUint8Array(source)) {
    refuseLength(role, source.length);
    return Buffer.from(source);
  }
  if (isJsonBuffer(source)) {
    refuseLength(role, source.data.length);
    if (source.data.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)) {
      return Buffer.from(source.data);
    }
  }
  const reason = wording('source-unreadable');
  throw new FlashError('image-unreadable', { what: imageNamed(role), source: wording('in-message'), reason });
}

function isJsonBuffer(value: unknown): value is JsonBuffer {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('data' in value)) return false;
  return value.type === 'Buffer' && Array.isArray(value.data);
}

function refuseLength(role: ImageRole, size: number): void {
  if (size <= READ_LIMIT_BYTES) return;
  throw new FlashError('image-too-large', { what: imageNamed(role), size, limit: role === 'final' ? FINAL_LIMIT : USER_LIMIT });
}
