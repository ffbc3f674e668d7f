import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetchInRanges, type RangeFetchOutcome } from '../../lib/client/range-fetch';
import { ImageServer } from '../../lib/server/image-server';
import { afterwards, closeAll, serve } from '../server/serving';
import { wording } from '../../lib/wordings/wording';

/** Bytes. */
const LIMIT = 10_000;

describe('client/range-fetch', () => {
  afterEach(closeAll);

  async function fetchFrom(port: number, limitMs = 60_000): Promise<RangeFetchOutcome> {
    const { signal } = new AbortController();
    return fetchInRanges(new URL(`http://127.0.0.1:${port}/image.bin`), { signal, limitMs, limitBytes: LIMIT });
  }

  async function answering(answer: RequestListener): Promise<{ port: number; server: Server }> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => {
      server.closeAllConnections();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, server };
  }

  for (const size of [1, 4096, 4097, 10_000]) {
    it(`fetches ${size} bytes from the image server, on one connection`, async () => {
      const bytes = randomBytes(size);
      const images = new ImageServer({
        find: () => ({ bytes, observer: { sent: () => undefined, ended: () => undefined } }),
      });
      let connections = 0;
      let closed: Promise<unknown> = Promise.resolve();
      const port = await serve({
        handle: (socket) => {
          connections += 1;
          closed = once(socket, 'close');
          images.handle(socket);
        },
      });
      const outcome = await fetchFrom(port);
      assert.ok('bytes' in outcome);
      assert.ok(outcome.bytes.equals(bytes));
      assert.equal(connections, 1);
      await closed;
    });
  }

  async function outcomeOf(answer: RequestListener, limitMs?: number): Promise<RangeFetchOutcome> {
    return fetchFrom((await answering(answer)).port, limitMs);
  }

  it('asks for one piece after the other, as a device does', async () => {
    const asked: unknown[] = [];
    const bytes = randomBytes(5000);
    const outcome = await outcomeOf(({ method, url, headers }, response) => {
      asked.push([method, url, headers.range]);
      const first = asked.length === 1 ? 0 : 4096;
      const piece = bytes.subarray(first, first + 4096);
      response.writeHead(206, { 'Content-Range': `bytes ${first}-${first + piece.length - 1}/5000` }).end(piece);
    });
    assert.deepEqual(outcome, { bytes });
    assert.deepEqual(asked, [
      ['GET', '/image.bin', 'bytes=0-4095'],
      ['GET', '/image.bin', 'bytes=4096-8191'],
    ]);
  });

  it('wants pieces, and says what came instead', async () => {
    for (const status of [200, 404]) {
      assert.deepEqual(await outcomeOf((_, response) => void response.writeHead(status).end('all of it')), {
        reason: wording('no-piece', { status }),
        status,
      });
    }
  });

  it('reads no more of a piece than it asked for, and nothing of another answer', async () => {
    for (const [status, reason] of [
      [206, wording('longer-piece')],
      [200, wording('no-piece', { status: 200 })],
    ] as const) {
      let closed: Promise<unknown> = Promise.resolve();
      const endless: RequestListener = (request, response) => {
        closed = new Promise<void>((resolve) => request.socket.once('close', () => resolve()));
        response.writeHead(status, { 'Content-Range': 'bytes 0-4095/10000' });
        const write = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', write);
        write();
      };
      assert.deepEqual(await outcomeOf(endless, 30_000), { reason, status });
      await closed;
    }
  });

  it('gives up a file that is longer than its limit', async () => {
    const announced: RequestListener = (_, response) =>
      void response.writeHead(206, { 'Content-Range': 'bytes 0-3/10001' }).end('abcd');
    assert.deepEqual(await outcomeOf(announced), { reason: wording('longer-file'), status: 206 });
    let asked = 0;
    const growing: RequestListener = (request, response) => {
      asked += 1;
      const first = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
      const total = first + 8192 > LIMIT ? first + 4097 : first + 8192;
      response.writeHead(206, { 'Content-Range': `bytes ${first}-${first + 4095}/${total}` }).end(Buffer.alloc(4096));
    };
    assert.deepEqual(await outcomeOf(growing, 30_000), { reason: wording('longer-file'), status: 206 });
    assert.equal(asked, 3);
    const more: RequestListener = (request, response) => {
      const first = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
      response.writeHead(206, { 'Content-Range': `bytes ${first}-${first + 4095}/9000` }).end(Buffer.alloc(4096));
    };
    assert.deepEqual(await outcomeOf(more, 30_000), { reason: wording('longer-file'), status: 206 });
  });

  it('does not take another piece', async () => {
    const wrong: RequestListener = (_, response) =>
      void response.writeHead(206, { 'Content-Range': 'bytes 8-11/20' }).end('abcd');
    const without: RequestListener = (_, response) => void response.writeHead(206).end('abcd');
    const empty: RequestListener = (_, response) =>
      void response.writeHead(206, { 'Content-Range': 'bytes 0-3/20' }).end();
    for (const answer of [wrong, without, empty]) {
      assert.deepEqual(await outcomeOf(answer), { reason: wording('another-piece'), status: 206 });
    }
  });

  it('says that nothing listens, that the connection broke off, or that nothing came in time', async () => {
    const { port, server } = await answering(() => undefined);
    assert.deepEqual(await fetchFrom(port, 50), { reason: wording('no-answer-in-time') });
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    assert.deepEqual(await fetchFrom(port), { reason: wording('nothing-listens') });
    assert.deepEqual(await outcomeOf((request) => void request.socket.destroy()), { reason: wording('broke-off') });
  });

  it('ends when it is aborted', async () => {
    const controller = new AbortController();
    const { port } = await answering(() => controller.abort());
    const url = new URL(`http://127.0.0.1:${port}/image.bin`);
    const aborted = await fetchInRanges(url, { signal: controller.signal, limitMs: 60_000, limitBytes: LIMIT });
    assert.deepEqual(aborted, { reason: wording('no-answer-in-time') });
  });
});
