import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { FlashError } from '../errors';
import { PortListener } from './port-listener';
import { TlsFront } from './tls-front';
import type { TlsIdentity } from './tls-identity';
import { wording, type Wording } from '../wordings/wording';

/** It takes under 50 ms here; a machine that is slower than this cannot serve a device either. */
export const SELF_TEST_LIMIT_MS = 5000;

/** As the older of the two TLS stacks of these devices, at its best (docs/dev/stock-firmware.md#2.4). */
const AS_A_DEVICE = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'AES128-SHA:@SECLEVEL=0' } as const;

/**
 * Whether this Node.js can speak TLS as the devices do: a hardened OpenSSL refuses versions and signatures, whatever a
 * program asks for. Dials a server of its own on the loopback, so that it is not taken for a device.
 *
 * @returns `tls-refused` where it cannot
 */
export async function selfTestTls(identity: TlsIdentity): Promise<FlashError | undefined> {
  const front = new TlsFront(identity, (socket) => socket.end());
  try {
    return await handshakeAsDevice((socket) => front.handle(socket));
  } finally {
    front.close();
  }
}

/**
 * One handshake as a device makes it with whatever `handle` does with a new connection.
 *
 * @returns `tls-refused` where it failed
 */
export async function handshakeAsDevice(handle: (socket: Socket) => void): Promise<FlashError | undefined> {
  const listener = new PortListener({ handle });
  try {
    const port = await listener.listen(0, '127.0.0.1').catch(() => undefined);
    if (port === undefined) return undefined;
    const reason = await failureOf(port);
    return reason === undefined ? undefined : new FlashError('tls-refused', { peer: wording('this-machine'), reason });
  } finally {
    await listener.close();
  }
}

function failureOf(port: number): Promise<Wording | undefined> {
  return new Promise((resolve) => {
    const socket = dial(port);
    if (typeof socket === 'string') return resolve(wordsFor(socket));
    const end = (failure: Wording | undefined): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(failure);
    };
    // Only an open connection shows the TLS version; a machine without a loopback cannot be tested.
    let stands = false;
    const fail = (failure: Wording): void => end(stands ? failure : undefined);
    const limit = setTimeout(() => fail(wording('tls-slow')), SELF_TEST_LIMIT_MS);
    socket.once('connect', () => (stands = true));
    socket.once('secureConnect', () => end(undefined));
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) => fail(wordsFor(code ?? message)));
  });
}

/** The connection, or why this Node.js does not even try. */
function dial(port: number): TLSSocket | string {
  try {
    // Our own certificate is self-signed, as the devices expect it; whom we dial is certain.
    return connect({ host: '127.0.0.1', port, ...AS_A_DEVICE, rejectUnauthorized: false });
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    return code ?? message;
  }
}

function wordsFor(code: string): Wording {
  return wording('tls-unspoken', { code });
}
