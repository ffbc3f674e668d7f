import type { Socket } from 'node:net';

/** A server that knows nothing of ports: it is handed each connection and answers it. */
export interface SocketHandler {
  handle(socket: Socket): void;
  /** Drops every connection that it has; it can be handed new ones afterwards. */
  close(): Promise<void> | void;
}
