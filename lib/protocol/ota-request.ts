import { createHash } from 'node:crypto';
import { isDeviceId } from './device-statement';
import { randPosition } from './newlib-rand';

/**
 * How a downloader wants to be served (docs/dev/stock-firmware.md#4.2, #5):
 * `range` asks for 4096 bytes at a time on one connection; `no-range` takes the whole file, but only slowly;
 * `finalstage` is the intermediate firmware, known by HTTP/1.0, and takes the whole file at full speed.
 */
export type OtaClass = 'range' | 'no-range' | 'finalstage';

/**
 * A download request, taken apart. Only `path` says what is wanted: the Host header is the constant dl.itead.cn
 * (docs/dev/stock-firmware.md#4.1).
 */
export interface OtaRequest {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly class: OtaClass;
  readonly deviceid?: string;
  /** The device's next rand(), not a time. */
  readonly ts?: number;
  /** 64 lower-case hex digits; see `signatureMatches`. */
  readonly sign?: string;
  /** The bytes asked for, both ends included. Never set for `finalstage`, which takes only a 200. */
  readonly range?: { readonly first: number; readonly last: number };
  /**
   * Set where there is a Range header other than `bytes=a-b` with a <= b, which no device sends. Answer 416: the RFC
   * would let a server ignore it, but the 200 that follows makes a Range-class device loop and reboot (SonOTA#53).
   */
  readonly malformedRange?: true;
  /** Position of `ts` in the rand() sequence of the device, counted from 1; undefined where it is not near its start. */
  readonly randPosition?: number;
}

/** While it is read: property by property, since there is one for each range. */
type Draft = { -readonly [Key in keyof OtaRequest]: OtaRequest[Key] };

/** A request line and headers as `node:http` gives them: header names in lower case. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Takes a request apart; what does not look like a device's is left out. Never throws. */
export function parseOtaRequest({ method, url, httpVersion, headers }: RequestHead): OtaRequest {
  const [path, query] = splitTarget(url);
  const request: Draft = { method, path, class: classOf(httpVersion, headers['range']) };
  readParameters(query, request);
  if (request.class === 'range') readRange(headers['range'], request);
  return request;
}

/**
 * Whether a request was signed with a device's own key: sha256 over deviceid, ts and key, as text without separators.
 * Verified on 20 logged requests of 3 devices (docs/dev/stock-firmware.md#4.1).
 *
 * @param apikey the key that the device stated in its dispatch
 */
export function signatureMatches(request: { deviceid: string; ts: number; sign: string }, apikey: string): boolean {
  const expected = createHash('sha256').update(`${request.deviceid}${request.ts}${apikey}`).digest('hex');
  return request.sign.toLowerCase() === expected;
}

function classOf(httpVersion: string, range: unknown): OtaClass {
  if (httpVersion === '1.0') return 'finalstage';
  return range === undefined ? 'no-range' : 'range';
}

function readRange(header: string | string[] | undefined, request: Draft): void {
  const match = typeof header === 'string' ? /^bytes=(\d{1,10})-(\d{1,10})$/.exec(header) : null;
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (first <= last) request.range = { first, last };
  else request.malformedRange = true;
}

/** Path and query of a request target, in its usual form or with scheme and host. */
function splitTarget(url: string): [path: string, query: string] {
  const target = url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return [path === '' ? '/' : path, mark < 0 ? '' : target.slice(mark + 1)];
}

/** The parameters as a device writes them. None of their characters is ever escaped, so nothing is decoded. */
const PARAMETERS = {
  deviceid: /(?:^|&)deviceid=([^&]*)/,
  ts: /(?:^|&)ts=([^&]*)/,
  sign: /(?:^|&)sign=([^&]*)/,
} as const;

function readParameters(query: string, request: Draft): void {
  const deviceid = PARAMETERS.deviceid.exec(query)?.[1];
  const ts = PARAMETERS.ts.exec(query)?.[1] ?? '';
  const sign = PARAMETERS.sign.exec(query)?.[1]?.toLowerCase() ?? '';
  if (isDeviceId(deviceid)) request.deviceid = deviceid;
  if (/^\d{1,10}$/.test(ts)) {
    request.ts = Number(ts);
    const position = randPosition(request.ts);
    if (position !== undefined) request.randPosition = position;
  }
  if (/^[0-9a-f]{64}$/.test(sign)) request.sign = sign;
}
