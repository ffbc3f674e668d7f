import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request comes from a page in a browser. Any page that is open at home can send one to this machine; a
 * device sends neither `Origin` nor `Sec-Fetch-*` (docs/dev/stock-firmware.md#2.1, #3.1, #4.1), and a browser lets no
 * page leave them out.
 */
export function isFromBrowser(headers: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || Object.keys(headers).some((name) => name.startsWith('sec-fetch-'));
}
