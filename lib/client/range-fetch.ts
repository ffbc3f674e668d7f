import { Agent, request, type IncomingMessage } from 'node:http';
import { wording, type Wording } from '../wordings/wording';
import { networkReason } from './network-reason';

/** A device requests this much at a time (docs/dev/stock-firmware.md#4.2). */
export const PIECE_BYTES = 4096;

export interface RangeFetchOptions {
  signal: AbortSignal;
  /** For all of it, in ms. */
  limitMs: number;
  /** More is not read; a file that is longer is another one. */
  limitBytes: number;
}

/** Either the bytes, or why there are none; `status` where there was an answer. */
export type RangeFetchOutcome = { bytes: Buffer } | { reason: Wording; status?: number };

/**
 * Fetches a file as a device does: in pieces of 4096 bytes over one connection that must stay open. Never rejects.
 *
 * @param url http, with an IPv4 address
 */
export async function fetchInRanges(
  url: URL,
  { signal, limitMs, limitBytes }: RangeFetchOptions,
): Promise<RangeFetchOutcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  // Kept in hand: one that only AbortSignal.any() knows is garbage to Node.js 20, and never fires.
  const limit = AbortSignal.timeout(limitMs);
  const limited = AbortSignal.any([signal, limit]);
  const pieces: Buffer[] = [];
  try {
    for (let at = 0, total = Infinity; at < total;) {
      const piece = await fetchPiece(url, at, agent, limited);
      if ('reason' in piece) return piece;
      pieces.push(piece.bytes);
      at += piece.bytes.length;
      total = piece.total;
      if (Math.max(at, total) > limitBytes) return { reason: wording('longer-file'), status: 206 };
    }
    return { bytes: Buffer.concat(pieces) };
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const isLate = limit.aborted || signal.aborted;
    return { reason: isLate ? wording('no-answer-in-time') : networkReason(code ?? message) };
  } finally {
    agent.destroy();
  }
}

async function fetchPiece(
  url: URL,
  at: number,
  agent: Agent,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; total: number } | { reason: Wording; status: number }> {
  const headers = { Range: `bytes=${at}-${at + PIECE_BYTES - 1}` };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { agent, signal, headers }, resolve).once('error', reject).end();
  });
  const { statusCode: status = 0 } = response;
  // The unread rest of an answer ends with the agent.
  if (status !== 206) return { reason: wording('no-piece', { status }), status };
  const bytes = await bodyOf(response);
  if (bytes === undefined) return { reason: wording('longer-piece'), status };
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers['content-range'] ?? '') ?? [];
  if (Number(first) !== at || bytes.length === 0) return { reason: wording('another-piece'), status };
  return { bytes, total: Number(total) };
}

/** Undefined where it is longer than a piece may be; the rest is not read. */
async function bodyOf(response: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    // Leaving the loop destroys the response.
    if (length > PIECE_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
