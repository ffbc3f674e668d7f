import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { isOwnAddress } from '../net/addresses';

/**
 * A device has two connections at most while it is not known: it closes the one of its dispatch, then opens its
 * WebSocket (docs/dev/stock-firmware.md#2.1). Several devices may stand behind one address.
 */
export const CONNECTION_LIMITS = { peer: 16, total: 256 } as const;

/**
 * Which limit a connection was beyond:
 * - `peer`, `total`: connections that have not shown whose they are, of its peer and of all
 * - `port`: all connections to one port
 * - `handshakes`: new TLS handshakes of its peer in a second
 * - `sessions`: sessions of devices that its peer says to be
 */
export type Limit = 'peer' | 'total' | 'port' | 'handshakes' | 'sessions';

/** A connection as the limits see it. */
export interface CountedConnection {
  /** It was closed to make room. */
  readonly isRefused: boolean;
  /** It is a device's: it counts no longer, and is never closed to make room. */
  identify(): void;
  /** A device has had its answer on it. It counts as a new one, since the device no longer uses it. */
  renew(): void;
}

interface Stranger extends CountedConnection {
  readonly peer: string;
  refuse(limit: Limit): void;
}

export interface ConnectionLimitsOptions {
  /** Of one peer, at most. */
  perPeer?: number;
  total?: number;
  /** Which peers are this machine, which has only the limit of all together. */
  isOwn?: (peer: string) => boolean;
}

interface ConnectionLimitsEvents {
  /** A connection of this peer was closed, or not accepted. */
  refused: [peer: string, limit: Limit];
}

/**
 * Connections that have not shown whose they are. Beyond a limit the oldest of them is closed: a device shows it within
 * moments, so it is rarely the oldest.
 */
export class ConnectionLimits extends EventEmitter<ConnectionLimitsEvents> {
  /** The oldest first. */
  readonly #strangers = new Set<Stranger>();
  readonly #perPeer: number;
  readonly #total: number;
  readonly isOwn: (peer: string) => boolean;

  constructor(options: ConnectionLimitsOptions = {}) {
    super();
    this.#perPeer = options.perPeer ?? CONNECTION_LIMITS.peer;
    this.#total = options.total ?? CONNECTION_LIMITS.total;
    this.isOwn = options.isOwn ?? isOwnAddress;
  }

  /** Counts a new connection, and closes an older one where it is one too many. */
  count(socket: Socket, peer: string): CountedConnection {
    let isRefused = false;
    const connection: Stranger = {
      peer,
      get isRefused() {
        return isRefused;
      },
      identify: () => void this.#strangers.delete(connection),
      renew: () => {
        if (this.#strangers.delete(connection)) this.#strangers.add(connection);
      },
      refuse: (limit) => {
        isRefused = true;
        this.#strangers.delete(connection);
        this.refuse(socket, peer, limit);
      },
    };
    socket.once('close', () => this.#strangers.delete(connection));
    this.#strangers.add(connection);
    this.#makeRoom(peer);
    return connection;
  }

  /**
   * Ends a connection with a reset: one that we close in good order stays in the kernel's table for a minute, and a flood
   * of them makes that table slow to read, which tells how much of an image a device has.
   */
  refuse(socket: Socket, peer: string, limit: Limit): void {
    socket.resetAndDestroy();
    this.refused(peer, limit);
  }

  /** Reports that a connection was not accepted. */
  refused(peer: string, limit: Limit): void {
    this.emit('refused', peer, limit);
  }

  #makeRoom(peer: string): void {
    const ofPeer = [...this.#strangers].filter((one) => one.peer === peer);
    if (ofPeer.length > this.#perPeer && !this.isOwn(peer)) return ofPeer[0]?.refuse('peer');
    if (this.#strangers.size > this.#total) [...this.#strangers][0]?.refuse('total');
  }
}
