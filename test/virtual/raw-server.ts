import net from 'node:net';

/** A server of bytes: no HTTP library between the test and the wire. */
export class RawServer {
  readonly sockets: net.Socket[] = [];
  port = 0;
  private readonly server: net.Server;

  constructor(onConnection: (socket: net.Socket) => void) {
    this.server = net.createServer((socket) => {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      this.sockets.push(socket);
      onConnection(socket);
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = (this.server.address() as net.AddressInfo).port;
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Calls `onRequest` with each request header that arrives on the socket. */
export function eachRequest(socket: net.Socket, onRequest: (head: string) => void): void {
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end + 4);
      text = text.slice(end + 4);
      onRequest(head);
    }
  });
}
