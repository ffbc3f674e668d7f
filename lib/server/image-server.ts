import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { plainAddress } from '../net/addresses';
import { parseOtaRequest, type OtaClass, type OtaRequest } from '../protocol/ota-request';
import { answerText } from './answer';
import { isFromBrowser } from './browser';
import type { CountedConnection } from './connection-limits';
import { DevicePost, type PostTaker } from './device-post';
import { replyToFinalStage, type FinalReplyOptions } from './final-reply';
import { bodyBehind, exchangeFor, headWithoutSlash } from './mended-request';
import { replyPaced } from './paced-reply';
import { parserComplaint } from './parser-complaint';
import { replyWithRange } from './range-reply';
import { limitRequests, REQUEST_LIMITS, type RequestLimits } from './request-limits';
import type { SocketHandler } from './socket-handler';
import { SocketSet } from './socket-set';
import type { ImageGrant, ImageRefusal, TransferObserver } from './transfer';
import { TransfersOnWire, type TransferCounts } from './transfers-on-wire';
import { wording, type Wording } from '../wordings/wording';

/**
 * A connection that was granted an image is dropped after so long without a byte in either direction; FinalStage is
 * given all the time it takes.
 */
export const IMAGE_IDLE_LIMIT_MS = 600_000;

export type { ImageGrant, ImageRefusal, TransferObserver, TransferOutcome } from './transfer';

/** Headers of a request, in bytes; a device's have 300. */
const HEADER_LIMIT = 8192;

/** Answers a granted request as its class of firmware can take it. */
type Reply = (this: void, exchange: Exchange, grant: ImageGrant) => Promise<void> | undefined;

interface Exchange {
  readonly asked: OtaRequest;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Settles when what is known of the request would outlive the process. */
  readonly isNoted: Promise<void> | void;
}

/** A parser's complaint, with what it was given. */
type ParserError = NodeJS.ErrnoException & { rawPacket?: Buffer };

export interface ImageServerOptions extends FinalReplyOptions {
  /** Authorizes requests: called once for each, with the peer's address. */
  find(request: OtaRequest, peer: string): ImageGrant | ImageRefusal;
  /** Whether a device got this target to ask for, though it has no leading slash. */
  ownsTarget?(target: string): boolean;
  /** The taker of what a device posts to this path, if it is waited for. */
  takerOf?(path: string, peer: string): PostTaker | undefined;
  requestLimits?: Partial<RequestLimits>;
  idleLimitMs?: number;
}

interface ImageServerEvents {
  /** A GET that could be parsed, before it is decided on. */
  request: [request: OtaRequest, peer: string];
  /** The last transfer of a class has left the wire. */
  idle: [otaClass: OtaClass];
  /** Something came that no device sends; the reason quotes nothing of it. */
  malformed: [reason: Wording, peer: string];
  /** A page in a browser asked, and was refused. */
  browser: [peer: string];
  /** `find` or an observer threw; the request was answered as well as it could be. */
  failed: [error: unknown, peer: string];
}

/** Serves images as each class of firmware can take them; knows nothing of ports, jobs or files. */
export class ImageServer extends EventEmitter<ImageServerEvents> implements SocketHandler {
  readonly #sockets = new SocketSet();
  readonly #connections = new WeakMap<Socket, CountedConnection>();
  readonly #onWire = new TransfersOnWire((otaClass) => this.emit('idle', otaClass));
  /** Connections with a request behind which no other one comes. */
  readonly #last = new WeakSet<Duplex>();
  /** Reports whose head announced no body. */
  readonly #posts = new WeakMap<Duplex, DevicePost>();
  readonly #replies: Readonly<Record<OtaClass, Reply>> = {
    range: ({ response, asked }, grant) => void replyWithRange(response, asked, grant),
    'no-range': ({ response }, grant) => replyPaced(response, grant),
    finalstage: async ({ response, socket, isNoted }, grant) => {
      await isNoted;
      await replyToFinalStage(response, socket, grant, this.options);
    },
  };
  readonly #http: Server;

  constructor(private readonly options: ImageServerOptions) {
    super();
    // A Range-class device asks again on the same connection after it has erased a sector: no limit but the idle one once it has an image.
    // Some firmware sends no Host header (docs/dev/diy-mode.md#1.11).
    const settings = { maxHeaderSize: HEADER_LIMIT, keepAliveTimeout: 0, requireHostHeader: false };
    this.#http = createServer(settings, (request, response) => this.#answer(request, response));
    limitRequests(this.#http, { ...REQUEST_LIMITS, ...options.requestLimits }, (socket, reason) => {
      this.emit('malformed', reason, plainAddress(socket.remoteAddress));
      socket.destroy();
    });
    // The end of a transfer shows in the device's half of the connection, so ours must outlive it. The
    // property is node's own, though not in its documentation; without it, no more than that knowledge is lost.
    Object.assign(this.#http, { httpAllowHalfOpen: true });
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#unreadable(error, socket));
  }

  get transfersOnWire(): TransferCounts {
    return this.#onWire.counts;
  }

  /** Waits until no FinalStage transfer is under way, a stalled one included: its device has erased its firmware. */
  async whenFinalStageQuiet(): Promise<void> {
    while (this.transfersOnWire.finalstage > 0) await once(this, 'idle');
  }

  handle(socket: Socket, connection?: CountedConnection): void {
    if (connection) this.#connections.set(socket, connection);
    this.#sockets.add(socket);
    this.#http.emit('connection', socket);
  }

  /** Drops every connection. A caller that must not cut off FinalStage waits for `idle` first. */
  close(): void {
    this.#sockets.destroyAll();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', httpVersion, headers, socket } = request;
    const peer = plainAddress(socket.remoteAddress);
    if (response.socket !== socket) {
      // A second request before the first one's answer: its pace and its end could not be distinguished.
      this.emit('malformed', wording('asks-again'), peer);
      socket.destroy();
      return;
    }
    if (isFromBrowser(headers)) {
      this.emit('browser', peer);
      return answerText(response, 403, 'not for browsers');
    }
    const taker = method === 'POST' ? this.#takerOf(url, peer) : undefined;
    if (taker) return this.#take(request, response, taker);
    if (method !== 'GET') {
      this.emit('malformed', wording('method-unknown', { method }), peer);
      return answerText(response, 405, 'only GET', { Allow: 'GET' });
    }
    const asked = parseOtaRequest({ method, url, httpVersion, headers });
    this.emit('request', asked, peer);
    let found: ImageGrant | ImageRefusal;
    try {
      found = this.options.find(asked, peer);
    } catch (error) {
      this.emit('failed', error, peer);
      return answerText(response, 500, 'failed');
    }
    if ('status' in found) return answerText(response, found.status, found.reason);
    this.#serve(response, socket, asked, peer, found);
  }

  #serve(
    response: ServerResponse,
    socket: Socket,
    asked: OtaRequest,
    peer: string,
    { bytes, observer }: ImageGrant,
  ): void {
    this.#connections.get(socket)?.identify();
    if (asked.class === 'finalstage' || !response.shouldKeepAlive) this.#last.add(socket);
    socket.setTimeout(this.options.idleLimitMs ?? IMAGE_IDLE_LIMIT_MS);
    const transfer = this.#onWire.add(asked.class, peer, socket);
    const report = (error: unknown): void => void this.emit('failed', error, peer);
    // Behind the first byte nothing of ours may break a transfer off: its device may have erased its firmware.
    const counted: TransferObserver = {
      sent: guarded((from, to) => observer.sent(from, to), report),
      stalled: guarded((at) => {
        transfer.stalled();
        observer.stalled?.(at);
      }, report),
      ended: guarded((outcome) => {
        try {
          observer.ended(outcome);
        } finally {
          transfer.remove();
        }
      }, report),
    };
    const grant = { bytes, observer: counted };
    const fail = (error: unknown): void => {
      transfer.remove();
      socket.destroy();
      report(error);
    };
    try {
      const isNoted = observer.request?.(asked, peer);
      // A range is answered in this step, without a promise for each.
      this.#replies[asked.class]({ asked, response, socket, isNoted }, grant)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  #takerOf(url: string, peer: string): PostTaker | undefined {
    const [path = ''] = url.split('?', 1);
    return this.options.takerOf?.(path, peer);
  }

  #take(request: IncomingMessage, response: ServerResponse, taker: PostTaker): void {
    const { headers, socket } = request;
    const post = new DevicePost(response, taker, () => {
      this.emit('malformed', wording('posts-too-much'), plainAddress(socket.remoteAddress));
      socket.destroy();
    });
    const isAnnounced = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
    if (isAnnounced) return void post.read(request);
    this.#posts.set(socket, post);
    // Behind a body of unknown length comes nothing else.
    response.shouldKeepAlive = false;
    socket.once('end', () => post.late(''));
  }

  /** A request that node's parser rejects, but that a device sends all the same. @returns whether it is served */
  #mend({ code, rawPacket }: ParserError, socket: Socket): boolean {
    const post = this.#posts.get(socket);
    if (post) {
      post.late(bodyBehind(rawPacket));
      return true;
    }
    const head = code === 'HPE_INVALID_URL' ? headWithoutSlash(rawPacket) : undefined;
    if (!head || !this.options.ownsTarget?.(head.url.split('?', 1)[0] ?? '')) return false;
    const exchange = exchangeFor(head, socket);
    return exchange ? this.#http.emit('request', exchange.request, exchange.response) : false;
  }

  #unreadable(error: ParserError, socket: Duplex): void {
    // A stray byte behind it means nothing, and FinalStage may have erased its flash: its transfer must not end by that.
    if (error.code?.startsWith('HPE_') && this.#last.has(socket)) return;
    if (error.code?.startsWith('HPE_') && socket.writable && this.#mend(error, socket as Socket)) return;
    const code = parserComplaint(error);
    if (code !== undefined) {
      this.emit('malformed', wording('request-not-http', { code }), plainAddress((socket as Socket).remoteAddress));
    }
    socket.destroy();
  }
}

/** What is called from timers and events, where an error would end the process. */
function guarded<Values extends unknown[]>(
  tell: (...values: Values) => void,
  report: (error: unknown) => void,
): (...values: Values) => void {
  return (...values) => {
    try {
      tell(...values);
    } catch (error) {
      report(error);
    }
  };
}
