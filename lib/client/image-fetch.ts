/** Fetches an image over http(s), with a limit on everything a server could do without end. */

import { FlashError } from '../errors';

export interface FetchOptions {
  /** How an error names the image. */
  what: string;
  signal: AbortSignal;
  /** For everything together: name look-up, redirects, body. */
  limitMs: number;
  /** A body above this is not read to its end. */
  limitBytes: number;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** What the codes of Node's network errors mean to a user. */
const NETWORK_REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke off',
  UND_ERR_SOCKET: 'the connection broke off',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the body has another length than announced',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'there is no way to that network',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'nothing answered',
  UND_ERR_CONNECT_TIMEOUT: 'nothing answered',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be verified',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** The address as it may be shown: without user, password and query, which may all be secrets. */
export function displayUrl(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url ? `${url.protocol}//${url.host}${url.pathname}` : 'that address';
}

/**
 * The body of a 200 answer. A user and password in the address are sent to its own origin only.
 *
 * @throws FlashError fetch-failed {what, source, reason}, cancelled
 */
export async function fetchImage(address: string, options: FetchOptions): Promise<Buffer> {
  const { what, signal, limitMs } = options;
  const stop = new AbortController();
  const cancel = (): void => stop.abort();
  const limit = setTimeout(cancel, limitMs);
  signal.addEventListener('abort', cancel);
  try {
    if (signal.aborted) cancel();
    return await readBody(await follow(address, stop.signal), options.limitBytes);
  } catch (thrown) {
    if (signal.aborted) throw new FlashError('cancelled', {}, { cause: thrown });
    const reason = stop.signal.aborted ? `it took longer than ${limitMs / 1000} s` : reasonOf(thrown);
    throw new FlashError('fetch-failed', { what, source: displayUrl(address), reason }, { cause: thrown });
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', cancel);
    stop.abort(); // An answer that was given up on keeps no connection open.
  }
}

/** What is wrong with the answer, in words for the user. */
class Refusal extends Error {}

async function follow(address: string, signal: AbortSignal): Promise<Response> {
  let url = parse(address);
  const origin = url.origin;
  const authorization = basicAuthorization(url);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    // A compressed body could not be measured against its announced length.
    const headers = new Headers({ 'accept-encoding': 'identity' });
    if (authorization && url.origin === origin) headers.set('authorization', authorization);
    const response = await fetch(withoutCredentials(url), { signal, headers, redirect: 'manual' });
    if (!REDIRECTS.has(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (!location) throw new Refusal('it redirects to nowhere');
    const next = parse(location, url);
    if (url.protocol === 'https:' && next.protocol === 'http:') throw new Refusal('it redirects from https to http');
    url = next;
  }
  throw new Refusal(`it redirects more than ${MAX_REDIRECTS} times`);
}

async function readBody(response: Response, limitBytes: number): Promise<Buffer> {
  if (response.status !== 200) {
    throw new Refusal(`the server answered ${`${response.status} ${response.statusText}`.trim()}`);
  }
  const tooLong = new Refusal(`it is longer than ${limitBytes} bytes, which no image for this device is`);
  const announced = announcedLength(response);
  if (announced !== undefined && announced > limitBytes) throw tooLong;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > limitBytes) throw tooLong;
    pieces.push(piece);
  }
  if (announced !== undefined && length !== announced) {
    throw new Refusal(`${length} bytes came instead of the ${announced} announced`);
  }
  return Buffer.concat(pieces, length);
}

/** Undefined where nothing usable is announced; that of a compressed body counts other bytes than we see. */
function announcedLength(response: Response): number | undefined {
  if (response.headers.has('content-encoding')) return undefined;
  const header = response.headers.get('content-length');
  return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

function parse(address: string, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) throw new Refusal('that is no address');
  const url = new URL(address, base);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new Refusal(`only http and https addresses can be fetched, not ${url.protocol.slice(0, -1)}`);
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (!username && !password) return undefined;
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(plain).toString('base64')}`;
}

/** `fetch` refuses an address with credentials in it. */
function withoutCredentials(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain;
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof Refusal) return thrown.message;
  // `fetch` and its body wrap what happened: "fetch failed", "terminated".
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code.startsWith('HPE_')) return 'the answer is not HTTP';
  return NETWORK_REASONS[code] ?? (code || (cause instanceof Error ? cause.message : String(cause)));
}
