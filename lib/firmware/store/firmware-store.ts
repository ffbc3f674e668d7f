/** Images kept on this machine, each under its own digest, so that a flash needs no internet. */

import { digestOf } from '../../image';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FlashError } from '../../errors';
import { removeLeftovers, writeAtomically } from '../../storage/atomic-file';
import { readIndex, writeIndex, type SourceRecord, type StoreIndex } from './store-index';
import type { FirmwareReason } from '../../wordings/source';
import { quoted, wording, type Wording } from '../../wordings/wording';

export interface StoredImage {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** ISO 8601; null where the store's index was lost. */
  readonly addedAt: string | null;
  readonly origins: readonly string[];
}

const IMAGE_FILE = /^([\da-f]{64})\.bin$/;
/** An origin per download would grow without end. */
const ORIGINS_AT_MOST = 5;

const REASONS: Readonly<Record<string, FirmwareReason>> = {
  EACCES: 'folder-forbidden',
  EPERM: 'folder-forbidden',
  EROFS: 'disk-read-only',
  ENOTDIR: 'folder-is-file',
  EEXIST: 'folder-is-file',
  EIO: 'disk-error',
};
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

const stores = new Map<string, FirmwareStore>();

export class FirmwareStore {
  /** Called for an index that cannot be used. */
  onTrouble: (text: string) => void = () => undefined;
  private folder: string | undefined;
  private index: StoreIndex = { images: {}, sources: {} };
  private opening: Promise<string> | undefined;
  private lastWrite: Promise<unknown> = Promise.resolve();

  /** @param folder undefined = a temporary one, for this process only */
  constructor(folder?: string) {
    this.folder = folder;
  }

  /** The one store of a folder in this process: two would overwrite each other's index. */
  static at(folder: string | undefined): FirmwareStore {
    const key = folder === undefined ? '' : resolve(folder);
    const store = stores.get(key) ?? new FirmwareStore(folder);
    stores.set(key, store);
    return store;
  }

  /**
   * Every image, the newest first.
   * @throws FlashError `store-failed`, as every function here does
   */
  async list(): Promise<StoredImage[]> {
    const folder = await this.open();
    const images: StoredImage[] = [];
    for (const name of await this.attempt(undefined, () => readdir(folder))) {
      const sha256 = IMAGE_FILE.exec(name)?.[1];
      if (sha256 === undefined) continue;
      const { addedAt = null, origins = [] } = this.index.images[sha256] ?? {};
      images.push({ sha256, size: (await stat(join(folder, name))).size, addedAt, origins });
    }
    return images.sort((one, other) => (other.addedAt ?? '').localeCompare(one.addedAt ?? ''));
  }

  /** An image, or undefined where it is not there. One that no longer has its own digest is thrown away. */
  async read(sha256: string): Promise<Buffer | undefined> {
    if (!isDigest(sha256)) return undefined;
    const path = join(await this.open(), fileOf(sha256));
    const bytes = await this.attempt(undefined, () => readFile(path).catch(ignoreMissing));
    if (bytes === undefined || digestOf(bytes) === sha256) return bytes;
    await this.attempt(undefined, () => rm(path, { force: true }));
    return undefined;
  }

  /**
   * Keeps an image. What is there already is not written again.
   *
   * @param what how an error names the image
   * @returns its digest
   * @throws FlashError `store-full`, `store-failed`; nothing is left of the image then
   */
  async keep(bytes: Buffer, origin: string, what: Wording): Promise<string> {
    const sha256 = digestOf(bytes);
    await this.exclusively(what, async (folder) => {
      const isThere = (await this.read(sha256)) !== undefined;
      if (!isThere) await writeAtomically(folder, fileOf(sha256), bytes);
      try {
        await this.change(folder, ({ images }) => {
          const { addedAt = new Date().toISOString(), origins = [] } = images[sha256] ?? {};
          const others = origins.filter((one) => one !== origin);
          images[sha256] = { addedAt, origins: [...others, origin].slice(-ORIGINS_AT_MOST) };
        });
      } catch (error) {
        if (!isThere) await rm(join(folder, fileOf(sha256)), { force: true });
        throw error;
      }
    });
    return sha256;
  }

  /** Removes an image, and with it what was confirmed of it. */
  async remove(sha256: string): Promise<void> {
    await this.exclusively(undefined, async (folder) => {
      if (!isDigest(sha256)) return;
      await rm(join(folder, fileOf(sha256)), { force: true });
      await this.change(folder, ({ images, sources }) => {
        delete images[sha256];
        for (const [source, record] of Object.entries(sources)) if (record?.sha256 === sha256) delete sources[source];
      });
    });
  }

  /** The last image from a source, if any. */
  async known(source: string): Promise<Readonly<SourceRecord> | undefined> {
    await this.open();
    return this.index.sources[source];
  }

  /** Notes what a source brought. */
  async note(source: string, record: SourceRecord): Promise<void> {
    await this.exclusively(undefined, (folder) =>
      this.change(folder, ({ sources }) => {
        sources[source] = record;
      }),
    );
  }

  /** The folder, made and tidied up at the first use. */
  private open(): Promise<string> {
    this.opening ??= this.attempt(undefined, async () => {
      this.folder ??= await temporaryFolder();
      await mkdir(this.folder, { recursive: true });
      await removeLeftovers(this.folder);
      this.index = readIndex(this.folder, (text) => this.onTrouble(text));
      return this.folder;
    }).catch((error: unknown) => {
      this.opening = undefined; // The next call tries again: the disk may be back by then.
      throw error;
    });
    return this.opening;
  }

  /** A change that cannot be written does not take effect. */
  private async change(folder: string, edit: (index: StoreIndex) => void): Promise<void> {
    const next = structuredClone(this.index);
    edit(next);
    await writeIndex(folder, next);
    this.index = next;
  }

  /** One writer at a time; a failed one does not keep the next from its turn. */
  private exclusively(what: Wording | undefined, write: (folder: string) => Promise<void>): Promise<void> {
    const turn = this.lastWrite.then(() => this.open()).then((folder) => this.attempt(what, () => write(folder)));
    this.lastWrite = turn.catch(() => undefined);
    return turn;
  }

  private async attempt<T>(what: Wording | undefined, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (thrown) {
      if (thrown instanceof FlashError) throw thrown;
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
      const folder = this.folder ?? tmpdir();
      if (FULL.has(code)) throw new FlashError('store-full', { folder, what: what ?? wording('image-next') }, { cause: thrown });
      const known = REASONS[code];
      const reason = known === undefined ? quoted(code || String(thrown)) : wording(known);
      throw new FlashError('store-failed', { folder, reason }, { cause: thrown });
    }
  }
}

/** Gone when the process ends. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sonota-firmware-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Whether a text is a digest as `digestOf` makes them. */
export function isDigest(text: string): boolean {
  return /^[\da-f]{64}$/.test(text);
}

function fileOf(sha256: string): string {
  return `${sha256}.bin`;
}

function ignoreMissing(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== 'ENOENT') throw thrown;
}
