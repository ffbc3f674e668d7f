import type net from 'node:net';
import { eachRequest, RawServer } from './raw-server';

/** How a test's image server answers: with the proper reply for each class of request, or with what a test puts here. */
export interface ImageScript {
  /** Takes the request over; true = answered. */
  answer?(head: string, socket: net.Socket, count: number): boolean;
}

/** Serves images by path: ranges with 206, HTTP/1.0 at full speed, anything else at the pace that no-Range firmware takes. */
export class RawImages {
  readonly requests: string[] = [];
  /** Sockets on which a request came: FinalStage's bare connects are not among them. */
  readonly askedOn = new Set<net.Socket>();
  /** Connections of any kind, bare ones included. */
  connections = 0;
  private readonly server: RawServer;

  constructor(
    private readonly images: Record<string, Buffer>,
    private readonly script: ImageScript = {},
  ) {
    this.server = new RawServer((socket) => {
      this.connections++;
      eachRequest(socket, (head) => this.serve(head, socket));
    });
  }

  get port(): number {
    return this.server.port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  async listen(): Promise<this> {
    await this.server.listen();
    return this;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  private serve(head: string, socket: net.Socket): void {
    this.requests.push(head);
    this.askedOn.add(socket);
    if (this.script.answer?.(head, socket, this.requests.length)) return;
    const path = /^GET ([^? ]+)/.exec(head)![1]!;
    const image = this.images[path];
    if (!image) return void socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    if (head.includes(' HTTP/1.0\r\n')) return sendWhole(socket, image);
    const range = /Range: bytes=(\d+)-(\d+)/.exec(head);
    if (range) return sendRange(socket, image, Number(range[1]), Number(range[2]));
    sendPaced(socket, image);
  }
}

export function sendWhole(socket: net.Socket, image: Buffer, length = image.length): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`);
  socket.end(image);
}

export function sendRange(socket: net.Socket, image: Buffer, first: number, last: number, header = ''): void {
  const body = image.subarray(first, last + 1);
  const head =
    `HTTP/1.1 206 Partial Content\r\nContent-Length: ${body.length}\r\n` +
    `Content-Range: bytes ${first}-${first + body.length - 1}/${image.length}\r\n${header}\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), body]));
}

export const PACED_HEAD = (length: number): string => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;

/** Header and 10 bytes, 1 s, then 1400 bytes every 300 ms. */
export function sendPaced(socket: net.Socket, image: Buffer, pauseMs = 1000, packet = 1400, everyMs = 300): void {
  socket.write(Buffer.concat([Buffer.from(PACED_HEAD(image.length)), image.subarray(0, 10)]));
  let position = 10;
  const next = (): void => {
    if (socket.destroyed || position >= image.length) return;
    socket.write(image.subarray(position, position + packet));
    position += packet;
    setTimeout(next, everyMs);
  };
  setTimeout(next, pauseMs);
}
