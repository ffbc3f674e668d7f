import type * as net from 'node:net';
import { header } from './literal';
import { SECTOR } from './flash';

/** Something in the answer that the firmware acknowledges with 404. */
export class Refused extends Error {}

const IDLE_LIMIT_MS = 10_000;
const HEADER_LIMIT = 1023;
/** Body bytes that may come in the header's packet (stock-firmware 4.2). */
const EARLY_BODY = 10;
/** What this device needs after the header, while it erases. */
const ERASE_MS = 700;
/** Two full packets wait in its buffer; it takes one out in 250 ms. */
const BUFFER = 2 * 1460;
const BYTES_PER_MS = 1460 / 250;

/**
 * The answer of the class without ranges. The firmware finds the header in the first packet, then erases and cannot take
 * more than its buffer holds. "Too fast" is judged by arrival: the bytes here at any moment may not exceed what a device
 * that drains its buffer all the time could have taken by then; a late look at the socket is therefore never a refusal.
 */
export function receivePaced(
  socket: net.Socket,
  imageLimit: number,
  onSector: (bytes: Buffer) => void,
): Promise<{ bytes: number; ms: number }> {
  return new Promise((resolve, reject) => {
    let start: number | undefined;
    let total = 0;
    let received = 0;
    let pending = Buffer.alloc(0);
    socket.setTimeout(IDLE_LIMIT_MS, () => reject(new Refused('nothing came for 10 s')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Refused(`the connection closed after ${received} of ${total} bytes`)));
    socket.on('data', (packet: Buffer) => {
      try {
        if (start === undefined) {
          const split = readFirstPacket(packet, imageLimit);
          start = performance.now();
          total = split.total;
          packet = split.body;
        }
        received += packet.length;
        const credit = BUFFER + BYTES_PER_MS * (performance.now() - start - ERASE_MS);
        if (received > Math.max(EARLY_BODY, performance.now() - start < ERASE_MS ? 0 : credit))
          throw new Refused(`too fast: ${received} bytes after ${Math.round(performance.now() - start)} ms`);
        if (received > total) throw new Refused('more bytes than announced');
        pending = Buffer.concat([pending, packet]);
        for (; pending.length >= SECTOR; pending = pending.subarray(SECTOR)) onSector(pending.subarray(0, SECTOR));
        if (received < total) return;
        if (pending.length > 0) onSector(pending);
        resolve({ bytes: total, ms: Math.round(performance.now() - start) });
      } catch (error) {
        reject(error instanceof Error ? error : new Refused(String(error)));
      }
    });
  });
}

function readFirstPacket(packet: Buffer, imageLimit: number): { total: number; body: Buffer } {
  const end = packet.indexOf('\r\n\r\n') + 4;
  if (end < 4 || end > HEADER_LIMIT) throw new Refused('no whole header in the first packet');
  const head = packet.subarray(0, end).toString('latin1');
  const total = Number(header(head, 'Content-Length'));
  if (!head.startsWith('HTTP/1.1 200 OK\r\n')) throw new Refused(`not a 200: ${head.split('\r\n')[0]}`);
  if (!(total >= 1 && total <= imageLimit)) throw new Refused('no usable Content-Length');
  if (packet.length - end > EARLY_BODY) throw new Refused(`too fast: ${packet.length - end} bytes with the header`);
  return { total, body: packet.subarray(end) };
}
