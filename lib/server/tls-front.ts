import { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { plainAddress } from '../net/addresses';
import type { CountedConnection } from './connection-limits';
import type { SocketHandler } from './socket-handler';
import { SocketSet } from './socket-set';
import { explainHandshake, type HandshakeVerdict } from './tls-failure';
import type { TlsIdentity } from './tls-identity';

/**
 * A device completes its handshake in 170-220 ms (docs/dev/stock-firmware.md#2.3); its own limit for the dispatch is 10
 * s.
 */
export const HANDSHAKE_LIMIT_MS = 10_000;

/** The devices decrypt a record in a buffer of 2048 bytes; one over it ends the connection. */
export const LARGEST_RECORD = 1024;

/**
 * What the devices speak: TLS 1.1 with RSA key exchange and AES-CBC, or the same with TLS 1.2, with nothing newer to choose
 * (docs/dev/stock-firmware.md#2.4). Both settings are needed, and hold for this server only: the rest of the process
 * stays strict. The suites without a Diffie-Hellman exchange come first, since it costs an ESP8266 seconds.
 */
const LEGACY_TLS: TlsOptions = {
  minVersion: 'TLSv1',
  ciphers: 'AES128-SHA:AES256-SHA:AES128-SHA256:AES256-SHA256:DEFAULT:@SECLEVEL=0',
  honorCipherOrder: true,
};

export interface HandshakeFailed extends HandshakeVerdict {
  peer: string;
  /** Node's error code. */
  code: string;
}

export interface Secured {
  peer: string;
  /** Such as TLSv1.1. */
  protocol: string;
  /** Such as AES128-SHA. */
  cipher: string;
}

interface TlsFrontEvents {
  'handshake-failed': [failure: HandshakeFailed];
  secured: [connection: Secured];
}

export interface TlsFrontOptions {
  handshakeLimitMs?: number;
}

/** Speaks TLS as the devices do, and hands each connection on in clear. */
export class TlsFront extends EventEmitter<TlsFrontEvents> implements SocketHandler {
  readonly #sockets = new SocketSet();
  readonly #options: TlsOptions;
  readonly #certificateBytes: number;

  constructor(
    identity: TlsIdentity,
    private readonly next: (socket: TLSSocket, connection?: CountedConnection) => void,
    { handshakeLimitMs = HANDSHAKE_LIMIT_MS }: TlsFrontOptions = {},
  ) {
    super();
    this.#options = { ...LEGACY_TLS, key: identity.key, cert: identity.cert, handshakeTimeout: handshakeLimitMs };
    this.#certificateBytes = new X509Certificate(identity.cert).raw.length;
  }

  /**
   * Each connection has a server of its own, which never listens and takes under 1 ms to make: a failed handshake is
   * reported with a socket that has forgotten its peer, so a shared server could not tell whose it was. It also means
   * that no session is ever resumed, a path that no device's log shows.
   */
  handle(raw: Socket, connection?: CountedConnection): void {
    const peer = plainAddress(raw.remoteAddress);
    this.#sockets.add(raw);
    // A peer that closes in the middle of a handshake is gone; nothing is left to be said to it.
    raw.allowHalfOpen = false;
    const server = createServer(this.#options);
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
      const { bytesRead, bytesWritten } = raw;
      const code = error.code ?? 'unknown';
      const verdict = explainHandshake({ code, bytesRead, bytesWritten, certificateBytes: this.#certificateBytes });
      raw.destroy();
      // That we have closed it tells nothing of the peer.
      if (connection?.isRefused) return;
      this.emit('handshake-failed', { peer, code, ...verdict });
    });
    server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.setMaxSendFragment(LARGEST_RECORD);
      this.emit('secured', { peer, protocol: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().name });
      this.next(socket, connection);
    });
    server.emit('connection', raw);
  }

  close(): void {
    this.#sockets.destroyAll();
  }
}
