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
import { literalHeader, readReply } from '../wire/http-reply';
import { pause } from '../device/timers';
import { type Wire, WireError } from '../wire/wire';

/** The receive buffer, 0x1400 bytes, and its part for the header (docs/dev/esp8266-images.md#2.6). */
const BUFFER_BYTES = 5120;
const HEADER_BYTES = 1023;
const RECONNECTS = 3;

/**
 * Downloads by consecutive ranges of 4096 bytes on one connection, one sector each. Lost connections are made again
 * three times in the whole download. Resolves to the image's size; rejects with a DownloadError, ReplyError or
 * WireError (all of them a 404), or a Restart.
 */
export async function downloadByRanges(download: Download): Promise<number> {
  const { device, signal } = download;
  let wire: Wire | undefined;
  let offset = 0;
  let total: number | undefined;
  let requests = 0;
  let lost = 0;
  try {
    while (total === undefined || offset < total) {
      try {
        wire ??= await dialImages(download);
        maybeLoseConnection(download, offset, lost);
        const last: number = Math.min(offset + SECTOR_BYTES, total ?? Infinity) - 1;
        requests++;
        const block = await fetchRange(download, wire, { first: offset, last }, total);
        total = block.total;
        await writeSector(download, offset, block.bytes);
        offset += block.bytes.length;
      } catch (error) {
        if (!(error instanceof WireError) || lost === RECONNECTS) throw error;
        lost++;
        if (device.behaviours.restartsDownload) offset = 0;
        device.log(`download: ${error.message} at byte ${offset}, connecting again`);
        wire?.close();
        wire = undefined;
        await pause(lost * device.timings.reconnectUnit, signal);
      }
    }
  } finally {
    wire?.close();
  }
  device.log(`downloaded ${total} bytes with ${requests} requests on ${lost + 1} connection${lost ? 's' : ''}`);
  return total;
}

async function fetchRange(
  download: Download,
  wire: Wire,
  range: { first: number; last: number },
  known: number | undefined,
): Promise<{ bytes: Buffer; total: number }> {
  wire.write(downloadRequest(download, range));
  const { head, body } = await readReply(wire, {
    status: 'HTTP/1.1 206 Partial Content',
    headerBytes: HEADER_BYTES,
    bufferBytes: BUFFER_BYTES,
    bodyBytes: SECTOR_BYTES,
    limitMs: download.device.timings.downloadReply,
  });
  const total = known ?? totalIn(literalHeader(head, 'Content-Range'));
  const expected = Math.min(range.last + 1, total) - range.first;
  if (body.length !== expected) throw new DownloadError(`${body.length} bytes instead of ${expected}`);
  return { bytes: body, total };
}

function totalIn(contentRange: string | undefined): number {
  const total = Number(/\/(\d+)$/.exec(contentRange ?? '')?.[1]);
  if (!(total > 0)) throw new DownloadError('no total in "Content-Range: "');
  if (total > IMAGE_BYTES) throw new DownloadError(`image over ${IMAGE_BYTES} bytes`);
  return total;
}
