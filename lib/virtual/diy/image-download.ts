import { dialImages, type Download, maybeLoseConnection, writeSector } from '../stock/download';
import { SECTOR_BYTES } from '../device/flash-memory';
import { pause } from '../device/timers';
import { type Wire, WireError } from '../wire/wire';
import type { DiyContext } from './context';
import type { FlashOrder } from './flash-order';
import { type Piece, readPiece } from './image-piece';
import { imageRequest } from './image-request';
import { WifiLost } from './wifi-lost';

/** As in the cloud's upgrade; how often DIY builds connect again is not known. */
const RECONNECTS = 3;
/** A final image starts where the boot loader of the stock firmware is. */
const ADDRESS = 0;
/** In the application, whose checksum then does not fit. */
const ROTTEN_ADDRESS = 0x1200;

/**
 * Downloads an image by consecutive ranges of 4096 bytes, one sector each, on one connection, and writes it to 0x0. The
 * boot loader's own sector comes last, so that only a device whose image is complete starts from it.
 *
 * That order, and that the image is written in place, is inferred: a wrong digest (471) is reported as dangerous only when
 * the device is restarted (docs/dev/diy-mode.md#1.7).
 */
export class ImageDownload {
  private readonly download: Download;
  private wire: Wire | undefined;
  private firstPiece: Piece | undefined;
  private lost = 0;
  private requests = 0;

  constructor(
    private readonly device: DiyContext,
    private readonly order: FlashOrder,
    private readonly signal: AbortSignal,
  ) {
    this.download = { device, upgrade: order, address: ADDRESS, signal };
  }

  /** Fetches the first piece, which tells the size. Rejects with a PieceError, DownloadError or WireError. */
  async begin(): Promise<void> {
    this.firstPiece = await this.fetch(0, undefined);
    if (this.device.behaviours.writesLoaderFirst) await writeSector(this.download, 0, this.firstPiece.bytes);
  }

  /**
   * Fetches and writes all that is left. Resolves to the size of the image. Rejects with a PieceError, DownloadError or
   * WireError, a Restart, or a WifiLost.
   */
  async finish(): Promise<number> {
    const { device, download, firstPiece } = this;
    if (!firstPiece) throw new Error('The download has not started');
    const { total, bytes } = firstPiece;
    for (let offset = bytes.length; offset < total;) {
      const piece = await this.fetchWithReconnects(offset, total);
      await writeSector(download, offset, piece.bytes);
      offset += piece.bytes.length;
      this.maybeLoseWifi(offset);
    }
    await writeSector(download, 0, bytes);
    if (device.behaviours.writeRots && device.once('rot')) device.flash.bytes[ROTTEN_ADDRESS]! ^= 0x10;
    device.log(`downloaded ${total} bytes with ${this.requests} requests on ${this.lost + 1} connection(s)`);
    return total;
  }

  close(): void {
    this.wire?.close();
    this.wire = undefined;
  }

  private async fetchWithReconnects(offset: number, total: number): Promise<Piece> {
    for (;;) {
      try {
        maybeLoseConnection(this.download, offset, this.lost);
        return await this.fetch(offset, total);
      } catch (error) {
        if (!(error instanceof WireError) || this.lost === RECONNECTS) throw error;
        this.lost++;
        this.device.log(`download: ${error.message} at byte ${offset}, connecting again`);
        this.close();
        await pause(this.lost * this.device.timings.reconnectUnit, this.signal);
      }
    }
  }

  private async fetch(offset: number, total: number | undefined): Promise<Piece> {
    const { device, order } = this;
    this.wire ??= await dialImages(this.download);
    const range = { first: offset, last: Math.min(offset + SECTOR_BYTES, total ?? Infinity) - 1 };
    this.wire.write(imageRequest(device, order, range));
    this.requests++;
    return await readPiece(this.wire, range, total, device.timings.downloadReply);
  }

  private maybeLoseWifi(written: number): void {
    const { losesWifiAtByte: at } = this.device.behaviours;
    if (at !== undefined && written >= at && this.device.once('wifi')) throw new WifiLost();
  }
}
