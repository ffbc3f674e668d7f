import type { Identity } from '../device/models';

/** The settings of `POST /ap` that the device stores: raw copies, no JSON escape is decoded. */
export interface ApSettings {
  ssid: string;
  password: string;
  serverName: string;
  port: number;
}

/** The access point's answer to one request: a whole reply and a line for its log, or silence with its reason. */
export type ApAnswer<Taken> = { log: string; reply: string; taken?: Taken } | { silence: string };

/** One firmware's web server in its access point. */
export type ApAnswers<Taken> = (request: string) => ApAnswer<Taken>;

/**
 * The complete request in the receive buffer; undefined while more must come. Only `Content-Length: ` in exactly this
 * spelling is known; without it the request ends at the blank line, with whatever came in the same segment.
 */
export function takeRequest(buffer: Buffer): string | undefined {
  const text = buffer.toString('latin1');
  const blank = text.indexOf('\r\n\r\n');
  if (blank < 0) return undefined;
  const length = /Content-Length: (\d+)/.exec(text.slice(0, blank));
  if (!length) return text;
  const end = blank + 4 + Number(length[1]);
  return text.length < end ? undefined : text.slice(0, end);
}

/** The firmware that knows the cloud alone: two requests by their exact words (docs/dev/stock-firmware.md#1.3). */
export function cloudApAnswers({ deviceid, apikey }: Identity): ApAnswers<ApSettings> {
  return (text) => {
    if (text.includes('GET /device HTTP/1.1')) {
      return { log: 'told who it is', reply: apReply(JSON.stringify({ deviceid, apikey, accept: 'post' })) };
    }
    if (!text.includes('POST /ap HTTP/1.1')) return { silence: 'not a request that it knows' };
    return answerSettings(text);
  };
}

/** The reply to `POST /ap`. */
export function answerSettings(text: string): ApAnswer<ApSettings> {
  const body = jsonBody(text);
  if (body === undefined) return { silence: 'no JSON body' };
  const wifi = wifiIn(body);
  const serverName = rawString(body, 'serverName');
  const port = /"port"\s*:\s*(\d{1,5})\s*[,}]/.exec(body)?.[1];
  if (!wifi || serverName === undefined || port === undefined) return { silence: 'a field is missing' };
  if ('silence' in wifi) return wifi;
  if (serverName.length > 50) return { silence: 'serverName over 50 characters' };
  return { ...SETTINGS_TAKEN, taken: { ...wifi, serverName, port: Number(port) } };
}

/** The reply to settings, sent before the device has tried them. */
export const SETTINGS_TAKEN = { log: 'took settings', reply: apReply('{"error":0}') };

/** The body behind the header from the first brace on; undefined where it is no JSON. */
export function jsonBody(text: string): string | undefined {
  const start = text.indexOf('{', text.indexOf('\r\n\r\n'));
  const body = start < 0 ? '' : text.slice(start);
  return isObject(body) ? body : undefined;
}

/** Name and password of a Wi-Fi; undefined where one of them is missing, or why the device does not take them. */
export function wifiIn(body: string): { ssid: string; password: string } | { silence: string } | undefined {
  const ssid = rawString(body, 'ssid');
  const password = rawString(body, 'password');
  if (ssid === undefined || password === undefined) return undefined;
  if (ssid.length > 31) return { silence: 'ssid over 31 bytes' };
  if (password.length > 63) return { silence: 'password over 63 bytes' };
  return { ssid, password };
}

/** A whole reply of the access point's web server. */
export function apReply(body: string, contentType = 'application/json'): string {
  return (
    `HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\nConnection: keep-alive\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

function isObject(body: string): boolean {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

function rawString(body: string, key: string): string | undefined {
  return new RegExp(`"${key}"\\s*:\\s*"((?:\\\\.|[^"\\\\])*)"`).exec(body)?.[1];
}
