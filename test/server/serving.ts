import { connect, type Socket } from 'node:net';
import { PortListener } from '../../lib/server/port-listener';
import type { SocketHandler } from '../../lib/server/socket-handler';

/** Where clients dial from: another address than the server's, so that neither can pass for the other. */
export const PEER = '127.0.0.9';

/** What a test opened, to be closed after it whatever happened. */
const open: (() => Promise<void> | void)[] = [];

export function afterwards(close: () => Promise<void> | void): void {
  open.push(close);
}

export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
}

/** Listens with this handler on a free port of the loopback, until `closeAll`. */
export async function serve(handler: Pick<SocketHandler, 'handle'>): Promise<number> {
  const listener = new PortListener(handler);
  afterwards(() => listener.close());
  return listener.listen(0, '127.0.0.1');
}

/** A connection that may be refused before it stands. */
export async function reach(port: number, localAddress = PEER): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  const client = RawClient.over(socket);
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()).once('close', () => resolve()));
  return client;
}

/** A client that sees the bytes as they come, as a device does. */
export class RawClient {
  /** What came, one entry for each read. */
  readonly segments: Buffer[] = [];
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;
  private readonly waiting = new Set<() => void>();
  private received = 0;

  private constructor(readonly socket: Socket) {
    socket.on('data', (data) => {
      this.segments.push(data);
      this.received += data.length;
      this.look();
    });
    socket.on('end', () => {
      this.ended = true;
      this.look();
    });
    socket.on('error', (error) => (this.error = error));
    socket.on('close', () => {
      this.closed = true;
      this.look();
    });
  }

  /** A plain connection to the port, from `PEER` unless another address is given. */
  static async to(
    port: number,
    options: { allowHalfOpen?: boolean; localAddress?: string; host?: string } = {},
  ): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: PEER, ...options });
    socket.setNoDelay(true);
    const client = new RawClient(socket);
    afterwards(() => void socket.destroy());
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return client;
  }

  /** The stream may be a TLS socket. */
  static over(socket: Socket): RawClient {
    afterwards(() => void socket.destroy());
    return new RawClient(socket);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.segments);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** Waits until this holds; the test's own time limit ends it otherwise. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  /** Waits for an answer with its whole body, and gives its two halves. */
  async answer(): Promise<{ head: string; body: Buffer }> {
    await this.until(() => this.text.includes('\r\n\r\n'));
    const from = this.bytes.indexOf('\r\n\r\n') + 4;
    const head = this.bytes.subarray(0, from - 4).toString('latin1');
    const length = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0);
    await this.until(() => this.received >= from + length || this.closed);
    return { head, body: this.bytes.subarray(from, from + length) };
  }

  /** Forgets what came, before the next request on the same connection. */
  clear(): void {
    this.segments.length = 0;
    this.received = 0;
  }

  private look(): void {
    for (const look of this.waiting) look();
  }
}
