import { connect } from 'node:net';
import { FlashError } from '../errors';

/** `accepted` and `refused` both mean that a host is there; `silent` that none answered. */
export type ProbeResult = 'accepted' | 'refused' | 'silent';

export interface ProbeOptions {
  signal: AbortSignal;
  /** How long to wait for an answer, in ms. */
  limitMs: number;
}

/**
 * Opens a TCP connection and closes it immediately.
 *
 * @throws FlashError `cancelled` when the signal aborts
 */
export function probeTcp(host: string, port: number, { signal, limitMs }: ProbeOptions): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new FlashError('cancelled'));
    const socket = connect({ host, port });
    const end = (settle: () => void): void => {
      clearTimeout(limit);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = (): void => end(() => reject(new FlashError('cancelled')));
    const limit = setTimeout(() => end(() => resolve('silent')), limitMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => end(() => resolve('accepted')));
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      // No route, host unreachable and the like come from this machine or a router: the device itself said nothing.
      end(() => resolve(code === 'ECONNREFUSED' || code === 'ECONNRESET' ? 'refused' : 'silent')),
    );
  });
}
