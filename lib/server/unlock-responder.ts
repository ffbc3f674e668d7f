import { EventEmitter } from 'node:events';
import { plainAddress } from '../net/addresses';
import { UNLOCK_PATH } from '../protocol/diy/unlock-service';
import { ImageServer } from './image-server';
import { PortListener } from './port-listener';

interface UnlockResponderEvents {
  /** The device asked, and was answered with this error. */
  asked: [error: number];
  /** It asked for something else, which was refused. */
  'asked-otherwise': [];
  /** Another machine connected, and was turned away. */
  stranger: [peer: string];
}

/**
 * Stands in for the maker's service that unlocks a device, for one device: HTTP/1.1 with `Content-Length` and JSON, as a
 * device takes it (docs/dev/diy-mode.md#1.8, #2.7).
 */
export class UnlockResponder extends EventEmitter<UnlockResponderEvents> {
  /** The `error` of every answer from now on. */
  answer: number;
  readonly #http: ImageServer;
  readonly #listener: PortListener;

  /** @param device the only address that is answered */
  constructor(
    private readonly device: string,
    answer: number,
  ) {
    super();
    this.answer = answer;
    // It reads what devices post, also where they announce no length, and serves no image.
    this.#http = new ImageServer({
      find: () => ({ status: 404, reason: 'nothing to fetch here' }),
      takerOf: (path) => (path === UNLOCK_PATH ? () => this.#take() : undefined),
    });
    this.#http.on('request', () => this.emit('asked-otherwise'));
    this.#http.on('malformed', () => this.emit('asked-otherwise'));
    this.#listener = new PortListener({
      handle: (socket, connection) => {
        const peer = plainAddress(socket.remoteAddress);
        if (peer === this.device) return this.#http.handle(socket, connection);
        socket.resetAndDestroy();
        this.emit('stranger', peer);
      },
    });
  }

  /**
   * Opens the port.
   *
   * @param port 0 = any that is free
   * @returns the port
   * @throws FlashError `port-in-use` with {port, bind, reason}
   */
  listen(port: number, bind: string): Promise<number> {
    return this.#listener.listen(port, bind);
  }

  async close(): Promise<void> {
    await this.#listener.close();
    this.#http.close();
  }

  #take(): { readonly error: number } {
    const error = this.answer;
    this.emit('asked', error);
    return { error };
  }
}
