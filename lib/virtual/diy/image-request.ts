import { createHash } from 'node:crypto';
import { DownloadError } from '../stock/download';
import type { DiyContext } from './context';
import type { FlashOrder } from './flash-order';
import type { DownloadHost } from './versions';

/** The buffers that the request is written into, with a zero at their end (docs/dev/diy-mode.md#2.4). */
const HOST_LINE_BYTES = 40;
const RANGE_LINE_BYTES = 50;
const REQUEST_BYTES = 512;

/**
 * One request of the download (docs/dev/diy-mode.md#1.11, #2.4): `Range`, `Host`, `User-Agent`, with `deviceid`, `ts` and
 * `sign` behind the path. `ts` is the next element of the random sequence. Throws DownloadError where a buffer is too small.
 */
export function imageRequest(
  { identity, rand, behaviours, profile }: DiyContext,
  order: FlashOrder,
  range: { first: number; last: number },
): string {
  const rangeLine = `Range: bytes=${range.first}-${range.last}\r\n`;
  if (behaviours.requestLine === 'without-slash') return `GET ${order.path.slice(1)} HTTP/1.1\r\n${rangeLine}\r\n`;
  const hostLine = hostLineOf(order, behaviours.downloadHost ?? profile.downloadHost);
  const { deviceid, apikey } = identity;
  const ts = rand.next();
  const sign = createHash('sha256').update(`${deviceid}${ts}${apikey}`).digest('hex');
  const request =
    `GET ${order.path}?deviceid=${deviceid}&ts=${ts}&sign=${sign} HTTP/1.1\r\n` +
    `${rangeLine}${hostLine}User-Agent: itead-device\r\n\r\n`;
  if (hostLine.length >= HOST_LINE_BYTES || rangeLine.length >= RANGE_LINE_BYTES || request.length >= REQUEST_BYTES) {
    throw new DownloadError('the request does not fit its buffer');
  }
  return request;
}

function hostLineOf({ host, port }: FlashOrder, form: DownloadHost): string {
  switch (form) {
    case 'vendor':
      return 'Host: dl.itead.cn\r\n';
    case 'url':
      return `Host: ${host}\r\n`;
    case 'url-and-port':
      return `Host: ${host}:${port}\r\n`;
    case 'none':
      return '';
  }
}
