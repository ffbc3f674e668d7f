/** Requests of peers that are not the device. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { MODERN_HELLO } from '../server/client-hellos';

/** The message that ends what the server says before it waits for the client. */
const SERVER_HELLO_DONE = '0e000000';

/** Sends a request as it is given, and returns the answer as far as its head reaches; '' where there is none. */
export async function ask(port: number, request: string, localAddress = '127.0.0.1'): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.write(request);
  let text = '';
  for await (const bytes of socket) {
    text += (bytes as Buffer).toString('latin1');
    if (text.includes('\r\n\r\n')) break;
  }
  return text;
}

/** Says hello as a browser or a monitor, and hangs up when it has seen our certificate. */
export async function checkAsMonitor(port: number, localAddress: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.write(MODERN_HELLO);
  let hex = '';
  for await (const data of socket) {
    hex += (data as Buffer).toString('hex');
    if (hex.endsWith(SERVER_HELLO_DONE)) break;
  }
}

/** Opens the WebSocket of a device without a dispatch, registers, and returns the answer. */
export async function registerAs(
  port: number,
  { deviceid, apikey, localAddress }: { deviceid: string; apikey: string; localAddress: string },
): Promise<Record<string, unknown>> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/api/ws`, { localAddress });
  try {
    await once(ws, 'open');
    ws.send(JSON.stringify({ action: 'register', deviceid, apikey, model: 'ITA-GZ1-GL', romVersion: '1.5.5' }));
    const [data] = (await once(ws, 'message')) as [Buffer];
    return JSON.parse(data.toString()) as Record<string, unknown>;
  } finally {
    ws.terminate();
  }
}
