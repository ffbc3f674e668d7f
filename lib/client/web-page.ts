import { request, type IncomingMessage } from 'node:http';
import { constants, gunzipSync } from 'node:zlib';
import type { WebPage } from '../protocol/new-firmware';
import type { RequestOptions } from './device-request';

/** Small devices have small pages: what tells them apart stands in less. */
const PAGE_LIMIT = 65_536;

/** `refused`: a host is there, but serves no page; `silent`: no answer, or nothing that is HTTP. */
export type PageOutcome = WebPage | 'refused' | 'silent';

/**
 * Reads a web page of a small device, as it stands: no redirect is followed, no script run. Never rejects.
 *
 * @param url http alone; sent as the Referer, which Tasmota requires of clients that send commands
 * @param options `isEnough`: ends with what has come of the page, where its server keeps the connection and states no length
 */
export function readWebPage(
  url: URL,
  { signal, limitMs, isEnough }: RequestOptions & { isEnough?: (page: WebPage) => boolean },
): Promise<PageOutcome> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve('silent');
    const asking = request({
      hostname: url.hostname,
      port: url.port,
      path: `${url.pathname}${url.search}`,
      agent: false,
      headers: { Host: url.host, Referer: `${url.origin}/` },
      // Small devices send HTTP that a strict parser rejects.
      insecureHTTPParser: true,
    });
    const end = (outcome: PageOutcome): void => {
      clearTimeout(limit);
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
      asking.destroy();
    };
    const onAbort = (): void => end('silent');
    const limit = setTimeout(() => end('silent'), limitMs);
    signal.addEventListener('abort', onAbort, { once: true });
    asking.on('error', ({ code }: NodeJS.ErrnoException) => end(code === 'ECONNREFUSED' ? 'refused' : 'silent'));
    asking.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = (): void => end(pageOf(response, Buffer.concat(chunks)));
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= PAGE_LIMIT || isEnough?.(pageOf(response, Buffer.concat(chunks)))) finish();
      });
      // The part of a page that came before it broke off identifies it all the same.
      for (const event of ['end', 'error', 'aborted']) response.on(event, finish);
    });
    asking.end();
  });
}

function pageOf({ statusCode = 0, headers }: IncomingMessage, bytes: Buffer): WebPage {
  const texts = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]);
  return {
    status: statusCode,
    headers: Object.fromEntries(texts) as WebPage['headers'],
    body: unpacked(bytes, headers['content-encoding']).toString('utf8'),
  };
}

/** ESPHome and ESPurna keep their pages packed, and send them so whatever one asks for. */
function unpacked(bytes: Buffer, encoding: string | undefined): Buffer {
  if (encoding !== 'gzip') return bytes;
  try {
    // A page that was cut off ends where it ends.
    return gunzipSync(bytes, { maxOutputLength: 16 * PAGE_LIMIT, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}
