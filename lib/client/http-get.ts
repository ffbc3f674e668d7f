/** A GET over http(s) that follows redirects within limits, and says in words what went wrong. */

import { FlashError } from '../errors';
import { isNearer, scopeOfHost, type AddressScope } from '../net/address-scope';

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
/** Those of them that another try may not meet again. */
const PASSING = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

/** What is wrong with an answer, in words for the user; another try would bring the same. */
export class Refusal extends Error {}

/** The address as it may be shown: without user, password and query, which may all be secrets. */
export function displayUrl(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url ? `${url.protocol}//${url.host}${url.pathname}` : 'that address';
}

export interface GetOptions {
  /** How an error names what is fetched. */
  what: string;
  headers: Record<string, string>;
  signal: AbortSignal;
  /** From where a host can be reached. */
  scopeOf?: (hostname: string) => Promise<AddressScope>;
}

/**
 * The first answer that is no redirect. A redirect never leads nearer to this machine than the address before it: what
 * somebody else's server says must not reach a service at home, or one on this machine. A user and password in the address are sent to its own origin only.
 *
 * @throws FlashError `fetch-redirected`; a Refusal; or what `fetch` throws
 */
export async function get(
  address: string,
  { what, headers, signal, scopeOf = scopeOfHost }: GetOptions,
): Promise<Response> {
  let url = parse(address);
  const { origin } = url;
  const authorization = basicAuthorization(url);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const own = new Headers(headers);
    if (authorization && url.origin === origin) own.set('authorization', authorization);
    const response = await fetch(withoutCredentials(url), { signal, headers: own, redirect: 'manual' });
    if (!REDIRECTS.has(response.status)) return response;
    await response.body?.cancel();
    const location = response.headers.get('location');
    if (!location) throw new Refusal('it redirects to nowhere');
    const next = parse(location, url);
    if (url.protocol === 'https:' && next.protocol === 'http:') throw new Refusal('it redirects from https to http');
    await refuseNearer(next, url, scopeOf);
    url = next;
  }
  throw new FlashError('fetch-redirected', { what, source: displayUrl(address), times: MAX_REDIRECTS });
}

/** Whether another try may succeed. */
export function mayPass(thrown: unknown): boolean {
  return PASSING.has(codeOf(thrown));
}

/** What was thrown, in words that follow a colon. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Refusal) return thrown.message;
  const code = codeOf(thrown);
  if (code.startsWith('HPE_')) return 'the answer is not HTTP';
  const cause = causeOf(thrown);
  return NETWORK_REASONS[code] ?? (code || (cause instanceof Error ? cause.message : String(cause)));
}

function parse(address: string, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) throw new Refusal('that is no address');
  const url = new URL(address, base);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw new Refusal(`only http and https addresses can be fetched, not ${url.protocol.slice(0, -1)}`);
}

async function refuseNearer(next: URL, from: URL, scopeOf: typeof scopeOfHost): Promise<void> {
  if (next.hostname === from.hostname) return;
  const scope = await scopeOf(next.hostname);
  if (!isNearer(scope, await scopeOf(from.hostname))) return;
  throw new Refusal(scope === 'loopback' ? 'it redirects to this machine' : 'it redirects to a private network');
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

/** `fetch` and its body wrap what happened: "fetch failed", "terminated". */
function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
}

function codeOf(thrown: unknown): string {
  const cause = causeOf(thrown);
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}
