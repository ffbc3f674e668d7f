import { once } from 'node:events';
import * as net from 'node:net';
import { fault } from '../sonoff/report';
import { type LanRequest, readLanRequest } from './lan-request';

/** The documents' 200 ms (diy-mode 1.6), less what a rounded timer may lack. */
const GAP_MS = 190;

/** The JSON of the reply; `reset` drops the connection without one. */
export type Answer = (request: LanRequest) => Promise<object | 'reset'>;

/** The HTTP server of DIY mode: one connection at a time, one request a connection (diy-mode 1.6, 2.3). */
export class LanServer {
  readonly #server = net.createServer((socket) => this.#accept(socket));
  readonly #answer: Answer;
  #slot: net.Socket | undefined;
  #repliedAt = -Infinity;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  /** @returns the port */
  async listen(host: string, port = 8081): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as net.AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#slot?.resetAndDestroy();
  }

  #accept(socket: net.Socket): void {
    socket.on('error', () => socket.destroy());
    if (this.#slot !== undefined) {
      socket.resetAndDestroy();
      return;
    }
    this.#slot = socket;
    socket.on('close', () => this.#free(socket));
    let held = Buffer.alloc(0);
    const onData = (bytes: Buffer): void => {
      held = Buffer.concat([held, bytes]);
      const request = this.#read(held);
      if (request === undefined) return;
      // What follows a whole request, or one that it cannot read, it never looks at.
      socket.off('data', onData).resume();
      if (request !== 'unreadable') void this.#serve(socket, request);
    };
    socket.on('data', onData);
  }

  #read(held: Buffer): LanRequest | 'unreadable' | undefined {
    try {
      return readLanRequest(held);
    } catch (error) {
      fault((error as Error).message);
      return 'unreadable';
    }
  }

  async #serve(socket: net.Socket, request: LanRequest): Promise<void> {
    const gapMs = performance.now() - this.#repliedAt;
    if (gapMs < GAP_MS) fault(`${request.command} ${Math.round(gapMs)} ms after a reply`);
    const reply = await this.#answer(request);
    this.#repliedAt = performance.now();
    this.#free(socket);
    if (reply === 'reset') socket.resetAndDestroy();
    else socket.end(encode(JSON.stringify(reply)));
  }

  #free(socket: net.Socket): void {
    if (this.#slot === socket) this.#slot = undefined;
  }
}

function encode(body: string): string {
  return (
    'HTTP/1.1 200 OK\r\nServer: openresty\r\nContent-Type: application/json; charset=utf-8\r\n' +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  );
}
