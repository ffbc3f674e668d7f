/**
 * Fetches an image over http(s), with a limit on everything a server could do without end. A connection that breaks
 * off is taken up again where it stopped, if the server can do that and the file is still the same one.
 */

import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { FlashError } from '../errors';
import { displayUrl, get, mayPass, reasonOf, type Answer } from './http-get';
import { RequestRefused } from './refusal';
import { wording, type Wording } from '../wordings/wording';

export interface FetchOptions {
  /** How an error names the image. */
  what: Wording;
  signal: AbortSignal;
  /** For everything together: name look-up, redirects, body, further tries. */
  limitMs: number;
  /** A body above this is not read to its end. */
  limitBytes: number;
  /** The connection counts as broken after so long without a byte; default 15 s. */
  stallMs?: number;
  /** The pause before another try; each further one is longer by as much. Default 300 ms. */
  retryMs?: number;
  /** Bytes so far, and the total where the server states it. */
  onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

const STALL_MS = 15_000;
const RETRY_MS = 300;
/** So many tries in a row may bring nothing new. */
const FRUITLESS_TRIES = 3;
const TRIES_AT_MOST = 20;

/**
 * The body of a 200 answer, or of several pieces of the same file.
 *
 * @throws FlashError fetch-failed {what, source, reason}, fetch-redirected, fetch-stalled, cancelled
 */
export async function fetchImage(address: string, options: FetchOptions): Promise<Buffer> {
  const { what, signal, limitMs } = options;
  const stop = new AbortController();
  const cancel = (): void => stop.abort();
  const limit = setTimeout(cancel, limitMs);
  signal.addEventListener('abort', cancel);
  const download = new Download(address, options, stop.signal);
  try {
    if (signal.aborted) cancel();
    return await download.run();
  } catch (thrown) {
    if (signal.aborted) throw new FlashError('cancelled', {}, { cause: thrown });
    if (thrown instanceof FlashError) throw thrown;
    const source = displayUrl(address);
    if (stop.signal.aborted || thrown instanceof Stall) {
      const { received } = download;
      throw new FlashError('fetch-stalled', { what, source, received, seconds: limitMs / 1000 }, { cause: thrown });
    }
    throw new FlashError('fetch-failed', { what, source, reason: reasonOf(thrown) }, { cause: thrown });
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', cancel);
  }
}

/** Nothing came for too long, though the connection stood. */
class Stall extends Error {}

/** The server cannot continue where the last try stopped; a start from the first byte may work. */
class NoContinuation extends Error {}

class Download {
  private pieces: Uint8Array[] = [];
  private length = 0;
  private total: number | undefined;
  /** The validator by which a later piece belongs to the same file: a strong ETag or a date (RFC 9110, 13.1.5). */
  private validator: string | undefined;

  constructor(
    private readonly address: string,
    private readonly options: FetchOptions,
    private readonly signal: AbortSignal,
  ) {}

  get received(): number {
    return this.length;
  }

  async run(): Promise<Buffer> {
    const { retryMs = RETRY_MS } = this.options;
    let best = 0;
    let fruitless = 0;
    for (let tries = 1; ; tries++) {
      try {
        await this.attempt();
        return Buffer.concat(this.pieces, this.length);
      } catch (thrown) {
        fruitless = this.length > best ? 0 : fruitless + 1;
        best = Math.max(best, this.length);
        // Once bytes have come the server is there: whatever breaks then may pass.
        const isPassing = thrown instanceof Stall || mayPass(thrown) || (best > 0 && !isFinal(thrown));
        if (this.signal.aborted || !isPassing || fruitless >= FRUITLESS_TRIES || tries >= TRIES_AT_MOST) throw thrown;
        await pause(retryMs * (fruitless + 1), undefined, { signal: this.signal });
      }
    }
  }

  private async attempt(): Promise<void> {
    const stall = new AbortController();
    const signal = AbortSignal.any([this.signal, stall.signal]);
    let timer: NodeJS.Timeout | undefined;
    const expectMore = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), this.options.stallMs ?? STALL_MS);
    };
    expectMore();
    try {
      const answer = await get(this.address, { what: this.options.what, headers: this.headers(), signal });
      this.begin(answer);
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        expectMore();
        this.take(piece);
      }
      if (this.total !== undefined && this.length !== this.total) {
        throw new RequestRefused(wording('bytes-missing', { received: this.length, announced: this.total }));
      }
    } catch (thrown) {
      if (stall.signal.aborted && !this.signal.aborted) throw new Stall('nothing more came', { cause: thrown });
      throw thrown;
    } finally {
      clearTimeout(timer);
      stall.abort(); // An answer that was given up on keeps no connection open.
    }
  }

  private headers(): Record<string, string> {
    // A compressed body could not be measured against its announced length, nor taken up in its middle.
    const headers = { 'accept-encoding': 'identity' };
    if (this.length === 0 || this.validator === undefined) return headers;
    return { ...headers, range: `bytes=${this.length}-`, 'if-range': this.validator };
  }

  /** A 206 continues where the last try stopped; anything else that can be used starts over. A first 206 is no whole file. */
  private begin({ status, statusText, headers }: Answer): void {
    const wasBegun = this.length > 0;
    if (status === 206 && wasBegun && this.continuesAt(headers['content-range'])) return;
    this.pieces = [];
    this.length = 0;
    this.validator = validatorOf(headers);
    this.total = announcedLength(headers);
    if (status !== 200) {
      const reason = wording('server-answered', { status: `${status} ${statusText}`.trim() });
      throw wasBegun ? new NoContinuation(reason.text) : new RequestRefused(reason);
    }
    if (this.total !== undefined && this.total > this.options.limitBytes) throw this.tooLong();
  }

  private continuesAt(range: string | undefined): boolean {
    const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range ?? '') ?? [];
    if (Number(first) !== this.length || (this.total !== undefined && Number(total) !== this.total)) return false;
    this.total = Number(total);
    return true;
  }

  private take(piece: Uint8Array): void {
    this.length += piece.length;
    if (this.length > this.options.limitBytes) throw this.tooLong();
    this.pieces.push(piece);
    this.options.onProgress?.(this.length, this.total);
  }

  private tooLong(): RequestRefused {
    return new RequestRefused(wording('file-too-long', { limit: this.options.limitBytes }));
  }
}

function isFinal(thrown: unknown): boolean {
  return thrown instanceof RequestRefused || thrown instanceof FlashError;
}

/** Undefined where nothing usable is announced; that of a compressed body counts other bytes than we see. */
function announcedLength(headers: IncomingHttpHeaders): number | undefined {
  if (headers['content-encoding'] !== undefined) return undefined;
  const length = headers['content-length'];
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}

function validatorOf(headers: IncomingHttpHeaders): string | undefined {
  const { etag } = headers;
  return etag !== undefined && !etag.startsWith('W/') ? etag : headers['last-modified'];
}
