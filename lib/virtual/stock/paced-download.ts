import {
  dialImages,
  type Download,
  DownloadError,
  downloadRequest,
  IMAGE_BYTES,
  maybeLoseConnection,
  writeSector,
} from './download';
import { SECTOR_BYTES } from '../device/flash-memory';
import { checkHead, headOf } from '../wire/http-reply';
import { PaceGuard } from './pace-guard';

/**
 * Downloads the whole image with one request, which is all that no-Range firmware can (docs/dev/stock-firmware.md#4.2).
 * The reply must come as slowly as it can take it. Resolves to the image's size; rejects with a DownloadError,
 * ReplyError or WireError (all of them a 404), or a Restart. It never connects again.
 */
export async function downloadPaced(download: Download): Promise<number> {
  const { device } = download;
  const limitMs = device.timings.downloadReply;
  const wire = await dialImages(download);
  const guard = new PaceGuard();
  try {
    wire.write(downloadRequest(download));
    const first = await wire.next(limitMs);
    if (!first) throw new DownloadError('closed without a reply');
    const head = headOf(first.bytes, 1460);
    if (head === undefined) throw new DownloadError('the header is not whole in the first segment');
    const total = checkHead(head, { status: 'HTTP/1.1 200 OK', bodyBytes: IMAGE_BYTES });
    let pending = first.bytes.subarray(head.length);
    guard.headerArrived(first.at, pending.length);
    let written = 0;
    for (;;) {
      while (pending.length >= SECTOR_BYTES || (pending.length > 0 && written + pending.length >= total)) {
        const block = pending.subarray(0, SECTOR_BYTES);
        if (written + pending.length > total) throw new DownloadError('more bytes than Content-Length says');
        await writeSector(download, written, block);
        written += block.length;
        pending = pending.subarray(block.length);
        if (written < total) maybeLoseConnection(download, written, 0);
      }
      if (written === total) break;
      const segment = await wire.next(limitMs);
      if (!segment) throw new DownloadError(`closed after ${written + pending.length} of ${total} bytes`);
      guard.bodyArrived(segment.at, segment.bytes.length);
      pending = Buffer.concat([pending, segment.bytes]);
    }
    device.log(`downloaded ${total} bytes with 1 request on 1 connection`);
    return total;
  } finally {
    guard.stop();
    wire.close();
  }
}
