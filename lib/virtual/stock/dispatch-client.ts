import type { DeviceContext } from '../device/context';
import { dial } from '../wire/dial';
import { ReplyError, readReply } from '../wire/http-reply';
import { pause } from '../device/timers';

export interface ServerAddress {
  host: string;
  port: number;
}

const BUFFER_BYTES = 2048;

/**
 * Asks the provisioned server where the WebSocket is (docs/dev/stock-firmware.md#2.1, #2.2). Rejects with a WireError
 * or a ReplyError; the caller backs off and comes back.
 */
export async function dispatch(
  device: DeviceContext,
  server: ServerAddress,
  serverName: string,
  signal: AbortSignal,
): Promise<ServerAddress> {
  const { identity, timings, behaviours } = device;
  const wire = await dial({
    ...server,
    tls: device.transport !== 'plain',
    localAddress: device.localAddress,
    limitMs: timings.connect,
    signal,
  });
  try {
    await pause(timings.dispatchAfter, signal);
    const body = behaviours.dispatchBody(
      JSON.stringify({
        accept: 'ws;2',
        version: 2,
        ts: device.rand.next() % 1000,
        deviceid: identity.deviceid,
        apikey: identity.apikey,
        model: identity.model,
        romVersion: identity.romVersion,
      }),
    );
    wire.write(
      `POST /dispatch/device HTTP/1.1\r\nHost: ${serverName}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    const reply = await readReply(wire, {
      status: 'HTTP/1.1 200 OK',
      headerBytes: BUFFER_BYTES,
      bufferBytes: BUFFER_BYTES,
      bodyBytes: BUFFER_BYTES,
      limitMs: timings.dispatchReply,
    });
    return addressIn(reply.body.toString('utf8'));
  } finally {
    wire.close();
  }
}

function addressIn(text: string): ServerAddress {
  let reply: { error?: unknown; IP?: unknown; port?: unknown };
  try {
    reply = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as typeof reply;
  } catch {
    throw new ReplyError('no JSON in the reply');
  }
  if (reply.error !== 0) throw new ReplyError('error is not 0');
  if (typeof reply.IP !== 'string' || reply.IP === '' || reply.IP.length > 50) throw new ReplyError('no usable IP');
  if (typeof reply.port !== 'number') throw new ReplyError('port is not a number');
  return { host: reply.IP, port: reply.port };
}
