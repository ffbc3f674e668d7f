import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { IMAGE_HEADERS, PROVEN_PACE, type ImageGrant } from './transfer';
import { writePart } from './write-part';

/**
 * The whole file in one 200, slowly: the header with a few bytes of the file in one segment, a pause, then small
 * packets. Sent faster, this firmware reports 404 (SonOTA#21, docs/dev/stock-firmware.md#4.2).
 */
export async function replyPaced(response: ServerResponse, { bytes, observer }: ImageGrant): Promise<void> {
  const { headerBodyBytes, pauseMs, packetBytes, intervalMs } = PROVEN_PACE;
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const { signal } = closed;
  let at = 0;
  const send = async (length: number): Promise<void> => {
    const to = Math.min(at + length, bytes.length);
    await writePart(response, bytes.subarray(at, to));
    observer.sent(at, to);
    at = to;
  };
  response.sendDate = false;
  response.writeHead(200, { ...IMAGE_HEADERS, 'Content-Length': bytes.length });
  try {
    await send(headerBodyBytes);
    if (at < bytes.length) await pause(pauseMs, undefined, { signal });
    while (at < bytes.length) {
      await send(packetBytes);
      if (at < bytes.length) await pause(intervalMs, undefined, { signal });
    }
  } catch {
    observer.ended({ complete: false, bytes: at, error: 'the connection was lost' });
    return;
  }
  response.end();
  observer.ended({ complete: true, bytes: at });
}
