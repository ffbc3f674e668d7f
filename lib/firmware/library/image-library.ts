/** Images by name, by digest and by address: from this machine where they are kept, else fetched, checked and kept. */

import { dirname, join } from 'node:path';
import { FlashError } from '../../errors';
import type { ImageRole } from '../../image';
import { Catalog, sourceOf, type CatalogImage } from './catalog';
import { FirmwareStore } from '../store/firmware-store';
import { AddressImages } from './address-images';
import { CatalogImages } from './catalog-images';
import type { FetchSettings, SourceBytes } from './fetch-here';
import { wording } from '../../wordings/wording';

export class ImageLibrary {
  private readonly byName: CatalogImages;
  private readonly byAddress: AddressImages;

  constructor(
    readonly store: FirmwareStore,
    readonly catalog: Catalog,
    /** Node-RED's own, where it has one: paths may count from there. */
    readonly userFolder?: string,
  ) {
    this.byName = new CatalogImages(catalog, store);
    this.byAddress = new AddressImages(store);
  }

  /** The library of one Node-RED. @param folder this package's own in its user folder; undefined = a temporary one */
  static at(folder: string | undefined): ImageLibrary {
    const store = FirmwareStore.at(folder === undefined ? undefined : join(folder, 'firmware'));
    return new ImageLibrary(store, Catalog.ofPackage(), folder && dirname(folder));
  }

  /** An image of the catalog. @throws FlashError as `CatalogImages.obtain` does */
  async fromCatalog(role: ImageRole, name: string, settings: FetchSettings): Promise<SourceBytes> {
    const bytes = await this.byName.obtain(role, name, settings);
    return { bytes, source: `catalog:${name.toLowerCase()}` };
  }

  /** An image that is kept here. @throws FlashError firmware-missing, store-failed */
  async fromStore(sha256: string): Promise<SourceBytes> {
    const bytes = await this.store.read(sha256.toLowerCase());
    if (bytes) return { bytes, source: `store:${sha256}` };
    throw new FlashError('firmware-missing', { what: wording('not-in-store', { sha256 }) });
  }

  /** An image at an address; `digest` as it was examined. @throws FlashError as `AddressImages.obtain` does */
  async fromAddress(
    role: ImageRole,
    address: string,
    digest: string | undefined,
    settings: FetchSettings,
  ): Promise<SourceBytes> {
    return await this.byAddress.obtain(role, address, digest, settings);
  }

  /** A person says that a digest is the publisher's. @throws FlashError as `CatalogImages.confirm` does */
  async confirm(name: string, sha256: string): Promise<void> {
    await this.byName.confirm(name, sha256);
  }

  /** The catalog's user2 where it is kept here; nothing is fetched. @throws FlashError store-failed */
  async keptUser2(): Promise<SourceBytes | undefined> {
    const { user2 } = this.catalog.pair;
    const kept = await this.byName.peek(user2);
    return kept?.isConfirmed ? { bytes: kept.bytes, source: sourceOf(user2) } : undefined;
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
   * @throws FlashError store-failed
   */
  async peek(
    source: string,
    digest: string | undefined,
  ): Promise<{ bytes: Buffer; isConfirmed: boolean } | 'not-here' | undefined> {
    const image = this.catalogImage(source);
    if (image) return (await this.byName.peek(image)) ?? 'not-here';
    if (!/^https?:\/\//i.test(source.trim())) return undefined;
    const bytes = await this.byAddress.peek(source.trim(), digest);
    // Nothing else vouches for what an address brings: a person looks at it once.
    return bytes ? { bytes, isConfirmed: digest !== undefined } : 'not-here';
  }
}
