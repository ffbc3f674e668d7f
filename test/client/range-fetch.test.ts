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

  async function reason(answer: RequestListener, limitMs?: number): Promise<string> {
    const outcome = await fetchFrom((await answering(answer)).port, limitMs);
    assert.ok('reason' in outcome);
    return outcome.reason.text;
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

  it('wants pieces, and says what came instead', async () => {
    assert.match(await reason((_, response) => void response.end('all of it')), /answered with 200/);
    const { port } = await answering((_, response) => void response.writeHead(404).end());
    const outcome = await fetchFrom(port);
    assert.ok('reason' in outcome);
    const { reason: why, status } = outcome;
    assert.deepEqual([why.text, status], ['it was answered with 404 instead of a piece', 404]);
  });

  it('reads no more of a piece than it asked for, and nothing of another answer', async () => {
    for (const [status, words] of [
      [206, /a longer piece/],
      [200, /answered with 200/],
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
      assert.match(await reason(endless, 30_000), words);
      await closed;
    }
  });

  it('gives up a file that is longer than its limit', async () => {
    const announced: RequestListener = (_, response) =>
      void response.writeHead(206, { 'Content-Range': 'bytes 0-3/10001' }).end('abcd');
    assert.match(await reason(announced), /a longer file/);
    let asked = 0;
    const growing: RequestListener = (request, response) => {
      asked += 1;
      const first = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
      const total = first + 8192 > LIMIT ? first + 4097 : first + 8192;
      response.writeHead(206, { 'Content-Range': `bytes ${first}-${first + 4095}/${total}` }).end(Buffer.alloc(4096));
    };
    assert.match(await reason(growing, 30_000), /a longer file/);
    assert.equal(asked, 3);
  });

  it('does not take another piece', async () => {
    const wrong: RequestListener = (_, response) =>
      void response.writeHead(206, { 'Content-Range': 'bytes 8-11/20' }).end('abcd');
    assert.match(await reason(wrong), /another piece/);
    const without: RequestListener = (_, response) => void response.writeHead(206).end('abcd');
    assert.match(await reason(without), /another piece/);
  });

  it('says that nothing listens, that the connection broke off, or that nothing came in time', async () => {
    const { port, server } = await answering(() => undefined);
    assert.deepEqual(await fetchFrom(port, 50), { reason: wording('no-answer-in-time') });
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    assert.deepEqual(await fetchFrom(port), { reason: wording('nothing-listens') });
    assert.equal(await reason((request) => void request.socket.destroy()), 'the connection broke off');
  });

  it('ends when it is aborted', async () => {
    const controller = new AbortController();
    const { port } = await answering(() => controller.abort());
    const url = new URL(`http://127.0.0.1:${port}/image.bin`);
    assert.ok(
      'reason' in (await fetchInRanges(url, { signal: controller.signal, limitMs: 60_000, limitBytes: LIMIT })),
    );
  });
});
