import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { wording, type Wording } from '../wordings/wording';

/** How long a client may take for its request, in ms. */
export interface RequestLimits {
  /** For the head, from its first byte. */
  readonly headMs: number;
  /** For the body, from the end of the head. */
  readonly bodyMs: number;
  /** For a connection to send anything at all, as long as it is not known to be a device's. */
  readonly quietMs: number;
}

/** A device sends its whole request in one go, within 1 s of its connection (docs/dev/stock-firmware.md#2.1, #4.1). */
export const REQUEST_LIMITS: RequestLimits = { headMs: 10_000, bodyMs: 30_000, quietMs: 60_000 };

/**
 * Holds the clients of a server that never listens to these limits. Node keeps its own only on servers that do.
 *
 * @param late called with the connection whose request takes too long, and the answer for it; must end the connection
 * @returns what lets go of a connection that is no longer HTTP
 */
export function limitRequests(
  server: Server,
  { headMs, bodyMs, quietMs }: RequestLimits,
  late: (socket: Socket, reason: Wording) => void,
): (socket: Duplex) => void {
  const watched = new WeakMap<Duplex, RequestWatch>();
  server.timeout = quietMs;
  server.on('connection', (socket: Socket) => {
    watched.set(socket, new RequestWatch(socket, { headMs, bodyMs }, (reason) => late(socket, reason)));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    watched.get(request.socket)?.headEnded(request, response);
  });
  return (socket) => watched.get(socket)?.stop();
}

class RequestWatch {
  #timer: NodeJS.Timeout | undefined;
  #inHead = false;
  /** Requests that have no answer yet, or not their whole body. */
  #open = 0;

  constructor(
    private readonly socket: Socket,
    private readonly limits: Pick<RequestLimits, 'headMs' | 'bodyMs'>,
    private readonly late: (reason: Wording) => void,
  ) {
    // Before the parser: what it makes of these bytes may end the head that they start.
    socket.prependListener('data', this.#received);
    socket.once('close', () => clearTimeout(this.#timer));
  }

  headEnded(request: IncomingMessage, response: ServerResponse): void {
    clearTimeout(this.#timer);
    this.#inHead = false;
    this.#open += 1;
    response.once('close', () => (this.#open -= 1));
    if (!hasBody(request.headers)) return;
    this.#open += 1;
    this.#start(this.limits.bodyMs, 'body-late');
    request.once('end', () => {
      clearTimeout(this.#timer);
      this.#open -= 1;
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.socket.off('data', this.#received);
  }

  readonly #received = (): void => {
    if (this.#inHead || this.#open > 0) return;
    this.#inHead = true;
    this.#start(this.limits.headMs, 'head-late');
  };

  #start(ms: number, reason: 'head-late' | 'body-late'): void {
    this.#timer = setTimeout(() => this.late(wording(reason, { seconds: ms / 1000 })), ms);
  }
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
}
