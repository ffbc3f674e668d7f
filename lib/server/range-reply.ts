import type { ServerResponse } from 'node:http';
import type { OtaRequest } from '../protocol/ota-request';
import { answer, answerText } from './answer';
import { IMAGE_HEADERS, type ImageGrant } from './transfer';

/**
 * What a Range-class device asks for at a time; header and body must fit its 5120 bytes
 * (docs/dev/stock-firmware.md#4.2).
 */
export const LARGEST_RANGE = 4096;

/**
 * One range of the file, in one write, on a connection that stays open: a device that must connect again for each one
 * gives up after the third (docs/dev/stock-firmware.md#4.2). A range beyond the end is clipped to it, a longer one to
 * LARGEST_RANGE.
 */
export function replyWithRange(response: ServerResponse, { range }: OtaRequest, { bytes, observer }: ImageGrant): void {
  const total = bytes.length;
  if (range === undefined || range.first >= total) {
    // A 200 instead would make the device start over and over (SonOTA#53).
    answerText(response, 416, 'range not satisfiable', {
      'Content-Range': `bytes */${total}`,
    });
    observer.ended({ complete: false, bytes: 0, error: 'it asked for bytes that the file does not have' });
    return;
  }
  const { first } = range;
  const end = Math.min(range.last + 1, first + LARGEST_RANGE, total);
  let handedOver = false;
  response.once('finish', () => (handedOver = true));
  response.once('close', () => {
    if (!handedOver) return observer.ended({ complete: false, bytes: first, error: 'the connection was lost' });
    observer.sent(first, end);
    observer.ended({ complete: true, bytes: end });
  });
  const headers = { ...IMAGE_HEADERS, 'Content-Range': `bytes ${first}-${end - 1}/${total}` };
  answer(response, 206, headers, bytes.subarray(first, end));
}
