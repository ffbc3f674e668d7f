/** What peers that are not the device send. */

import { connect } from 'node:net';

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
