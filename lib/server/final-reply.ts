import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { unacknowledgedBytes } from '../net/unacknowledged';
import { DeliveryMeter, LOOK_MS } from './delivery-meter';
import { IMAGE_HEADERS, type ImageGrant } from './transfer';
import { writePart } from './write-part';

/**
 * After so long without progress a transfer is reported as stalled. A healthy one pauses too: FinalStage takes a buffer
 * full and then erases 127 sectors, one after the other, before it continues reading.
 */
export const STALL_LIMIT_MS = 30_000;

/**
 * How long a device that has everything may take to close the connection. FinalStage closes as soon as it has written
 * the last block, then restarts; if it restarted without closing, nothing will ever come. A receiver with large buffers
 * has acknowledged a file long before it has read it.
 */
export const CLOSE_LIMIT_MS = 30_000;

/**
 * After so long we close our direction, for a receiver that reads until the end. Not immediately: the device's network
 * library answers a close with a reset, and a reset is how a receiver says that it did not read everything.
 */
export const HALF_CLOSE_MS = 5_000;

/** A receiver that closes before it has read everything sends its reset a round trip after its close, at the latest. */
export const RESET_GRACE_MS = 300;

/** A connection on which nothing moves is probed by the kernel after so long. */
export const KEEP_ALIVE_MS = 30_000;

/** Bytes handed over at a time: small enough to see progress, large enough for full speed. */
export const PART_BYTES = 16_384;

export interface FinalReplyOptions {
  stallLimitMs?: number;
  closeLimitMs?: number;
  unacknowledged?: (socket: Socket) => number | undefined;
}

/**
 * The whole file at full speed to FinalStage, which erases the firmware of a device before it reads on
 * (docs/dev/stock-firmware.md#5): so what counts is what the device has, not what we have sent. The HTTP server never
 * sees the end of this answer, since it would close the socket then, and with it would go all that can be known of the
 * device.
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
  // No limit of ours may cut off a device that is slow: the kernel detects one that is gone, and gives it up.
  socket.setTimeout(0);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const end: DeviceEnd = { closed: false, reset: false };
  socket.once('end', () => (end.closed = true));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (end.reset ||= code === 'ECONNRESET' || code === 'EPIPE'));
  let complete = false;
  try {
    response.sendDate = false;
    response.writeHead(200, { ...IMAGE_HEADERS, 'Content-Length': bytes.length, Connection: 'close' });
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      const part = bytes.subarray(at, at + PART_BYTES);
      await writePart(response, part);
      meter.handedOver(at + part.length);
    }
    if (meter.tells) await arrives(meter, socket);
    await closes(socket, end, meter.tells ? closeLimitMs : undefined);
    if (end.closed) end.reset ||= await resetFollows(socket, meter.tells ? unacknowledged : undefined);
    complete = !end.reset && (meter.tells ? meter.delivered : end.closed);
  } catch {
    // From writePart: the connection was lost.
  } finally {
    meter.stop();
    if (end.closed) socket.end();
    else socket.destroy();
  }
  const closedByDevice = end.closed || end.reset;
  const error = closedByDevice ? 'the device broke off the connection' : 'the connection was lost';
  observer.ended({ complete, bytes: meter.position, closedByDevice, ...(complete ? {} : { error }) });
}

/** How the device ended the connection: in good order, or saying that it did not read everything. */
interface DeviceEnd {
  closed: boolean;
  reset: boolean;
}

/** Waits for the acknowledgement of the last byte, for as long as there is a connection. */
async function arrives(meter: DeliveryMeter, socket: Socket): Promise<void> {
  while (!meter.delivered && !socket.destroyed) await pause(LOOK_MS);
}

/**
 * Waits until the device closes the connection.
 *
 * @param limitMs undefined = for as long as there is a connection
 */
async function closes(socket: Socket, end: DeviceEnd, limitMs: number | undefined): Promise<void> {
  const started = performance.now();
  while (!end.closed && !socket.destroyed) {
    const waited = performance.now() - started;
    if (limitMs !== undefined && waited >= limitMs) return;
    if (limitMs !== undefined && waited >= HALF_CLOSE_MS && !socket.writableEnded) socket.end();
    await pause(LOOK_MS);
  }
}

/** Whether a device that has closed says after all that it did not read everything. Node itself would not notice. */
async function resetFollows(socket: Socket, unacknowledged: FinalReplyOptions['unacknowledged']): Promise<boolean> {
  await pause(RESET_GRACE_MS);
  // After a reset, the kernel's table has no such connection any more; or, where there is no table, a write fails. One
  // byte more than announced means nothing to a device that has closed.
  if (unacknowledged) return !socket.closed && unacknowledged(socket) === undefined;
  return new Promise((resolve) => socket.write('\n', (error) => resolve(Boolean(error))));
}
