/** The whole of a request, header and body together (docs/dev/diy-mode.md#2.3). */
const REQUEST_BYTES = 1024;

/** A whole request, or why the device will never answer this connection. */
export type LanRequest = { command: string; body: string } | { deaf: string };

/**
 * The request in the receive buffer; undefined while more must come. The firmware looks for a few words, and what lacks
 * one of them it does not answer, nor does it close (docs/dev/diy-mode.md#2.3).
 */
export function readLanRequest(buffer: Buffer): LanRequest | undefined {
  if (buffer.length > REQUEST_BYTES) return { deaf: `over ${REQUEST_BYTES} bytes` };
  const blank = buffer.indexOf('\r\n\r\n');
  if (blank < 0) return undefined;
  const head = buffer.toString('latin1', 0, blank + 2);
  const command = /POST \/zeroconf\/(\S*) HTTP\/1\.1/.exec(head)?.[1];
  if (command === undefined) return { deaf: 'not a POST to /zeroconf/' };
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1];
  if (length === undefined) return { deaf: 'no "Content-Length: "' };
  const start = blank + 4;
  const end = start + Number(length);
  if (end > REQUEST_BYTES) return { deaf: `over ${REQUEST_BYTES} bytes` };
  return buffer.length < end ? undefined : { command, body: buffer.toString('utf8', start, end) };
}
