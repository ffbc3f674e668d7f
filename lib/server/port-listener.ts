import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FlashError } from '../errors';
import { plainAddress } from '../net/addresses';
import { portHolder } from '../net/port-holder';
import { ConnectionLimits, type CountedConnection } from './connection-limits';
import type { PeerRates } from './rate-limit';
import type { SocketHandler } from './socket-handler';
import { SocketSet } from './socket-set';
import type { AddressReason } from '../wordings/address';
import { quoted, wording, type Wording } from '../wordings/wording';

/**
 * All connections to one port, those of known devices included: more than any number of devices needs. A runaway client
 * must not use up the process's files.
 */
export const PORT_LIMIT = 512;

/** Why a port cannot be opened, worded for the person who can change it. */
const REASONS: Readonly<Record<string, AddressReason>> = {
  EACCES: 'port-forbidden',
  EADDRNOTAVAIL: 'port-address-absent',
  ENOTFOUND: 'port-address-unknown',
  EINVAL: 'port-address-invalid',
  ERR_SOCKET_BAD_PORT: 'port-out-of-range',
};

export interface PortListenerOptions {
  /** Shared by all ports of a host. */
  limits?: ConnectionLimits;
  /** How fast other machines may connect. */
  rates?: PeerRates;
}

interface PortListenerEvents {
  /** A peer connected; it may leave without a word. */
  connection: [peer: string];
  /** Trouble with the open port (such as too many files) or with one connection; it continues to listen. */
  trouble: [error: Error];
}

/** The only thing here that listens on TCP: one port, each of whose connections goes to `handler`. */
export class PortListener extends EventEmitter<PortListenerEvents> {
  readonly #sockets = new SocketSet();
  readonly #limits: ConnectionLimits;
  readonly #rates: PeerRates | undefined;
  #server: Server | undefined;

  constructor(
    private readonly handler: Pick<SocketHandler, 'handle'>,
    { limits = new ConnectionLimits(), rates }: PortListenerOptions = {},
  ) {
    super();
    this.#limits = limits;
    this.#rates = rates;
  }

  /** The port that is open, or undefined. */
  get port(): number | undefined {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port;
  }

  /**
   * Opens the port.
   *
   * @param port 0 = any that is free
   * @param bind the IPv4 address to listen on, 0.0.0.0 for every one
   * @returns the port
   * @throws FlashError `port-in-use` with {port, bind, reason}
   */
  async listen(port: number, bind: string): Promise<number> {
    await this.close();
    // An HTTP server must be able to answer a client that has closed its own direction, as it does on its own ports.
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    server.maxConnections = PORT_LIMIT;
    server.on('drop', (dropped) => this.#limits.refused(plainAddress(dropped?.remoteAddress), 'port'));
    this.#server = server;
    try {
      server.listen({ port, host: bind, exclusive: true });
      await once(server, 'listening');
    } catch (error) {
      this.#server = undefined;
      const reason = await whyNotOpen(error as NodeJS.ErrnoException, port);
      throw new FlashError('port-in-use', { port, bind, reason }, { cause: error });
    }
    server.on('error', (error) => this.emit('trouble', error));
    return (server.address() as AddressInfo).port;
  }

  /** Drops every connection and frees the port; takes a few ms, however many devices are connected. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#sockets.destroyAll();
    await closed;
  }

  #accept(socket: Socket): void {
    const peer = plainAddress(socket.remoteAddress);
    this.#sockets.add(socket);
    const waitMs = this.#rates && !this.#limits.isOwn(peer) ? this.#rates.take(peer) : 0;
    if (waitMs === undefined) return this.#limits.refuse(socket, peer, 'handshakes');
    this.emit('connection', peer);
    const connection = this.#limits.count(socket, peer);
    if (waitMs === 0) return this.#handle(socket, connection);
    const turn = setTimeout(() => this.#handle(socket, connection), waitMs);
    socket.once('close', () => clearTimeout(turn));
  }

  #handle(socket: Socket, connection: CountedConnection): void {
    try {
      this.handler.handle(socket, connection);
    } catch (error) {
      // Such as a TLS library that refuses our settings: no connection may end the process.
      socket.destroy();
      this.emit('trouble', error as Error);
    }
  }
}

/** Why a port could not be opened, worded for the person who can change it. */
export async function whyNotOpen(
  { code = '', message }: NodeJS.ErrnoException,
  port: number,
  protocol: 'tcp' | 'udp' = 'tcp',
): Promise<Wording> {
  const known = REASONS[code];
  if (code !== 'EADDRINUSE') return known === undefined ? quoted(message) : wording(known);
  const holder = await portHolder(port, protocol);
  if (holder === undefined) return wording('port-taken');
  if (holder.pid === process.pid) return wording('port-taken-here');
  return wording('port-taken-by', { program: holder.program, pid: holder.pid });
}
