/** Images by name, by digest and by address: from this machine where they are kept, else fetched, checked and kept. */

import { join } from 'node:path';
import { displayUrl } from '../client/http-get';
import { fetchImage } from '../client/image-fetch';
import { FlashError } from '../errors';
import { readImage, type ImageRole } from '../image';
import { Catalog, sourceOf, type CatalogImage } from './catalog';
import { digestOf, FirmwareStore } from './store/firmware-store';

export interface FetchProgress {
  readonly role: ImageRole;
  /** For people: an address without secrets, or the name in the catalog. */
  readonly source: string;
  readonly received: number;
  /** Bytes; undefined where the server does not say. */
  readonly total: number | undefined;
}

export interface FetchSettings {
  signal: AbortSignal;
  /** For one fetch; ms, 120 s unless told. */
  limitMs?: number;
  stallMs?: number;
  retryMs?: number;
  onFetch?: ((progress: FetchProgress) => void) | undefined;
}

export interface SourceBytes {
  bytes: Buffer;
  /** For people: the path, the address without credentials and query, the name, or `message`. */
  source: string;
}

/** An image that is here; only a confirmed one may go to a device. */
export interface Kept {
  readonly bytes: Buffer;
  readonly isConfirmed: boolean;
}

/** No image for these devices comes near; more is not even read. */
export const READ_LIMIT_BYTES = 2 * 1024 * 1024;
const FETCH_LIMIT_MS = 120_000;

export class ImageLibrary {
  constructor(
    readonly store: FirmwareStore,
    readonly catalog: Catalog,
  ) {}

  /** The library of one Node-RED. @param folder this package's own in its user folder; undefined = a temporary one */
  static at(folder: string | undefined): ImageLibrary {
    const store = FirmwareStore.at(folder === undefined ? undefined : join(folder, 'firmware'));
    return new ImageLibrary(store, Catalog.ofPackage());
  }

  /**
   * An image of the catalog. Kept ones need no network.
   *
   * @throws FlashError firmware-missing, digest-unconfirmed {digest} (it is kept then, for a person to confirm),
   * digest-mismatch, what an image is refused for at once (`readImage`), fetch-*, store-*, cancelled
   */
  async fromCatalog(role: ImageRole, name: string, settings: FetchSettings): Promise<SourceBytes> {
    const image = this.catalog.find(name);
    if (!image) throw new FlashError('firmware-missing', { what: `${role} image (the catalog has no ${name})` });
    const source = sourceOf(image);
    const kept = await this.keptOf(role, image);
    if (kept) return { bytes: kept, source };
    const known = await this.trustedDigest(image);
    const bytes = await fetchHere(role, image.url, settings);
    const actual = digestOf(bytes);
    if (actual === known) {
      await this.store.keep(bytes, source, role);
      return { bytes, source };
    }
    // A web page in the place of the image says more of itself than that its digest is wrong.
    readImage(bytes, role);
    if (known !== undefined) {
      throw new FlashError('digest-mismatch', { what: role, source: displayUrl(image.url), actual, expected: known });
    }
    await this.store.keep(bytes, source, role);
    await this.store.note(source, { sha256: actual, isConfirmed: false });
    throw new FlashError('digest-unconfirmed', { what: role, digest: actual });
  }

  /** A catalog image that is here and may be used, or undefined. @throws FlashError digest-unconfirmed, store-* */
  async keptOf(role: ImageRole, image: CatalogImage): Promise<Buffer | undefined> {
    const known = await this.trustedDigest(image);
    if (known !== undefined) return await this.store.read(known);
    const pending = await this.store.known(sourceOf(image));
    if (pending === undefined || (await this.store.read(pending.sha256)) === undefined) return undefined;
    throw new FlashError('digest-unconfirmed', { what: role, digest: pending.sha256 });
  }

  /** The catalog's user2, where it is kept here. @throws FlashError digest-unconfirmed, store-failed */
  async keptUser2(): Promise<SourceBytes | undefined> {
    const { user2 } = this.catalog.pair;
    const bytes = await this.keptOf('user2', user2);
    return bytes && { bytes, source: sourceOf(user2) };
  }

  /**
   * A person says that a digest is the publisher's.
   * @throws FlashError firmware-missing where that is not what the last download brought
   */
  async confirm(name: string, sha256: string): Promise<void> {
    const image = this.catalog.find(name);
    const pending = image && (await this.store.known(sourceOf(image)));
    if (!image || pending?.sha256 !== sha256) {
      throw new FlashError('firmware-missing', { what: `download of ${name} with the digest ${sha256}` });
    }
    await this.store.note(sourceOf(image), { sha256, isConfirmed: true });
  }

  /** The image of the catalog that a source names, if it names one. */
  catalogImage(source: string): CatalogImage | undefined {
    const name = /^catalog:(.*)$/is.exec(source.trim())?.[1];
    return name === undefined ? undefined : this.catalog.find(name.trim());
  }

  /**
   * What is here of a source that would be fetched, without fetching it; undefined for any other kind of source.
   *
   * @param digest of what was examined, where it was
   * @throws FlashError firmware-missing, store-failed
   */
  async peek(source: string, digest: string | undefined): Promise<Kept | 'not-here' | undefined> {
    const image = this.catalogImage(source);
    const isAddress = /^https?:\/\//i.test(source.trim());
    if (!image && !isAddress) return undefined;
    const known = image && (await this.trustedDigest(image));
    const last = (await this.store.known(image ? sourceOf(image) : addressKey(source.trim())))?.sha256;
    const sha256 = known ?? (image ? last : (digest ?? last));
    const bytes = sha256 === undefined ? undefined : await this.store.read(sha256);
    return bytes ? { bytes, isConfirmed: !image || known !== undefined } : 'not-here';
  }

  /** An image that is kept here. @throws FlashError firmware-missing, store-failed */
  async fromStore(role: ImageRole, sha256: string): Promise<SourceBytes> {
    const bytes = await this.store.read(sha256.toLowerCase());
    if (bytes) return { bytes, source: `store:${sha256}` };
    throw new FlashError('firmware-missing', { what: `${role} image (store:${sha256} is not kept here)` });
  }

  /**
   * An image at an address, kept for a time without the network: one that was examined (`digest`) is taken from here;
   * where the address cannot be reached, what it brought the last time is.
   *
   * @throws FlashError fetch-*, cancelled
   */
  async fromAddress(
    role: ImageRole,
    address: string,
    digest: string | undefined,
    settings: FetchSettings,
  ): Promise<SourceBytes> {
    const source = displayUrl(address);
    const key = addressKey(address);
    const examined = digest === undefined ? undefined : await this.readIfPossible(digest);
    if (examined) return { bytes: examined, source };
    try {
      const bytes = await fetchHere(role, address, settings);
      await this.keepIfPossible(role, bytes, source, key);
      return { bytes, source };
    } catch (error) {
      const last = isOffline(error) ? await this.lastOf(key) : undefined;
      if (!last) throw error;
      return { bytes: last, source: `${source} (as it was kept here)` };
    }
  }

  private async trustedDigest(image: CatalogImage): Promise<string | undefined> {
    if (image.sha256 !== null) return image.sha256;
    const record = await this.store.known(sourceOf(image));
    return record?.isConfirmed ? record.sha256 : undefined;
  }

  /** A flash that has its image does not fail for want of room to keep it; only a proper image is worth the room. */
  private async keepIfPossible(role: ImageRole, bytes: Buffer, source: string, key: string): Promise<void> {
    try {
      const { sha256 } = readImage(bytes, role);
      await this.store.keep(bytes, source, role);
      await this.store.note(key, { sha256, isConfirmed: false });
    } catch {
      // Whoever reads the image next says what is wrong with it.
    }
  }

  private async lastOf(key: string): Promise<Buffer | undefined> {
    const sha256 = await this.store.known(key).then(
      (record) => record?.sha256,
      () => undefined,
    );
    return sha256 === undefined ? undefined : await this.readIfPossible(sha256);
  }

  private async readIfPossible(sha256: string): Promise<Buffer | undefined> {
    return await this.store.read(sha256).catch(() => undefined);
  }
}

/** How the store knows an address: the address itself may hold secrets. */
function addressKey(address: string): string {
  return `address:${digestOf(Buffer.from(address))}`;
}

/** Fetches without keeping. */
export async function fetchHere(role: ImageRole, address: string, settings: FetchSettings): Promise<Buffer> {
  const { limitMs = FETCH_LIMIT_MS, onFetch, ...more } = settings;
  const source = displayUrl(address);
  return await fetchImage(address, {
    ...more,
    what: role,
    limitMs,
    limitBytes: READ_LIMIT_BYTES,
    onProgress: onFetch && ((received, total) => onFetch({ role, source, received, total })),
  });
}

function isOffline(error: unknown): boolean {
  return error instanceof FlashError && (error.code === 'fetch-failed' || error.code === 'fetch-stalled');
}
