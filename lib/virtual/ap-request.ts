/** What the device keeps of `POST /ap`: raw copies, no JSON escape is decoded. */
export interface ApSettings {
  ssid: string;
  password: string;
  serverName: string;
  port: number;
}

export type ApRequest =
  { type: 'device' } | { type: 'settings'; settings: ApSettings } | { type: 'none'; reason: string };

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

/** Reads a request as the string matcher does. */
export function parseApRequest(text: string): ApRequest {
  if (text.includes('GET /device HTTP/1.1')) return { type: 'device' };
  if (!text.includes('POST /ap HTTP/1.1')) return { type: 'none', reason: 'not a request that it knows' };
  const start = text.indexOf('{', text.indexOf('\r\n\r\n'));
  const body = start < 0 ? '' : text.slice(start);
  if (!isObject(body)) return { type: 'none', reason: 'no JSON body' };
  const ssid = rawString(body, 'ssid');
  const password = rawString(body, 'password');
  const serverName = rawString(body, 'serverName');
  const port = /"port"\s*:\s*(\d{1,5})\s*[,}]/.exec(body)?.[1];
  if (ssid === undefined || password === undefined || serverName === undefined || port === undefined) {
    return { type: 'none', reason: 'a field is missing' };
  }
  if (ssid.length > 31) return { type: 'none', reason: 'ssid over 31 bytes' };
  if (password.length > 63) return { type: 'none', reason: 'password over 63 bytes' };
  if (serverName.length > 50) return { type: 'none', reason: 'serverName over 50 characters' };
  return { type: 'settings', settings: { ssid, password, serverName, port: Number(port) } };
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
