import { constants } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { Wire, WireError } from './wire';

export interface DialOptions {
  host: string;
  port: number;
  /**
   * As Espressif's axTLS: TLS 1.1, RSA key exchange, no SNI, no tickets, any certificate
   * (docs/dev/stock-firmware.md#2.4).
   */
  tls?: boolean;
  localAddress?: string | undefined;
  limitMs: number;
  signal: AbortSignal;
}

/** Connects as the stock firmware does. Rejects with a WireError, or with the signal's reason. */
export async function dial(options: DialOptions): Promise<Wire> {
  const { host, port, signal, limitMs } = options;
  signal.throwIfAborted();
  const target = { host, port, ...(options.localAddress ? { localAddress: options.localAddress } : {}) };
  const socket = options.tls
    ? tls.connect({
        ...target,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'AES128-SHA:AES256-SHA:@SECLEVEL=0',
        secureOptions: constants.SSL_OP_NO_TICKET,
      })
    : net.connect(target);
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new WireError('no connection in time', true)), limitMs);
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      socket.once(options.tls ? 'secureConnect' : 'connect', () => (settle(), resolve()));
      socket.once('error', (error: NodeJS.ErrnoException) => {
        settle();
        reject(new WireError(`cannot connect (${error.code ?? error.message})`));
      });
      socket.once('close', () => (settle(), reject(new WireError('closed while connecting'))));
    });
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw error;
  }
  return new Wire(socket, signal);
}
