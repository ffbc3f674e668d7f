import { DownloadError } from '../stock/download';
import { SECTOR_BYTES } from '../device/flash-memory';
import { headOf, literalHeader } from '../wire/http-reply';
import { type Wire, WireError } from '../wire/wire';

const HEADER_BYTES = 1023;
const PARTIAL = 'HTTP/1.1 206 Partial Content';
/** Most bytes of an image: 508 KiB (docs/dev/diy-mode.md#1.10). */
export const IMAGE_BYTES = 520_192;

/** Why the first piece did not come: the error with which `ota_flash` ends (docs/dev/diy-mode.md#1.7). */
export class PieceError extends DownloadError {
  constructor(
    message: string,
    readonly error: 408 | 413 | 424,
  ) {
    super(message);
  }
}

export interface Piece {
  readonly bytes: Buffer;
  /** Bytes of the whole image. */
  readonly total: number;
}

/**
 * Reads the reply to one range (docs/dev/diy-mode.md#2.4): everything up to the blank line must be there in what arrives
 * first; `HTTP/1.1 206 Partial Content`, `Content-Range` and `Content-Length: ` are found by their exact letters. Rejects
 * with a PieceError, a WireError, or the signal's reason.
 */
export async function readPiece(
  wire: Wire,
  range: { first: number; last: number },
  known: number | undefined,
  limitMs: number,
): Promise<Piece> {
  const deadline = performance.now() + limitMs;
  const first = await wire.next(limitMs);
  if (!first) throw new WireError('closed instead of a reply');
  const head = headIn(first.bytes);
  const length = lengthIn(head);
  const total = known ?? totalIn(head);
  const expected = Math.min(range.last + 1, total) - range.first;
  if (length !== expected) throw new PieceError(`${length} bytes instead of ${expected}`, 424);
  let bytes = first.bytes.subarray(head.length);
  while (bytes.length < length) {
    const segment = await wire.next(Math.max(0, deadline - performance.now()));
    if (!segment) throw new WireError('closed before the piece was complete');
    bytes = Buffer.concat([bytes, segment.bytes]);
  }
  if (bytes.length > length) throw new PieceError('more bytes than Content-Length says', 424);
  return { bytes, total };
}

function headIn(bytes: Buffer): string {
  let head: string | undefined;
  try {
    head = headOf(bytes, HEADER_BYTES);
  } catch (error) {
    throw new PieceError((error as Error).message, 424);
  }
  if (head === undefined) throw new PieceError('the header is not whole in what arrived first', 424);
  if (head.includes(PARTIAL)) return head;
  const status = /^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? '';
  // A server that refuses the request itself lets it wait for a reply that never comes (docs/dev/diy-mode.md#1.11).
  throw new PieceError(`status ${status} instead of 206`, ['200', '404', '416'].includes(status) ? 424 : 408);
}

function lengthIn(head: string): number {
  const text = literalHeader(head, 'Content-Length') ?? '';
  if (!/^\d+$/.test(text)) throw new PieceError('no "Content-Length: "', 424);
  if (Number(text) > SECTOR_BYTES) throw new PieceError(`a piece over ${SECTOR_BYTES} bytes`, 424);
  return Number(text);
}

/** The text between the first slash behind `Content-Range` and the end of the line. */
function totalIn(head: string): number {
  const text = /Content-Range[^\r]*?\/(\d+)\r\n/.exec(head)?.[1];
  if (text === undefined) throw new PieceError('no total in "Content-Range"', 424);
  if (Number(text) > IMAGE_BYTES) throw new PieceError(`image over ${IMAGE_BYTES} bytes`, 413);
  return Number(text);
}
