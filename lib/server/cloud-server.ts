import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { FlashError } from '../errors';
import { plainAddress } from '../net/addresses';
import type { DeviceStatement } from '../protocol/device-statement';
import type { DispatchRequest } from '../protocol/dispatch';
import { WEBSOCKET_PATH } from '../protocol/session';
import { isFromBrowser } from './browser';
import type { CountedConnection } from './connection-limits';
import { DeviceConnection, type DeviceConnectionOptions, type Via } from './device-connection';
import { dispatchApp } from './dispatch-app';
import { limitRequests, REQUEST_LIMITS, type RequestLimits } from './request-limits';
import { parserComplaint } from './parser-complaint';
import { SocketSet } from './socket-set';
import { wording, type Wording } from '../wordings/wording';

/**
 * A device's own buffers hold 1024 bytes of JSON (docs/dev/stock-firmware.md#3.2); nothing true is longer than this.
 */
export const MESSAGE_LIMIT = 4096;

/** Headers of a request, in bytes; a device's have 150. */
const HEADER_LIMIT = 8192;

export interface CloudServerOptions {
  /**
   * The server that a dispatched device is sent to next.
   *
   * @param localAddress this machine's address on the device's connection
   * @param deviceid of the device
   * @throws FlashError where there is no such address; the device is answered 503 and asks again later
   */
  whereToConnect(via: Via, localAddress: string, deviceid: string): { address: string; port: number };
  /**
   * Whether a peer that states an id may be that device. A dispatch that may not is answered 403, a register as an unknown
   * device's, so that the device registers again; without it, everyone may. `apikey` in the statement is a secret.
   */
  admits?(device: DeviceStatement, peer: string, to: 'dispatch' | 'register'): boolean;
  requestLimits?: Partial<RequestLimits>;
  connectionLimits?: DeviceConnectionOptions['limits'];
}

/** A dispatch, with where it came from. `apikey` in it is a secret. */
export type Dispatched = DispatchRequest & { peer: string; via: Via };

interface CloudServerEvents {
  dispatched: [dispatch: Dispatched];
  /** A WebSocket was opened; its device is known with its event `registered`. */
  connected: [connection: DeviceConnection];
  /** Something came that no device sends. */
  malformed: [error: FlashError, peer: string];
  /** A page in a browser asked, and was refused. */
  browser: [peer: string];
  /** A device was turned away because `whereToConnect` had no answer. */
  failed: [error: unknown, peer: string];
}

/**
 * What the devices take for their cloud: dispatch and WebSocket, the same over TLS and over plain TCP. It knows nothing
 * of ports: the listener hands it each connection.
 */
export class CloudServer extends EventEmitter<CloudServerEvents> {
  readonly #sockets = new SocketSet();
  readonly #origins = new WeakMap<Duplex, { via: Via; connection: CountedConnection | undefined }>();
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MESSAGE_LIMIT });
  readonly #http;

  constructor(private readonly options: CloudServerOptions) {
    super();
    const app = dispatchApp({
      whereToConnect: ({ deviceid }, { socket }) =>
        options.whereToConnect(this.#viaOf(socket), plainAddress(socket.localAddress), deviceid),
      admits: (dispatch, peer) => options.admits?.(dispatch, peer, 'dispatch') ?? true,
      dispatched: (dispatch, { socket }) => {
        this.#origins.get(socket)?.connection?.renew();
        this.emit('dispatched', { ...dispatch, peer: plainAddress(socket.remoteAddress), via: this.#viaOf(socket) });
      },
      malformed: (error, peer) => this.emit('malformed', error, peer),
      browser: (peer) => this.emit('browser', peer),
      failed: (error, peer) => this.emit('failed', error, peer),
    });
    this.#http = createServer({ maxHeaderSize: HEADER_LIMIT, keepAliveTimeout: 0 }, app);
    const release = limitRequests(this.#http, { ...REQUEST_LIMITS, ...options.requestLimits }, (socket, reason) => {
      this.#malformed(socket, reason);
      turnAway(socket, '408 Request Timeout');
    });
    this.#http.on('upgrade', (request, socket, head) => {
      release(socket);
      this.#upgrade(request, socket, head);
    });
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#unreadable(error, socket));
  }

  /** Takes over a connection: a socket of a plain port, or what a TLS front made of one. */
  handle(socket: Socket, via: Via, connection?: CountedConnection): void {
    this.#origins.set(socket, { via, connection });
    this.#sockets.add(socket);
    this.#http.emit('connection', socket);
  }

  /** Drops every connection, upgraded ones too. */
  close(): void {
    for (const client of this.#webSockets.clients) client.terminate();
    this.#sockets.destroyAll();
  }

  #viaOf(socket: Duplex): Via {
    return this.#origins.get(socket)?.via ?? 'plain';
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    const peer = plainAddress(request.socket.remoteAddress);
    if (isFromBrowser(request.headers)) {
      this.emit('browser', peer);
      return turnAway(socket, '403 Forbidden');
    }
    if (path !== WEBSOCKET_PATH) return turnAway(socket, '404 Not Found');
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      const limits = this.options.connectionLimits;
      const connection = new DeviceConnection(ws, {
        peer,
        via: this.#viaOf(socket),
        admits: (device) => this.options.admits?.(device, peer, 'register') ?? true,
        ...(limits ? { limits } : {}),
      });
      connection.on('registered', () => this.#origins.get(socket)?.connection?.identify());
      connection.once('unregistered', (seconds) => {
        this.#malformed(socket, wording('never-registered', { seconds }));
      });
      this.emit('connected', connection);
    });
  }

  #unreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
    const code = parserComplaint(error);
    if (code !== undefined && socket.writable) {
      this.#malformed(socket, wording('request-not-http', { code }));
      return turnAway(socket, '400 Bad Request');
    }
    socket.destroy();
  }

  #malformed(socket: Duplex, reason: Wording): void {
    const peer = plainAddress((socket as Socket).remoteAddress);
    this.emit('malformed', new FlashError('message-malformed', { peer, reason }), peer);
  }
}

/** Answers on a connection that the HTTP server has let go of. */
function turnAway(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, () => socket.destroy());
}
