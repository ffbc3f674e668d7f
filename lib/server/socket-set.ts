import type { Socket } from 'node:net';

/**
 * The open sockets of one server, to close them together: an HTTP server that does not listen itself keeps no account
 * of its connections, and one that does waits for upgraded ones.
 */
export class SocketSet {
  readonly #sockets = new Set<Socket>();

  /**
   * Keeps the socket until it closes. From here on its errors cannot end the process: code that needs them listens too,
   * for all others a broken connection is reported by `close`.
   */
  add(socket: Socket): void {
    socket.on('error', () => undefined);
    // Devices read what comes in the first segment of a reply (docs/dev/stock-firmware.md#3.2, #4.2): nothing may wait
    // for more.
    socket.setNoDelay(true);
    if (socket.destroyed) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
