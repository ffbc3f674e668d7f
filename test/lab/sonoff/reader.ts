import * as net from 'node:net';
import { type Duplex } from 'node:stream';

/** The peer closed, or nothing came in time. */
export class LineLost extends Error {}

/** Bytes of a stream, asked for in the portions the firmware wants them in. */
export class Reader {
  #held = Buffer.alloc(0);
  #lost: LineLost | undefined;
  #wake: (() => void) | undefined;

  constructor(readonly stream: Duplex) {
    stream.on('data', (bytes: Buffer) => {
      this.#held = Buffer.concat([this.#held, bytes]);
      // Nothing is read ahead: what the firmware has not asked for waits in the small window of its TCP.
      if (this.#wake === undefined) stream.pause();
      else this.#wake();
    });
    stream.on('error', (error: Error) => this.#lose(error.message));
    stream.on('end', () => this.#lose('the peer closed the connection'));
    stream.on('close', () => this.#lose('the connection is closed'));
  }

  get held(): number {
    return this.#held.length;
  }

  /** The first `length` bytes, without taking them; waits until they are there. */
  async peek(length: number, limitMs?: number): Promise<Buffer> {
    const until = limitMs === undefined ? undefined : performance.now() + limitMs;
    while (this.#held.length < length) await this.#more(until);
    return this.#held.subarray(0, length);
  }

  async take(length: number, limitMs?: number): Promise<Buffer> {
    const taken = Buffer.from(await this.peek(length, limitMs));
    this.#held = this.#held.subarray(length);
    return taken;
  }

  /** An HTTP head up to and including its blank line, as text. */
  async head(maxBytes: number, limitMs: number): Promise<string> {
    const until = performance.now() + limitMs;
    for (;;) {
      const end = this.#held.indexOf('\r\n\r\n');
      if (end >= 0 && end + 4 <= maxBytes) return (await this.take(end + 4)).toString('latin1');
      if (this.#held.length > maxBytes) throw new LineLost(`no end of the header within ${maxBytes} bytes`);
      await this.#more(until);
    }
  }

  async #more(until: number | undefined): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.stream.resume();
      if (until !== undefined) timer = setTimeout(resolve, Math.max(0, until - performance.now()));
    });
    clearTimeout(timer);
    this.#wake = undefined;
    if (until !== undefined && performance.now() >= until) throw new LineLost('nothing came in time');
  }

  #lose(reason: string): void {
    this.#lost ??= new LineLost(reason);
    this.#wake?.();
  }
}

/** A TCP connection; throws LineLost when it is refused or not there in time. */
export async function connect(host: string, port: number, limitMs: number): Promise<net.Socket> {
  // Without a buffer in the stream the kernel's receive buffer alone holds the sender back.
  const unbuffered: object = { readableHighWaterMark: 1 };
  const socket = net.connect({ host, port, noDelay: true, ...unbuffered });
  return await new Promise((resolve, reject) => {
    const give = (reason: string) => {
      socket.destroy();
      reject(new LineLost(`${host}:${port}: ${reason}`));
    };
    const timer = setTimeout(() => give('no connection in time'), limitMs);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      give(error.code ?? error.message);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Forgets a connection as a chip does that restarts: with the radio off the reset is lost, and who sends to it later is
 * told that nobody knows the connection. An ordinary close would be sent again when the radio is back.
 */
export function forget(socket: net.Socket): void {
  socket.resetAndDestroy();
}
