import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { wording, type Wording } from '../wordings/wording';

/** How long a client may take for its request, in ms. */
export interface RequestLimits {
  /** For the head, from its first byte; a tenth more until that is noticed. */
  readonly headMs: number;
  /** For the body, from the end of the head. */
  readonly bodyMs: number;
  /** For a connection to send anything at all, as long as it is not known to be a device's. */
  readonly quietMs: number;
}

/** A device sends its whole request in one go, within 1 s of its connection (docs/dev/stock-firmware.md#2.1, #4.1). */
export const REQUEST_LIMITS: RequestLimits = { headMs: 10_000, bodyMs: 30_000, quietMs: 60_000 };

/** How often in its time an unfinished head is looked at. */
const LOOKS_AT_HEAD = 10;

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

/**
 * Watches one connection. It counts the bytes that came instead of listening to them: node hands what a connection
 * receives to its parser directly as long as there is no listener, which spares each request a turn through the stream.
 */
class RequestWatch {
  readonly #headTimer: NodeJS.Timeout;
  #bodyTimer: NodeJS.Timeout | undefined;
  /** Bytes that had come when the last head or body ended: what came since belongs to the next head. */
  #readBefore = 0;
  /** How often that head was looked at. */
  #looks = 0;
  /** Requests that have no answer yet, or not their whole body. */
  #open = 0;

  constructor(
    private readonly socket: Socket,
    private readonly limits: Pick<RequestLimits, 'headMs' | 'bodyMs'>,
    private readonly late: (reason: Wording) => void,
  ) {
    this.#headTimer = setInterval(() => this.#lookAtHead(), limits.headMs / LOOKS_AT_HEAD).unref();
    socket.once('close', () => this.stop());
  }

  headEnded(request: IncomingMessage, response: ServerResponse): void {
    this.#ended();
    this.#open += 1;
    response.once('close', () => (this.#open -= 1));
    if (!hasBody(request.headers)) return;
    this.#open += 1;
    const { bodyMs } = this.limits;
    this.#bodyTimer = setTimeout(() => this.#isLate(bodyMs, 'body-late'), bodyMs);
    request.once('end', () => {
      clearTimeout(this.#bodyTimer);
      this.#ended();
      this.#open -= 1;
    });
  }

  stop(): void {
    clearInterval(this.#headTimer);
    clearTimeout(this.#bodyTimer);
  }

  #ended(): void {
    this.#readBefore = this.socket.bytesRead;
    this.#looks = 0;
  }

  #lookAtHead(): void {
    if (this.#open > 0 || this.socket.bytesRead === this.#readBefore) return;
    this.#looks += 1;
    if (this.#looks > LOOKS_AT_HEAD) this.#isLate(this.limits.headMs, 'head-late');
  }

  #isLate(ms: number, reason: 'head-late' | 'body-late'): void {
    this.stop();
    this.late(wording(reason, { seconds: ms / 1000 }));
  }
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
}
