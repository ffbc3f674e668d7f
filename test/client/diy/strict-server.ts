import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The server's reaction to a request that it understands: an answer, as an object or as text, or one of three words. */
export type Reaction = object | { readonly text: string } | 'hang' | 'close' | 'reset';

export interface Seen {
  readonly command: string;
  readonly body: Record<string, unknown>;
  /** How many reads the request came in. */
  readonly reads: number;
  /** Head and body, as they came. */
  readonly text: string;
}

/**
 * A device's server on 8081, as strict as the firmware (docs/dev/diy-mode.md#2.3), on a port of the loopback: one
 * connection, 1024 bytes, and neither answer nor close for what it does not understand.
 */
export class StrictDiyServer {
  readonly seen: Seen[] = [];
  /** Connections that came while there was one. */
  reset = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(private readonly react: (command: string, body: Record<string, unknown>) => Reaction) {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(port = 0, address = '127.0.0.1'): Promise<number> {
    this.#server.listen(port, address);
    await once(this.#server, 'listening');
    return this.port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#sockets.size > 0) {
      this.reset++;
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    let text = '';
    let reads = 0;
    socket.on('data', (data) => {
      text += data.toString('utf8');
      reads++;
      const request = understood(text);
      if (request) this.#answer(socket, { ...request, reads, text });
    });
  }

  #answer(socket: Socket, seen: Seen): void {
    this.seen.push(seen);
    const reaction = this.react(seen.command, seen.body);
    if (reaction === 'hang') return;
    if (reaction === 'close') return void socket.end();
    if (reaction === 'reset') return void socket.resetAndDestroy();
    const answer = 'text' in reaction ? reaction.text : JSON.stringify(reaction);
    socket.end(
      'HTTP/1.1 200 OK\r\nServer: openresty\r\nContent-Type: application/json; charset=utf-8\r\n' +
        `Content-Length: ${Buffer.byteLength(answer)}\r\nConnection: close\r\n\r\n${answer}`,
    );
  }
}

function understood(text: string): Pick<Seen, 'command' | 'body'> | undefined {
  const command = /^POST \/zeroconf\/(\w+) HTTP\/1\.1\r\n/.exec(text)?.[1];
  const length = Number(/content-length: (\d+)\r\n/i.exec(text)?.[1] ?? NaN);
  const from = text.indexOf('\r\n\r\n') + 4;
  const body = text.slice(from);
  if (command === undefined || from < 4 || Buffer.byteLength(text) > 1024) return undefined;
  if (!(Buffer.byteLength(body) >= length)) return undefined;
  try {
    return { command, body: JSON.parse(body) as Record<string, unknown> };
  } catch {
    return undefined;
  }
}
