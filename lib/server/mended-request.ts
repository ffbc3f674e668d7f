import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHead } from '../protocol/ota-request';

const HEAD_END = '\r\n\r\n';
const REQUEST_LINE = /^GET ([^\s/][^\s]*) HTTP\/1\.([01])$/;

/**
 * The head of a GET whose target has no leading slash, which node's parser refuses; one device sends it
 * (docs/dev/diy-mode.md#1.11). Only where the whole head came in one piece, as a device sends it.
 *
 * @param raw what the parser was given when it gave up
 */
export function headWithoutSlash(raw: Buffer | undefined): RequestHead | undefined {
  const [head, rest] = (raw?.toString('latin1') ?? '').split(HEAD_END);
  if (head === undefined || rest === undefined) return undefined;
  const [requestLine = '', ...lines] = head.split('\r\n');
  const [, url, minor] = REQUEST_LINE.exec(requestLine) ?? [];
  if (url === undefined || minor === undefined) return undefined;
  const fields = lines.map((line) => /^([\w-]+):\s*(.*?)\s*$/.exec(line)).filter((field) => field !== null);
  const headers = Object.fromEntries(fields.map(([, name = '', value = '']) => [name.toLowerCase(), value]));
  return { method: 'GET', url, httpVersion: `1.${minor}`, headers };
}

/**
 * What a client sent after a head that announced no body, as the parser, which took it for the next request, hands it
 * over: with the head in front where both came in one piece.
 */
export function bodyBehind(raw: Buffer | undefined): string {
  const text = raw?.toString('utf8') ?? '';
  return text.startsWith('POST ') ? text.slice(text.indexOf(HEAD_END) + HEAD_END.length) : text;
}

/**
 * A request that was read without node's parser, as node would hand it to a server, with a response for its connection.
 *
 * @returns undefined while another request of the connection has no answer
 */
export function exchangeFor(
  { method, url, httpVersion, headers }: RequestHead,
  socket: Socket,
): { request: IncomingMessage; response: ServerResponse } | undefined {
  // Node's own property: what it answers on this connection now.
  if ((socket as Socket & { _httpMessage?: unknown })._httpMessage) return undefined;
  const [major, minor] = httpVersion.split('.').map(Number);
  const request = Object.assign(new IncomingMessage(socket), {
    method,
    url,
    httpVersion,
    httpVersionMajor: major,
    httpVersionMinor: minor,
    headers,
  });
  const response = new ServerResponse(request);
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    if (!response.shouldKeepAlive) socket.end();
    response.emit('close');
  });
  return { request, response };
}
