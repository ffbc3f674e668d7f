import net from 'node:net';
import type { DiyContext } from './context';
import { type LanAnswer, lanReply } from './lan-answer';
import { type LanRequest, readLanRequest } from './lan-request';

/** Answers one request; the signal says that its connection is gone. */
export type Answerer = (request: Exclude<LanRequest, { deaf: string }>, signal: AbortSignal) => Promise<LanAnswer>;

/**
 * The HTTP server of DIY mode (docs/dev/diy-mode.md#1.6, #2.3): one connection at a time, one request in it, a pause after
 * it. Any other connection is reset, and what it does not understand keeps the only place until its client leaves.
 */
export class LanServer {
  private readonly server = net.createServer((socket) => this.accept(socket));
  private occupant: net.Socket | undefined;
  /** Before this moment, in ms of `performance.now()`, it takes no connection. */
  private restsUntil = -Infinity;

  constructor(
    private readonly device: DiyContext,
    private readonly answer: Answerer,
  ) {}

  /** Resolves to the port; rejects where the address cannot be listened on. */
  async listen(address: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, address, resolve);
    });
    return (this.server.address() as net.AddressInfo).port;
  }

  async close(): Promise<void> {
    this.occupant?.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(socket: net.Socket): void {
    socket.on('error', () => undefined);
    if (this.occupant || performance.now() < this.restsUntil) {
      this.device.log(`port 8081: connection reset, ${this.occupant ? 'another one is open' : 'too soon'}`);
      socket.resetAndDestroy();
      return;
    }
    this.occupant = socket;
    const gone = new AbortController();
    socket.on('close', () => {
      gone.abort(new Error('the client has left'));
      this.occupant = undefined;
    });
    this.readFrom(socket, gone.signal);
  }

  private readFrom(socket: net.Socket, gone: AbortSignal): void {
    let buffer = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      buffer = Buffer.concat([buffer, bytes]);
      const request = readLanRequest(buffer);
      if (!request) return;
      socket.off('data', onData);
      socket.resume();
      if ('deaf' in request) return this.device.log(`port 8081: no answer, ${request.deaf}`);
      this.answer(request, gone).then(
        (answer) => this.end(socket, answer),
        (error: Error) => {
          if (!gone.aborted) this.device.log(`port 8081: broken: ${error.message}`);
          socket.destroy();
        },
      );
    };
    socket.on('data', onData);
  }

  private end(socket: net.Socket, answer: LanAnswer): void {
    if (answer === 'silence' || socket.destroyed) return;
    this.restsUntil = performance.now() + this.device.timings.lanRests;
    if (answer === 'reset') return void socket.resetAndDestroy();
    if (answer !== 'close') socket.write(lanReply(this.device, answer));
    socket.destroySoon();
  }
}
