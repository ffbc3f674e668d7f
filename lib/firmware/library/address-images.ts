/** Images by address: kept for a time without the network, such as the one that is spent in a device's own. */

import { displayUrl } from '../../client/http-get';
import { FlashError } from '../../errors';
import { digestOf, imageNamed, readImage, type ImageRole } from '../../image';
import type { FirmwareStore } from '../store/firmware-store';
import { fetchHere, type FetchSettings, type SourceBytes } from './fetch-here';

export class AddressImages {
  constructor(private readonly store: FirmwareStore) {}

  /**
   * One that was examined (`digest`) is taken from here; where the address cannot be reached, what it brought the last
   * time is.
   *
   * @throws FlashError fetch-*, cancelled
   */
  async obtain(
    role: ImageRole,
    address: string,
    digest: string | undefined,
    settings: FetchSettings,
  ): Promise<SourceBytes> {
    const source = displayUrl(address);
    const examined = digest === undefined ? undefined : await this.readIfPossible(digest);
    if (examined) return { bytes: examined, source };
    try {
      const bytes = await fetchHere(role, address, settings);
      await this.keepIfPossible(role, bytes, address);
      return { bytes, source };
    } catch (error) {
      const last = isOffline(error) ? await this.peek(address, undefined).catch(() => undefined) : undefined;
      if (!last) throw error;
      return { bytes: last, source: `${source} (as it was kept here)` };
    }
  }

  /** The examined image, else the last one from the address, if it is here. @throws FlashError store-failed */
  async peek(address: string, digest: string | undefined): Promise<Buffer | undefined> {
    const sha256 = digest ?? (await this.store.known(addressKey(address)))?.sha256;
    return sha256 === undefined ? undefined : await this.store.read(sha256);
  }

  /** A flash that has its image does not fail for want of room to keep it; only a proper image is worth the room. */
  private async keepIfPossible(role: ImageRole, bytes: Buffer, address: string): Promise<void> {
    try {
      const { sha256 } = readImage(bytes, role);
      await this.store.keep(bytes, displayUrl(address), imageNamed(role));
      await this.store.note(addressKey(address), { sha256, isConfirmed: false });
    } catch {
      // The next reader of the image reports what is wrong with it.
    }
  }

  private async readIfPossible(sha256: string): Promise<Buffer | undefined> {
    return await this.store.read(sha256).catch(() => undefined);
  }
}

/** How the store knows an address: the address itself may hold secrets. */
export function addressKey(address: string): string {
  return `address:${digestOf(Buffer.from(address))}`;
}

function isOffline(error: unknown): boolean {
  return error instanceof FlashError && (error.code === 'fetch-failed' || error.code === 'fetch-stalled');
}
