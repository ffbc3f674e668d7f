import { request } from 'node:http';
import { networkReason } from './network-reason';
import { wording, type Wording } from '../wordings/wording';

/** The device's own answers have under 300 bytes; more than this is another server's page. */
const ANSWER_LIMIT = 4096;

export interface DeviceRequest {
  method: 'GET' | 'POST';
  url: URL;
  /** JSON text, for a POST. */
  body?: string;
}

export interface RequestOptions {
  signal: AbortSignal;
  /** For the whole request, in ms. */
  limitMs: number;
}

/**
 * - `answered`: with the body as far as it was needed, and what the server calls itself
 * - `lost`: the request went out, but no whole answer came
 * - `unsent`: nothing was there to send it to
 * - `aborted`: by the signal
 *
 * `isTurnedAway`: the connection was reset without a byte of an answer, as by a server that takes one at a time.
 */
export type RequestOutcome =
  | { result: 'answered'; body: string; server?: string | undefined }
  | { result: 'lost' | 'unsent'; reason: Wording; errno?: string | undefined; isTurnedAway?: true | undefined }
  | { result: 'aborted' };

/**
 * One HTTP request to a device, whose server compares text (docs/dev/stock-firmware.md#1.3): a POST goes out in one write,
 * header names spelled as it expects them, and HTTP/1.1, which `fetch` would not do. Never rejects.
 */
export function requestOfDevice(
  { method, url, body }: DeviceRequest,
  { signal, limitMs }: RequestOptions,
): Promise<RequestOutcome> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ result: 'aborted' });
    let connected = false;
    let answer = '';

    const sending = request({
      method,
      hostname: url.hostname,
      port: url.port,
      path: url.pathname,
      agent: false,
      headers: {
        Host: url.host,
        ...(body === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
      },
      // The device's answers are not as strict as its expectations.
      insecureHTTPParser: true,
    });
    const end = (outcome: RequestOutcome): void => {
      clearTimeout(limit);
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
      sending.destroy();
    };
    const fail = (reason: Wording, error: { errno?: string; isTurnedAway?: true } = {}): void =>
      end({ result: connected ? 'lost' : 'unsent', reason, ...error });
    const broken = (error: NodeJS.ErrnoException): void => {
      const { code, message } = error;
      const isTurnedAway = answer === '' && isReset(error);
      const errno = code === undefined ? {} : { errno: code };
      fail(networkReason(code ?? message), { ...errno, ...(isTurnedAway ? { isTurnedAway } : {}) });
    };
    const onAbort = (): void => end({ result: 'aborted' });
    const limit = setTimeout(() => fail(wording('no-answer-in-time')), limitMs);
    signal.addEventListener('abort', onAbort, { once: true });

    sending.on('socket', (socket) => {
      // The request is written in the same moment: from here on the device may have it.
      socket.once('connect', () => (connected = true));
    });
    sending.on('error', broken);
    sending.on('response', (response) => {
      const server = response.headers['server']?.toString();
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        answer += text;
        // It may keep the connection, or state no length: the answer is whole when its object is.
        if (isWhole(answer) || answer.length > ANSWER_LIMIT) end({ result: 'answered', body: answer, server });
      });
      response.on('end', () => end({ result: 'answered', body: answer, server }));
      response.on('error', broken);
    });
    sending.end(body);
  });
}

/** Whether the system reported a reset: to Node a connection that merely ended has the same code, but no system call. */
function isReset({ code, syscall }: NodeJS.ErrnoException): boolean {
  return syscall !== undefined && (code === 'ECONNRESET' || code === 'EPIPE');
}

function isWhole(text: string): boolean {
  try {
    JSON.parse(text.slice(text.indexOf('{')));
    return true;
  } catch {
    return false;
  }
}
