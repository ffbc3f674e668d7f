import { EventEmitter, once } from 'node:events';
import type net from 'node:net';
import { opened } from '../lab';
import { sendRange } from '../raw-images';
import { RawServer } from '../raw-server';

export interface ServedRequest {
  readonly head: string;
  readonly body: string;
  readonly socket: net.Socket;
  /** How many requests came before it. */
  readonly index: number;
}

/** Takes a request over; true = answered. */
export type Script = (request: ServedRequest) => boolean;

/**
 * Serves one image to a device by ranges and takes its result, in raw bytes. Emits `request` (a ServedRequest) for each
 * request, and `result` (the `error` of the report).
 */
export class ImageServer extends EventEmitter {
  readonly requests: string[] = [];
  readonly results: unknown[] = [];
  connections = 0;
  private readonly server: RawServer;

  constructor(
    readonly image: Buffer,
    private readonly script: Script = () => false,
  ) {
    super();
    this.server = new RawServer((socket) => {
      this.connections++;
      let text = '';
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        const end = text.indexOf('\r\n\r\n') + 4;
        if (end < 4) return;
        const length = Number(
          /Content-Length: (\d+)/.exec(text.slice(0, end))?.[1] ?? (text.startsWith('POST') ? 1 : 0),
        );
        if (text.length < end + length) return;
        const [head, body] = [text.slice(0, end), text.slice(end)];
        text = '';
        this.serve({ head, body, socket, index: this.requests.length });
      });
    });
  }

  get port(): number {
    return this.server.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/t.bin`;
  }

  async listen(): Promise<this> {
    await this.server.listen();
    return opened(this);
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** The next result, or the one that came already. */
  async result(): Promise<unknown> {
    if (this.results.length === 0) await once(this, 'result');
    return this.results[0];
  }

  /** The values of `ts`, in the order of the requests. */
  get counters(): number[] {
    return this.requests.map((head) => Number(/[?&]ts=(\d+)/.exec(head)?.[1]));
  }

  private serve(request: ServedRequest): void {
    const { head, body, socket } = request;
    if (head.startsWith('POST /api/device/otaFlash HTTP/1.1\r\n')) return this.take(body, socket, request);
    this.requests.push(head);
    this.emit('request', request);
    if (this.script(request)) return;
    const range = /\r\nRange: bytes=(\d+)-(\d+)\r\n/.exec(head);
    sendRange(socket, this.image, Number(range?.[1]), Number(range?.[2]));
  }

  private take(body: string, socket: net.Socket, request: ServedRequest): void {
    const { error } = JSON.parse(body) as { error: unknown };
    this.results.push(error);
    this.emit('report', request);
    this.emit('result', error);
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  }
}

export async function serving(image: Buffer, script?: Script): Promise<ImageServer> {
  return await new ImageServer(image, script).listen();
}
