import type { Socket } from 'node:net';
import type { CountedConnection } from './connection-limits';

/** A server that knows nothing of ports: it is handed each connection and answers it. */
export interface SocketHandler {
  /** @param connection tells the limits of connections whose it is; undefined where there are none */
  handle(socket: Socket, connection?: CountedConnection): void;
  /** Drops every connection that it has; it can be handed new ones afterwards. */
  close(): Promise<void> | void;
}
