import type * as net from 'node:net';
import { header } from '../sonoff/literal';
import { LineLost } from '../sonoff/reader';

/** A reply that the firmware does not take; trying again would not help. */
export class BadReply extends Error {}

export interface Piece {
  body: Buffer;
  /** Size of the whole file, as the reply has it. */
  total: number;
}

const PIECE_BYTES = 4096;
const REPLY_LIMIT_BYTES = 5120;

/**
 * Sends a request and resolves with the piece. Status, both names and the empty line must stand in what arrives first,
 * with the beginning of the piece behind them (diy-mode 2.4).
 *
 * @throws BadReply, LineLost
 */
export function fetchPiece(socket: net.Socket, request: string, limitMs: number): Promise<Piece> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    let head: Head | undefined;
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      act();
    };
    const onData = (bytes: Buffer): void => {
      held = Buffer.concat([held, bytes]);
      try {
        head ??= readHead(held);
        const body = bodyOf(held, head);
        const { total } = head;
        if (body !== undefined) settle(() => resolve({ body, total }));
      } catch (error) {
        settle(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    const onClose = (): void => settle(() => reject(new LineLost('the server closed the connection')));
    const timer = setTimeout(() => settle(() => reject(new LineLost('no reply in time'))), limitMs);
    socket.on('data', onData).on('close', onClose);
    if (socket.destroyed) onClose();
    else socket.write(request);
  });
}

interface Head {
  bytes: number;
  length: number;
  total: number;
}

function readHead(first: Buffer): Head {
  const end = first.indexOf('\r\n\r\n');
  const text = first.subarray(0, end + 4).toString('latin1');
  if (end < 0) throw new BadReply('a header in more than one piece');
  if (!text.startsWith('HTTP/1.1 206 Partial Content\r\n')) throw new BadReply(`not a 206: ${text.split('\r\n')[0]}`);
  // The unit is not looked at: only what stands behind the slash.
  const total = Number(/\/(\d+)$/.exec(header(text, 'Content-Range') ?? '')?.[1]);
  const length = Number(header(text, 'Content-Length'));
  if (!(total >= 1)) throw new BadReply('no Content-Range with a total');
  if (!(length >= 1 && length <= PIECE_BYTES)) throw new BadReply(`no Content-Length up to ${PIECE_BYTES}`);
  if (end + 4 + length > REPLY_LIMIT_BYTES) throw new BadReply(`a reply over ${REPLY_LIMIT_BYTES} bytes`);
  if (first.length === end + 4) throw new BadReply('a header without its piece');
  return { bytes: end + 4, length, total };
}

function bodyOf(held: Buffer, { bytes, length }: Head): Buffer | undefined {
  if (held.length > bytes + length) throw new BadReply('more bytes than announced');
  return held.length === bytes + length ? held.subarray(bytes) : undefined;
}
