import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { unacknowledgedBytes } from '../net/unacknowledged';
import { DeliveryMeter, LOOK_MS } from './delivery-meter';
import { IMAGE_HEADERS, type ImageGrant } from './transfer';
import { writePart } from './write-part';

/**
 * After so long without progress a transfer is reported as stalled. A healthy one pauses too: FinalStage takes a buffer
 * full and then erases 127 sectors, one after the other, before it goes on reading.
 */
export const STALL_LIMIT_MS = 30_000;

/**
 * How long a device that has everything may take to close the connection. FinalStage closes as soon as it has written
 * the last block, then restarts; if it restarted without closing, nothing will ever come.
 */
export const CLOSE_LIMIT_MS = 10_000;

/** Where the kernel does not tell what was acknowledged: so long after a device's close its reset may still follow. */
const RESET_GRACE_MS = 300;

/** Bytes handed over at a time: small enough to see progress, large enough for full speed. */
const PART_BYTES = 16_384;

export interface FinalReplyOptions {
  stallLimitMs?: number;
  closeLimitMs?: number;
  unacknowledged?: (socket: Socket) => number | undefined;
}

/**
 * The whole file at full speed to FinalStage, which erases the firmware of a device before it reads on (protocol notes
 * 5): so what counts is what the device has, not what we have sent. The HTTP server never sees the end of this answer,
 * since it would close the socket then, and with it would go all that can be known of the device.
 */
export async function replyToFinalStage(
  response: ServerResponse,
  socket: Socket,
  { bytes, observer }: ImageGrant,
  options: FinalReplyOptions = {},
): Promise<void> {
  const {
    stallLimitMs = STALL_LIMIT_MS,
    closeLimitMs = CLOSE_LIMIT_MS,
    unacknowledged = unacknowledgedBytes,
  } = options;
  const meter = new DeliveryMeter(bytes.length, {
    unacknowledged: () => unacknowledged(socket),
    stallLimitMs,
    forward: (from, to) => observer.sent(from, to),
    stalled: (at) => observer.stalled?.(at),
  });
  let closedByDevice = false;
  socket.once('end', () => (closedByDevice = true));
  socket.on(
    'error',
    ({ code }: NodeJS.ErrnoException) => (closedByDevice ||= code === 'ECONNRESET' || code === 'EPIPE'),
  );
  let complete = false;
  try {
    response.sendDate = false;
    response.writeHead(200, { ...IMAGE_HEADERS, 'Content-Length': bytes.length, Connection: 'close' });
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      const part = bytes.subarray(at, at + PART_BYTES);
      await writePart(response, part);
      meter.handedOver(at + part.length);
    }
    complete = meter.tells ? await arrives(meter, socket) : await closesInGoodOrder(socket);
    if (complete) await farewell(socket, closeLimitMs);
  } catch {
    // From writePart: the connection was lost.
  } finally {
    meter.stop();
  }
  const error = closedByDevice ? 'the device broke off the connection' : 'the connection was lost';
  observer.ended({ complete, bytes: meter.position, closedByDevice, ...(complete ? {} : { error }) });
}

/** Waits for the acknowledgement of the last byte, for as long as there is a connection. */
async function arrives(meter: DeliveryMeter, socket: Socket): Promise<boolean> {
  while (!meter.delivered && !socket.destroyed) await pause(LOOK_MS);
  return meter.delivered;
}

/** Where the kernel tells nothing: whether the device closes the connection, and no reset says that it missed some. */
async function closesInGoodOrder(socket: Socket): Promise<boolean> {
  if (!socket.readableEnded && !socket.destroyed) {
    await new Promise<void>((resolve) => {
      socket.once('end', resolve);
      socket.once('close', () => resolve());
    });
  }
  if (socket.destroyed) return false;
  await pause(RESET_GRACE_MS);
  // A device that has closed takes no notice of one byte more; but after its reset, the write fails at once.
  return new Promise((resolve) => socket.write('\n', (error) => resolve(!error)));
}

/** Closes our direction, and gives the device its time to close the other. */
async function farewell(socket: Socket, limitMs: number): Promise<void> {
  socket.end();
  if (socket.closed) return;
  await once(socket, 'close', { signal: AbortSignal.timeout(limitMs) }).catch(() => socket.destroy());
}
