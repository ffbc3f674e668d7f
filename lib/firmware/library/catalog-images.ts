/** Images by the catalog's names: fetched once, held to their digest, and kept. */

import { displayUrl } from '../../client/http-get';
import { FlashError } from '../../errors';
import { digestOf, imageNamed, readImage, type ImageRole } from '../../image';
import { sourceOf, type Catalog, type CatalogImage } from './catalog';
import type { FirmwareStore } from '../store/firmware-store';
import { fetchHere, type FetchSettings } from './fetch-here';
import { wording } from '../../wordings/wording';

/** An image that is here; only a confirmed one may go to a device. */
export interface Kept {
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly isConfirmed: boolean;
}

export class CatalogImages {
  constructor(
    private readonly catalog: Catalog,
    private readonly store: FirmwareStore,
  ) {}

  /**
   * An image for use. Kept ones need no network.
   *
   * @throws FlashError firmware-missing, digest-unconfirmed {digest} (it is kept then, for a person to confirm),
   * digest-mismatch, the refusals of `readImage`, fetch-*, store-*, cancelled
   */
  async obtain(role: ImageRole, name: string, settings: FetchSettings): Promise<Buffer> {
    const image = this.catalog.find(name);
    if (!image) throw new FlashError('firmware-missing', { what: wording('not-in-catalog', { name }) });
    const kept = await this.peek(image);
    if (kept?.isConfirmed) return kept.bytes;
    if (kept) throw new FlashError('digest-unconfirmed', { what: imageNamed(role), digest: kept.sha256 });
    return await this.fetch(role, image, settings);
  }

  /** The copy of an image that is here, confirmed or not. @throws FlashError store-failed */
  async peek(image: CatalogImage): Promise<Kept | undefined> {
    const trusted = await this.trustedDigest(image);
    const sha256 = trusted ?? (await this.store.known(sourceOf(image)))?.sha256;
    const bytes = sha256 === undefined ? undefined : await this.store.read(sha256);
    return bytes && sha256 !== undefined ? { bytes, sha256, isConfirmed: trusted !== undefined } : undefined;
  }

  /**
   * A person says that a digest is the publisher's.
   * @throws FlashError firmware-missing where that is not what the last download brought
   */
  async confirm(name: string, sha256: string): Promise<void> {
    const image = this.catalog.find(name);
    const pending = image && (await this.store.known(sourceOf(image)));
    if (!image || pending?.sha256 !== sha256) {
      throw new FlashError('firmware-missing', { what: wording('no-download', { name, sha256 }) });
    }
    await this.store.note(sourceOf(image), { sha256, isConfirmed: true });
  }

  private async fetch(role: ImageRole, image: CatalogImage, settings: FetchSettings): Promise<Buffer> {
    const source = sourceOf(image);
    const trusted = await this.trustedDigest(image);
    const bytes = await fetchHere(role, image.url, settings);
    const actual = digestOf(bytes);
    if (actual !== trusted) {
      // A web page in the place of the image says more of itself than that its digest is wrong.
      readImage(bytes, role);
      if (trusted !== undefined) {
        const values = { what: imageNamed(role), source: displayUrl(image.url), actual, expected: trusted };
        throw new FlashError('digest-mismatch', values);
      }
    }
    await this.store.keep(bytes, source, imageNamed(role));
    if (trusted !== undefined) return bytes;
    await this.store.note(source, { sha256: actual, isConfirmed: false });
    throw new FlashError('digest-unconfirmed', { what: imageNamed(role), digest: actual });
  }

  private async trustedDigest(image: CatalogImage): Promise<string | undefined> {
    if (image.sha256 !== null) return image.sha256;
    const record = await this.store.known(sourceOf(image));
    return record?.isConfirmed ? record.sha256 : undefined;
  }
}
