import type net from 'node:net';

/** The connection failed: refused, reset, closed too early, or silent for too long. */
export class WireError extends Error {
  constructor(
    message: string,
    /** Nothing came for too long. */
    readonly isTimeout = false,
  ) {
    super(message);
  }
}

export interface Segment {
  readonly bytes: Buffer;
  /** When it arrived, in ms of `performance.now()`. */
  readonly at: number;
}

/** More than this is not taken from the socket without a reader: a small device has no room for it. */
const WINDOW_BYTES = 4 * 1460;

/** A connection as the device sees it: segments in the order and at the time in which they arrive. */
export class Wire {
  private readonly segments: Segment[] = [];
  private failure: Error | undefined;
  private ended = false;
  private wake: (() => void) | undefined;

  constructor(
    readonly socket: net.Socket,
    private readonly signal: AbortSignal,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.segments.push({ bytes, at: performance.now() });
      if (this.segments.reduce((sum, segment) => sum + segment.bytes.length, 0) >= WINDOW_BYTES) socket.pause();
      this.wake?.();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.failure = new WireError(`connection lost (${error.code ?? error.message})`);
      this.wake?.();
    });
    const onEnd = (): void => {
      this.ended = true;
      this.wake?.();
    };
    socket.on('end', onEnd);
    const onAbort = (): void => {
      socket.destroy();
      this.wake?.();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      onEnd();
    });
    if (signal.aborted) onAbort();
  }

  get closed(): boolean {
    return this.ended || this.socket.destroyed;
  }

  write(data: string | Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(data);
  }

  /**
   * The next segment; undefined when the other side has closed. Rejects with a WireError when the connection broke
   * or nothing came for `limitMs`, and with the signal's reason when the device lost its power.
   */
  async next(limitMs = Infinity): Promise<Segment | undefined> {
    let late = false;
    const timer = Number.isFinite(limitMs)
      ? setTimeout(() => {
          late = true;
          this.wake?.();
        }, limitMs)
      : undefined;
    try {
      for (;;) {
        this.signal.throwIfAborted();
        const segment = this.segments.shift();
        if (segment) {
          this.socket.resume();
          return segment;
        }
        if (this.failure) throw this.failure;
        if (this.ended) return undefined;
        if (late) throw new WireError('no reply in time', true);
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      clearTimeout(timer);
      this.wake = undefined;
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
