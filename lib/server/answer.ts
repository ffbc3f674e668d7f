import type { ServerResponse } from 'node:http';

/**
 * A whole answer in one write. Header names go out as they are spelled here: the device's parser is case-sensitive
 * (docs/dev/stock-firmware.md#4.2). The length is always stated, since no device takes a chunked answer; node itself
 * adds `Connection: keep-alive`, or `close` where the client asked for it.
 */
export function answer(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): void {
  response.sendDate = false;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/** A refusal or a mistake, in a word or two for readers of a packet trace. */
export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer(response, status, { 'Content-Type': 'text/plain', ...headers }, `${text}\n`);
}
