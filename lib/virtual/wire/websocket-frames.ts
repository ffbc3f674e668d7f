/** A frame that came in: a text message, the only pong that is known, or something that the firmware cannot use. */
export type ServerFrame =
  | { type: 'text'; text: string }
  | { type: 'pong' }
  | { type: 'ignored'; reason: string }
  | { type: 'flush'; reason: string };

const FRAME_BYTES = 2000;

/** A text message as the device sends it: one frame, masked with a key of zeros, so readable in clear. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text, 'utf8');
  return dataFrame(0x81, payload);
}

/** A masked frame with this first byte. Throws RangeError where the device's 126-form cannot carry it. */
export function dataFrame(first: number, payload: Uint8Array): Buffer {
  if (payload.length > 0xffff) throw new RangeError('The device has no frames of this size');
  const length =
    payload.length <= 125 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.of(first, ...length, 0, 0, 0, 0), payload]);
}

export const PING_FRAME = Buffer.of(0x89, 0x80, 0, 0, 0, 0);

/**
 * Takes the next frame off the front of the receive buffer; undefined while it is not complete. The firmware knows
 * whole, unmasked 0x81 frames of at most 2000 bytes and the empty pong 8A 00, nothing else
 * (docs/dev/stock-firmware.md#3.2).
 */
export function takeFrame(buffer: Buffer): { frame: ServerFrame; rest: Buffer } | undefined {
  if (buffer.length < 2) return undefined;
  const [first, second] = [buffer[0]!, buffer[1]!];
  const flush = (reason: string): { frame: ServerFrame; rest: Buffer } => ({
    frame: { type: 'flush', reason },
    rest: Buffer.alloc(0),
  });
  if (second & 0x80) return flush('masked frame');
  if (second === 127) return flush('frame in the 127-form');
  if (second === 126 && buffer.length < 4) return undefined;
  const start = second === 126 ? 4 : 2;
  const length = second === 126 ? buffer.readUInt16BE(2) : second;
  if ((first & 0x0f) >= 8 && length > 0) return flush('control frame with a payload');
  if (start + length > FRAME_BYTES) return flush(`frame over ${FRAME_BYTES} bytes`);
  if (buffer.length < start + length) return undefined;
  const payload = buffer.subarray(start, start + length);
  return { frame: classify(first, payload), rest: buffer.subarray(start + length) };
}

function classify(first: number, payload: Buffer): ServerFrame {
  switch (first) {
    case 0x81:
      return { type: 'text', text: payload.toString('utf8') };
    case 0x8a:
      return { type: 'pong' };
    case 0x82:
      return { type: 'ignored', reason: 'binary frame' };
    case 0x89:
      return { type: 'ignored', reason: 'ping' };
    case 0x88:
      return { type: 'ignored', reason: 'close frame' };
    case 0xc1:
      return { type: 'ignored', reason: 'compressed frame' };
    default:
      return { type: 'ignored', reason: first & 0x80 ? `frame 0x${first.toString(16)}` : 'fragment' };
  }
}
