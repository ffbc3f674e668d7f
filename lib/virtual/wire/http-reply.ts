import { type Wire, WireError } from './wire';

/** The reply came, but the firmware's string matcher does not take it. */
export class ReplyError extends Error {}

const BLANK_LINE = '\r\n\r\n';

export interface ReplyLimits {
  /** The status line that must stand in the reply, letter by letter. */
  status: string;
  /** Most bytes of the header, the blank line included. */
  headerBytes: number;
  /** The receive buffer: most bytes of header and body together. */
  bufferBytes: number;
  /** Most bytes of the body. */
  bodyBytes: number;
  limitMs: number;
}

export interface Reply {
  head: string;
  body: Buffer;
}

/**
 * Reads one reply as the stock firmware does: literal status line, `Content-Length: ` in exactly this spelling,
 * everything in one small buffer, no chunks. Rejects with a ReplyError or a WireError.
 */
export async function readReply(wire: Wire, limits: ReplyLimits): Promise<Reply> {
  const deadline = performance.now() + limits.limitMs;
  let buffer = Buffer.alloc(0);
  let head: string | undefined;
  let length = 0;
  for (;;) {
    const segment = await wire.next(Math.max(0, deadline - performance.now()));
    if (!segment) throw new WireError('closed before the reply was complete');
    buffer = Buffer.concat([buffer, segment.bytes]);
    if (head === undefined) {
      head = headOf(buffer, limits.headerBytes);
      if (head !== undefined) {
        length = checkHead(head, limits);
        buffer = buffer.subarray(head.length);
      }
    }
    if ((head?.length ?? 0) + buffer.length > limits.bufferBytes) {
      throw new ReplyError(`reply over ${limits.bufferBytes} bytes`);
    }
    if (head === undefined) continue;
    if (buffer.length > length) throw new ReplyError('more bytes than Content-Length says');
    if (buffer.length === length) return { head, body: buffer };
  }
}

/** The header up to and with its blank line; undefined while it is not complete. Throws where it cannot fit any more. */
export function headOf(buffer: Buffer, headerBytes: number): string | undefined {
  const end = buffer.indexOf(BLANK_LINE);
  if (end < 0 ? buffer.length > headerBytes : end + 4 > headerBytes) {
    throw new ReplyError(`header over ${headerBytes} bytes`);
  }
  return end < 0 ? undefined : buffer.toString('latin1', 0, end + 4);
}

/** The value behind `Name: `, found by the exact letters as the firmware does; undefined when it is not there. */
export function literalHeader(head: string, name: string): string | undefined {
  const start = head.indexOf(`${name}: `);
  if (start < 0) return undefined;
  const from = start + name.length + 2;
  return head.slice(from, head.indexOf('\r\n', from));
}

/** Checks status line and length, and returns the length in bytes. */
export function checkHead(head: string, limits: Pick<ReplyLimits, 'status' | 'bodyBytes'>): number {
  if (!head.includes(limits.status)) throw new ReplyError(`not "${limits.status}" but "${head.split('\r\n', 1)[0]}"`);
  const length = literalHeader(head, 'Content-Length');
  if (length === undefined || !/^\d+$/.test(length)) throw new ReplyError('no "Content-Length: "');
  if (Number(length) > limits.bodyBytes) throw new ReplyError(`body over ${limits.bodyBytes} bytes`);
  return Number(length);
}
