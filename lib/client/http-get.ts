/** A GET over http(s) that follows redirects within limits, and says in words what went wrong. */

import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { FlashError } from '../errors';
import { networkReason } from './network-reason';
import { RequestRefused } from './refusal';
import { Route } from './route';
import { wording, type Wording } from '../wordings/wording';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** For the connection alone; the reader of the answer limits the rest. */
const CONNECT_MS = 10_000;
/** Content encodings that a server may use unasked. */
const UNPACKERS: ReadonlyMap<string | undefined, () => Transform> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/** Codes of Node that another try may not meet again. */
const PASSING = new Set(['ECONNRESET', 'EPIPE']);

/** The address as it may be shown: without user, password and query, which may all be secrets. */
export function displayUrl(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url ? `${url.protocol}//${url.host}${url.pathname}` : 'that address';
}

export interface GetOptions {
  /** How an error names what is fetched. */
  what: Wording;
  headers: Record<string, string>;
  signal: AbortSignal;
  /** By default a new one, of this machine's resolver. */
  route?: Route;
}

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked. */
  readonly body: Readable;
}

/**
 * The first answer that is no redirect. A redirect never leads nearer to this machine than the address before it: a
 * foreign server must not send this machine to a service at home, or to one of its own. A user and password in the
 * address are sent to its own origin only.
 *
 * @throws FlashError `fetch-redirected`; a Refusal; or what Node's sockets throw
 */
export async function get(
  address: string,
  { what, headers, signal, route = new Route() }: GetOptions,
): Promise<Answer> {
  let url = parse(address);
  const { origin } = url;
  const authorization = basicAuthorization(url);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const own = authorization && url.origin === origin ? { ...headers, authorization } : headers;
    const message = await send(url, own, signal, route);
    if (!REDIRECTS.has(message.statusCode ?? 0)) return answerOf(message);
    message.destroy();
    const { location } = message.headers;
    if (!location) throw new RequestRefused(wording('redirects-nowhere'));
    const next = parse(location, url);
    if (url.protocol === 'https:' && next.protocol === 'http:') throw new RequestRefused(wording('redirects-to-http'));
    url = next;
  }
  throw new FlashError('fetch-redirected', { what, source: displayUrl(address), times: MAX_REDIRECTS });
}

async function send(
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
  route: Route,
): Promise<IncomingMessage> {
  const { protocol, port, pathname, search } = url;
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // Node looks up no name where an address is dialled.
  if (isIP(hostname) !== 0) await route.to(hostname);
  return await new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? requestHttps : requestHttp)({
      hostname,
      port,
      path: `${pathname}${search}`,
      headers: { accept: '*/*', 'user-agent': 'node', ...headers },
      // A kept connection was dialled for another request. Only Node's own agents know of a proxy.
      agent: process.env['NODE_USE_ENV_PROXY'] === '1' ? undefined : false,
      lookup: route.lookupOf(hostname),
      timeout: CONNECT_MS,
      signal,
    });
    request.on('timeout', () => {
      if (!request.socket?.connecting) return;
      request.destroy(Object.assign(new Error('nothing answered'), { code: 'ETIMEDOUT' }));
    });
    // Node drops the connection of an unsolicited answer (101) without an error.
    request.on('close', () => reject(new RequestRefused(wording('answer-not-http'))));
    request.on('response', resolve).on('error', reject).end();
  });
}

function answerOf(message: IncomingMessage): Answer {
  const { statusCode: status = 0, statusMessage: statusText = '', headers } = message;
  const unpack = UNPACKERS.get(headers['content-encoding']?.toLowerCase());
  const body = unpack ? pipeline(message, unpack(), () => undefined) : message;
  // An answer that is not read to its end breaks off without an error.
  body.on('error', () => undefined);
  return { status, statusText, headers, body };
}

/** Whether another try may succeed. */
export function mayPass(thrown: unknown): boolean {
  return PASSING.has(codeOf(thrown));
}

/** Why something was thrown. */
export function reasonOf(thrown: unknown): Wording {
  if (thrown instanceof RequestRefused) return thrown.reason;
  const code = codeOf(thrown);
  if (code.startsWith('HPE_')) return wording('answer-not-http');
  return networkReason(code || (thrown instanceof Error ? thrown.message : String(thrown)));
}

function parse(address: string, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) throw new RequestRefused(wording('not-an-address'));
  const url = new URL(address, base);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new RequestRefused(wording('scheme-unknown', { scheme: url.protocol.slice(0, -1) }));
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (!username && !password) return undefined;
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(plain).toString('base64')}`;
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
