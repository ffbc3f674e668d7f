import { type Duplex } from 'node:stream';
import { Reader } from './reader';
import { fault } from './report';

const RECEIVE_BUFFER = 2048;

/** The firmware's WebSocket: constant key, zero mask, single text frames, and pongs without payload (stock-firmware 3.1, 3.2). */
export class DeviceWebSocket {
  readonly #reader: Reader;
  #unansweredPings = 0;

  private constructor(readonly stream: Duplex) {
    this.#reader = new Reader(stream);
  }

  static async open(stream: Duplex): Promise<DeviceWebSocket> {
    const socket = new DeviceWebSocket(stream);
    stream.write(
      'GET /api/ws HTTP/1.1\r\nHost: iotgo.iteadstudio.com\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Key: ITEADTmobiM0x1DabcEsnw==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    const head = await socket.#reader.head(RECEIVE_BUFFER, 10_000);
    if (!head.startsWith('HTTP/1.1 101 Switching Protocols')) throw new Error(`no WebSocket: ${head.split('\r\n')[0]}`);
    if (/Sec-WebSocket-Extensions/i.test(head)) fault('the server turned on a WebSocket extension');
    return socket;
  }

  send(message: object): void {
    this.#frame(0x81, Buffer.from(JSON.stringify(message)));
  }

  /** Sends a ping; throws when two before it were not answered, as the firmware then dials again. */
  ping(): void {
    if (this.#unansweredPings >= 2) throw new Error('two pings without an answer');
    this.#unansweredPings++;
    this.#frame(0x89, Buffer.alloc(0));
  }

  /** The next text message. What this firmware cannot read is passed over, and reported as a fault. */
  async next(): Promise<string> {
    for (;;) {
      const start = await this.#reader.take(2);
      const masked = (start[1]! & 0x80) !== 0;
      const short = start[1]! & 0x7f;
      if (masked || short === 127) throw new Error('a frame that the firmware cannot read');
      const length = short === 126 ? (await this.#reader.take(2)).readUInt16BE(0) : short;
      const payload = await this.#reader.take(length);
      if (start[0] === 0x81 && length < 2000) return payload.toString('latin1');
      if (start[0] === 0x8a && length === 0) this.#unansweredPings = 0;
      else if (start[0] === 0x88) throw new Error('the server closed the WebSocket');
      else fault(`a frame ${start[0]!.toString(16)} of ${length} bytes`);
    }
  }

  close(): void {
    this.stream.destroy();
  }

  #frame(opcode: number, payload: Buffer): void {
    const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
    const mask = [0, 0, 0, 0];
    this.stream.write(Buffer.concat([Buffer.from([opcode, length[0]! | 0x80, ...length.slice(1), ...mask]), payload]));
  }
}
