/** Header and body together (diy-mode 2.3). */
const REQUEST_LIMIT_BYTES = 1024;

export interface LanRequest {
  /** The last part of the path, such as `info`. */
  command: string;
  body: Record<string, unknown>;
}

/** What the firmware cannot read: it answers nothing and does not close (diy-mode 2.3). */
export class Unreadable extends Error {}

/**
 * The request in what has arrived so far; undefined while there is more to come. The firmware looks for four literal
 * texts, one of them without regard to case, and waits for as many bytes as are announced (diy-mode 2.3).
 *
 * @throws Unreadable
 */
export function readLanRequest(held: Buffer): LanRequest | undefined {
  if (held.length > REQUEST_LIMIT_BYTES) throw new Unreadable(`a request over ${REQUEST_LIMIT_BYTES} bytes`);
  const end = held.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = held.subarray(0, end + 2).toString('latin1');
  const command = /POST \/zeroconf\/(\w+) HTTP\/1\.1\r\n/.exec(head)?.[1];
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(head)?.[1];
  if (command === undefined) throw new Unreadable(`no command: ${head.split('\r\n')[0]}`);
  if (length === undefined) throw new Unreadable(`no "Content-Length: " in ${command}`);
  const body = held.subarray(end + 4);
  if (body.length < Number(length)) return undefined;
  return { command, body: parse(body.subarray(0, Number(length)).toString()) };
}

function parse(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null) return { ...body };
  } catch {
    // Reported below.
  }
  throw new Unreadable(`no JSON object: ${text}`);
}
