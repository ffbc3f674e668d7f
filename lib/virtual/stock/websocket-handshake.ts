import type { DeviceContext } from '../device/context';
import { dial } from '../wire/dial';
import type { ServerAddress } from './dispatch-client';
import { headOf, ReplyError } from '../wire/http-reply';
import { type Wire, WireError } from '../wire/wire';

const REQUEST =
  'GET /api/ws HTTP/1.1\r\nHost: iotgo.iteadstudio.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: ITEADTmobiM0x1DabcEsnw==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/**
 * Opens the WebSocket with the firmware's constant request; of the reply it only searches the literal status
 * (docs/dev/stock-firmware.md#3.1). Rejects with a WireError or a ReplyError.
 */
export async function openWebSocket(device: DeviceContext, to: ServerAddress, signal: AbortSignal): Promise<Wire> {
  const wire = await dial({
    ...to,
    tls: device.transport !== 'plain',
    localAddress: device.localAddress,
    limitMs: device.timings.connect,
    signal,
  });
  try {
    wire.write(REQUEST);
    let buffer = Buffer.alloc(0);
    const deadline = performance.now() + device.timings.dispatchReply;
    for (;;) {
      const segment = await wire.next(Math.max(0, deadline - performance.now()));
      if (!segment) throw new WireError('closed during the WebSocket handshake');
      buffer = Buffer.concat([buffer, segment.bytes]);
      const head = headOf(buffer, 2048);
      if (head === undefined) continue;
      if (!head.includes('HTTP/1.1 101 Switching Protocols')) throw new ReplyError('no "101 Switching Protocols"');
      if (/^sec-websocket-extensions:/im.test(head)) throw new ReplyError('an extension that was not asked for');
      if (buffer.length > head.length) throw new ReplyError('data before the device has registered');
      return wire;
    }
  } catch (error) {
    wire.close();
    throw error;
  }
}
