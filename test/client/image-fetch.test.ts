import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mock } from 'node:test';
import timers from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { fetchImage, type FetchOptions } from '../../lib/client/image-fetch';
import { useHttpServers } from '../shared/http-server';
import { assertLeavesNothing } from '../shared/left-behind';
import { assertRefused } from '../shared/refusal';
import { wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const SIZE = 500_000;
const FILE = randomBytes(SIZE);

/** A server that can continue in the middle of a file, cut off after `bytes` of each answer. */
class CuttingServer {
  /** First byte that each request asked for. */
  readonly asked: number[] = [];

  constructor(
    private readonly cuts: number,
    private readonly validator: string | null = '"one"',
    private file = FILE,
    private readonly header = 'etag',
  ) {}

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const isSame = this.validator !== null && request.headers['if-range'] === this.validator;
    const first = isSame ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    this.asked.push(first);
    const rest = this.file.subarray(first);
    const status = first > 0 ? 206 : 200;
    response.writeHead(status, {
      'content-length': rest.length,
      ...(this.validator === null ? {} : { [this.header]: this.validator }),
      ...(first > 0 ? { 'content-range': `bytes ${first}-${SIZE - 1}/${SIZE}` } : {}),
    });
    if (this.asked.length > this.cuts) response.end(rest);
    else response.write(rest.subarray(0, 80_000), () => response.destroy());
  };
}

describe('client/image-fetch', () => {
  const { serve } = useHttpServers();
  const options: FetchOptions = {
    what: wording('image-final'),
    signal: new AbortController().signal,
    limitMs: 600_000,
    limitBytes: 2 ** 21,
    retryMs: 1,
  };

  it('takes no part of a file for the whole', async () => {
    const part = await serve((_, response) =>
      response
        .writeHead(206, { 'content-range': 'bytes 0-99/500000', 'content-length': 100 })
        .end(FILE.subarray(0, 100)),
    );
    const { values } = await assertRefused(fetchImage(`${part}/a.bin?token=secret`, options), 'fetch-failed');
    const reason = wording('server-answered', { status: '206 Partial Content' });
    assert.deepEqual(values, { what: options.what, source: `${part}/a.bin`, reason });
  });

  it('brings the right file over a connection that is cut five times', async () => {
    const server = new CuttingServer(5);
    const progress: [number, number | undefined][] = [];
    const onProgress = (received: number, total: number | undefined): unknown => progress.push([received, total]);
    const bytes = await fetchImage(await serve(server.handle), { ...options, onProgress });
    assert.deepEqual(bytes, FILE);
    assert.equal(server.asked.length, 6);
    assert.deepEqual(
      [...server.asked],
      [...server.asked].sort((a, b) => a - b),
      'each try goes on where one stopped',
    );
    assert.ok((server.asked.at(-1) ?? 0) > 0);
    assert.deepEqual(progress.at(-1), [SIZE, SIZE]);
    assert.deepEqual(
      progress,
      [...progress].sort(([a], [b]) => a - b),
      'it never goes back',
    );
  });

  for (const [etag, what] of [
    [null, 'at all'],
    ['W/"one"', 'to the byte'],
  ] as const) {
    it(`starts over where the server cannot say ${what} that it is still the same file`, async () => {
      const server = new CuttingServer(2, etag);
      assert.deepEqual(await fetchImage(await serve(server.handle), options), FILE);
      assert.deepEqual(server.asked, [0, 0, 0]);
    });
  }

  it('continues by the date of a file that has no tag', async () => {
    const server = new CuttingServer(1, 'Sun, 29 Nov 2020 10:00:00 GMT', FILE, 'last-modified');
    assert.deepEqual(await fetchImage(await serve(server.handle), options), FILE);
    assert.equal(server.asked.length, 2);
    assert.ok((server.asked[1] ?? 0) > 0);
  });

  it('continues by the date of a file whose tag is weak', async () => {
    const asked: unknown[] = [];
    const date = 'Sun, 29 Nov 2020 10:00:00 GMT';
    const base = await serve(({ headers }, response) => {
      asked.push([headers.range, headers['if-range']]);
      const validators = { etag: 'W/"one"', 'last-modified': date };
      if (asked.length > 1) {
        const range = `bytes 1000-${SIZE - 1}/${SIZE}`;
        return void response.writeHead(206, { ...validators, 'content-range': range }).end(FILE.subarray(1000));
      }
      response.writeHead(200, { ...validators, 'content-length': SIZE });
      response.write(FILE.subarray(0, 1000), () => response.destroy());
    });
    assert.deepEqual(await fetchImage(base, options), FILE);
    assert.deepEqual(asked, [
      [undefined, undefined],
      ['bytes=1000-', date],
    ]);
  });

  it('waits before another try, longer after each that brought nothing', async () => {
    const pauses: unknown[] = [];
    const pause = mock.method(timers, 'setTimeout', (ms: number) => (pauses.push(ms), Promise.resolve()));
    try {
      const base = await serve((_, response) => {
        response.writeHead(200, { 'content-length': SIZE });
        response.write(FILE.subarray(0, 1000), () => response.destroy());
      });
      const { retryMs: _, ...usual } = options;
      await assertRefused(fetchImage(base, usual), 'fetch-failed');
    } finally {
      pause.mock.restore();
    }
    assert.deepEqual(pauses, [300, 600, 900]);
  });

  it('can be cancelled in the pause before another try', async () => {
    const controller = new AbortController();
    const base = await serve((_, response) => response.destroy());
    const { setTimeout: really } = timers;
    const pause = mock.method(timers, 'setTimeout', (ms: number, value: unknown, waits: object) => {
      setImmediate(() => controller.abort());
      return really(ms, value, waits);
    });
    try {
      const fetching = fetchImage(base, { ...options, retryMs: 600_000, signal: controller.signal });
      await assertRefused(fetching, 'cancelled');
      assert.equal(pause.mock.callCount(), 1);
    } finally {
      pause.mock.restore();
    }
  });

  it('never joins two files: a new one is fetched from its beginning', async () => {
    const [first, second] = [new CuttingServer(1), new CuttingServer(0, '"two"', randomBytes(SIZE))];
    let requests = 0;
    const base = await serve((request, response) => (requests++ === 0 ? first : second).handle(request, response));
    assert.deepEqual(await fetchImage(base, options), second['file']);
    assert.deepEqual([first.asked, second.asked], [[0], [0]]);
  });

  for (const [what, range] of [
    ['a piece from elsewhere in the file', `bytes 0-${SIZE - 1}/${SIZE}`],
    ['a piece of a longer file', `bytes 1000-${SIZE - 1}/${SIZE + 1}`],
  ] as const) {
    it(`does not take ${what} for the one it asked for`, () => takesNoOther(range));
  }

  async function takesNoOther(range: string): Promise<void> {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      if (requests === 2) {
        response.writeHead(206, {
          'content-range': range,
          'content-length': SIZE - 1000,
          etag: '"e"',
        });
        response.end(FILE.subarray(1000));
        return;
      }
      response.writeHead(200, { 'content-length': SIZE, etag: '"e"' });
      if (requests === 1) response.write(FILE.subarray(0, 1000), () => response.destroy());
      else response.end(FILE);
    });
    assert.deepEqual(await fetchImage(base, options), FILE);
    assert.equal(requests, 3);
  }

  it('refuses a last piece that ends before the file does', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      const headers = { etag: '"e"', 'content-range': `bytes 1000-${SIZE - 1}/${SIZE}` };
      if (requests > 1) return void response.writeHead(206, headers).end(FILE.subarray(1000, 2000));
      response.writeHead(200, { 'content-length': SIZE, etag: '"e"' });
      response.write(FILE.subarray(0, 1000), () => response.destroy());
    });
    await assertRefused(fetchImage(base, options), 'fetch-failed', /2000 bytes came instead of the 500000 announced/);
  });

  it('measures a body that was packed all the same against no length', async () => {
    let accepted: unknown;
    const base = await serve((request, response) => {
      accepted = request.headers['accept-encoding'];
      const packed = gzipSync(FILE);
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    });
    assert.deepEqual(await fetchImage(base, options), FILE);
    assert.equal(accepted, 'identity', 'nobody asked for that');
  });

  it('reads nothing of what says that it is too long, and does not ask again for what turns out to be', async () => {
    const announced = await serve((_, response) => {
      response.writeHead(200, { 'content-length': options.limitBytes + 1 }).flushHeaders();
    });
    await assertRefused(fetchImage(announced, options), 'fetch-failed', /longer than 2097152 bytes/);
    let requests = 0;
    let closed: Promise<unknown> = Promise.resolve();
    const endless = await serve((request, response) => {
      requests++;
      closed = new Promise((resolve) => request.socket.once('close', resolve));
      const write = (): void => {
        while (!response.destroyed && response.write(FILE));
      };
      response.on('drain', write);
      write();
    });
    await assertRefused(fetchImage(endless, options), 'fetch-failed', /longer than 2097152 bytes/);
    assert.equal(requests, 1);
    await closed;
  });

  it('asks for a file twenty times at most, though each try brings a byte', async () => {
    let requests = 0;
    const base = await serve((request, response) => {
      const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      assert.equal(first, requests++);
      const range = { 'content-range': `bytes ${first}-${SIZE - 1}/${SIZE}` };
      const headers = { 'content-length': SIZE - first, etag: '"e"' };
      if (first === 0) response.writeHead(200, headers);
      else response.writeHead(206, { ...headers, ...range });
      response.write(FILE.subarray(first, first + 1), () => response.destroy());
    });
    await assertRefused(fetchImage(base, options), 'fetch-failed', /the connection broke off/);
    assert.equal(requests, 20);
  });

  it('asks for nothing where it is cancelled before, and leaves nothing behind', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      response.end(FILE);
    });
    await assertRefused(fetchImage(base, { ...options, signal: AbortSignal.abort() }), 'cancelled');
    assert.equal(requests, 0);
    await assertLeavesNothing((signal) => fetchImage(base, { ...options, signal }));
    assert.equal(requests, 1);
  });

  it('leaves nothing behind, however it ends', async () => {
    const address = await serve(new CuttingServer(1).handle);
    const refusing = await serve((_, response) => response.writeHead(404).end());
    for (const url of [address, refusing]) {
      await assertLeavesNothing((signal) => fetchImage(url, { ...options, signal }).catch(() => undefined));
    }
  });

  it('takes a file of exactly its limit, and none that is longer by a byte', async () => {
    const address = await serve(new CuttingServer(0).handle);
    assert.ok((await fetchImage(address, { ...options, limitBytes: SIZE })).equals(FILE));
    const tooLong = /it is longer than 499999 bytes/;
    await assertRefused(fetchImage(address, { ...options, limitBytes: SIZE - 1 }), 'fetch-failed', tooLong);
    const unannounced = await serve((_, response) => void (response.write(FILE), response.end()));
    assert.ok((await fetchImage(unannounced, { ...options, limitBytes: SIZE })).equals(FILE));
    await assertRefused(fetchImage(unannounced, { ...options, limitBytes: SIZE - 1 }), 'fetch-failed', tooLong);
  });

  it('follows redirects in a circle once', async () => {
    let asked = 0;
    const address = await serve((_, response) => {
      asked += 1;
      response.writeHead(302, { location: '/' }).end();
    });
    await assertRefused(fetchImage(address, options), 'fetch-redirected', /./);
    assert.equal(asked, 6);
  });

  it('gives up on a server that never gets further', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      response.writeHead(200, { 'content-length': SIZE });
      response.write(FILE.subarray(0, 80_000), () => response.destroy());
    });
    await assertRefused(fetchImage(base, options), 'fetch-failed', /the connection broke off/);
    assert.equal(requests, 4, 'three of them without an image');
  });

  it('asks three times where nothing comes at all', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      response.destroy();
    });
    const { values } = await assertRefused(fetchImage(base, options), 'fetch-failed');
    assert.deepEqual(values, { what: options.what, source: `${base}/`, reason: wording('broke-off') });
    assert.equal(requests, 3);
    const silent = await serve(() => undefined);
    const stalled = await assertRefused(fetchImage(silent, { ...options, stallMs: 20 }), 'fetch-stalled');
    assert.deepEqual(stalled.values, { what: options.what, source: `${silent}/`, received: 0, seconds: 600 });
  });

  for (const [what, answer, code, asked] of [
    ['an error', (response: ServerResponse) => response.writeHead(503).end(), 'fetch-failed', 3],
    ['a circle', (response: ServerResponse) => response.writeHead(302, { location: '/' }).end(), 'fetch-redirected', 7],
  ] as const) {
    it(`${asked === 3 ? 'asks once more' : 'gives up'} where the server has ${what} for what is left of a file`, async () => {
      let requests = 0;
      const base = await serve((_, response) => {
        requests++;
        if (requests > 1) return void answer(response);
        response.writeHead(200, { 'content-length': SIZE, etag: '"e"' });
        response.write(FILE.subarray(0, 1000), () => response.destroy());
      });
      await assertRefused(fetchImage(base, options), code);
      assert.equal(requests, asked);
    });
  }

  it('continues in the file that it has begun last', async () => {
    const asked: unknown[] = [];
    const base = await serve(({ headers }, response) => {
      asked.push([headers.range, headers['if-range']]);
      const [etag, length] = asked.length === 1 ? ['"one"', 1000] : ['"two"', 2000];
      if (asked.length === 3) {
        const range = `bytes 2000-${SIZE - 1}/${SIZE}`;
        return void response.writeHead(206, { etag, 'content-range': range }).end(FILE.subarray(2000));
      }
      response.writeHead(200, { 'content-length': SIZE, etag });
      response.write(FILE.subarray(0, length), () => response.destroy());
    });
    assert.deepEqual(await fetchImage(base, options), FILE);
    assert.deepEqual(asked, [
      [undefined, undefined],
      ['bytes=1000-', '"one"'],
      ['bytes=2000-', '"two"'],
    ]);
  });

  it('starts over behind an error in the middle of a file', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      if (requests === 2) return void response.writeHead(503).end();
      response.writeHead(200, { 'content-length': SIZE, etag: '"e"' });
      if (requests === 1) response.write(FILE.subarray(0, 1000), () => response.destroy());
      else response.end(FILE);
    });
    assert.deepEqual(await fetchImage(base, options), FILE);
    assert.equal(requests, 3);
  });

  for (const [what, end] of [
    ['takes', 5000],
    ['does not take a part for the whole, but', 4000],
  ] as const) {
    it(`${what} the length that the second piece states, where the first answer stated none`, async () => {
      let requests = 0;
      const base = await serve((_, response) => {
        requests++;
        if (requests > 1) {
          const range = { 'content-range': 'bytes 1000-4999/5000' };
          return void response.writeHead(206, range).end(FILE.subarray(1000, end));
        }
        response.writeHead(200, { etag: '"e"' });
        response.write(FILE.subarray(0, 1000), () => response.destroy());
      });
      const progress: unknown[] = [];
      const fetching = fetchImage(base, { ...options, onProgress: (...news) => progress.push(news) });
      if (end === 5000) assert.deepEqual(await fetching, FILE.subarray(0, 5000));
      else await assertRefused(fetching, 'fetch-failed', /4000 bytes came instead of the 5000 announced/);
      assert.deepEqual(progress, [
        [1000, undefined],
        [end, 5000],
      ]);
    });
  }

  it('takes a stall for a cut, and continues', async () => {
    const server = new CuttingServer(0);
    let requests = 0;
    const base = await serve((request, response) => {
      if (requests++ > 0) return server.handle(request, response);
      response.writeHead(200, { 'content-length': SIZE, etag: '"one"' });
      response.write(FILE.subarray(0, 1000));
    });
    const fetching = stalling(base, 1000);
    assert.deepEqual(await fetching, FILE);
    assert.deepEqual(server.asked, [1000]);
  });

  it('takes a server that is slow, but continues, for no stall', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      response.writeHead(200, { 'content-length': 3 });
      response.write(FILE.subarray(0, 1));
      goesOn = (received) => void response.write(FILE.subarray(received, received + 1));
    });
    let goesOn: (received: number) => void = () => undefined;
    timeStands(['setTimeout']);
    try {
      const onProgress = (received: number): void => {
        // No device's server is this slow: its own limit is 15 s.
        timePasses(14_000);
        if (received < 3) goesOn(received);
      };
      assert.deepEqual(await fetchImage(base, { ...options, onProgress }), FILE.subarray(0, 3));
    } finally {
      timeGoesOn();
    }
    assert.equal(requests, 1);
  });

  /**
   * Fetches in a time of its own, which passes quickly once these bytes have come: that is a stall, or the end of the
   * whole time where that is shorter.
   */
  async function stalling(base: string, bytes: number, limitMs = 1_500_000): Promise<Buffer> {
    const stallMs = 15_000;
    timeStands(['setTimeout']);
    // Between two tries there are pauses, each of a few ms.
    const pauses = setInterval(() => timePasses(1), 1);
    try {
      const onProgress = (received: number): void => {
        if (received === bytes) timePasses(Math.min(stallMs, limitMs));
      };
      return await fetchImage(base, { ...options, limitMs, onProgress });
    } finally {
      clearInterval(pauses);
      timeGoesOn();
    }
  }

  it('reports when a server stalls for good', async () => {
    const base = await serve((_, response) => {
      response.writeHead(200, { 'content-length': SIZE });
      response.write(FILE.subarray(0, 1000));
    });
    await assertRefused(stalling(base, 1000), 'fetch-stalled', /1000 bytes came, and no more/);
    const { values } = await assertRefused(stalling(base, 1000, 50), 'fetch-stalled');
    assert.deepEqual(values, { what: options.what, source: `${base}/`, received: 1000, seconds: 0.05 });
  });

  it('does not ask a server again that refuses', async () => {
    let requests = 0;
    const base = await serve((_, response) => {
      requests++;
      response.writeHead(503).end();
    });
    await assertRefused(fetchImage(base, options), 'fetch-failed', /503 Service Unavailable/);
    assert.equal(requests, 1);
  });
});
