import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { readWebPage, type PageOutcome } from '../../lib/client/web-page';
import { useHttpServers } from '../shared/http-server';
import { assertLeavesNothing } from '../shared/left-behind';
import { freePort } from '../shared/ports';
import { closeAll, serve as serveRaw } from '../server/serving';

const never = new AbortController().signal;
const PAGE_LIMIT = 65_536;

function read(url: string, limitMs = 60_000, signal = never): Promise<PageOutcome> {
  return readWebPage(new URL(url), { signal, limitMs });
}

async function page(url: string): Promise<Exclude<PageOutcome, string>> {
  const outcome = await read(url);
  assert.ok(typeof outcome !== 'string');
  return outcome;
}

describe('client/web-page', () => {
  const { serve } = useHttpServers();
  afterEach(closeAll);

  /** A server of whatever bytes, which may be no HTTP. */
  async function raw(react: (socket: Socket) => void): Promise<string> {
    return `http://127.0.0.1:${await serveRaw({ handle: (socket) => socket.once('data', () => react(socket)) })}`;
  }

  it('reads a page with its status and headers, as if it came from a page of the device', async () => {
    const url = await serve((request, response) => {
      const { host, referer, connection } = request.headers;
      response.writeHead(404, { server: 'Tasmota', 'set-cookie': ['a=1', 'b=2'] });
      response.end(JSON.stringify([request.method, request.url, host, referer, connection]));
    });
    const { status, headers, body } = await page(`${url}/cm?cmnd=Status%200`);
    assert.deepEqual([status, headers['server'], headers['set-cookie']], [404, 'Tasmota', 'a=1, b=2']);
    assert.deepEqual(JSON.parse(body), ['GET', '/cm?cmnd=Status%200', new URL(url).host, `${url}/`, 'close']);
  });

  it('takes a redirect for the page', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end('moved'));
    const { status, body } = await page(url);
    assert.deepEqual([status, body], [302, 'moved']);
  });

  it('reads what is HTTP by and large', async () => {
    const url = await raw((socket) => socket.end('HTTP/1.1 200 OK\nServer: small\n\n<title>page</title>'));
    const { headers, body } = await page(url);
    assert.deepEqual([headers['server'], body], ['small', '<title>page</title>']);
  });

  it('takes a page that breaks off for what it was until then', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<title>ESPHome</title>', () => socket.destroy());
    });
    assert.equal((await page(url)).body, '<title>ESPHome</title>');
  });

  it('reads no more of a page than shows whose it is', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const url = await serve((request, response) => {
      closed = new Promise((resolve) => request.socket.once('close', resolve));
      const write = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(4096, 'x')));
      };
      response.on('drain', write);
      write();
    });
    const { length } = (await page(url)).body;
    assert.ok(length >= PAGE_LIMIT && length < 4 * PAGE_LIMIT, String(length));
    await closed;
  });

  it('waits for the end of a page below 64 KiB, and for no more of one that is that long', async () => {
    const unended = (bytes: number): Promise<string> =>
      raw((socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(bytes)}`));
    assert.equal(await read(await unended(PAGE_LIMIT - 1), 200), 'silent');
    assert.equal((await page(await unended(PAGE_LIMIT))).body.length, PAGE_LIMIT);
  });

  it('unpacks a page, also one that is cut off, and nothing that is not packed', async () => {
    const text = `<title>ESPurna</title>${'x'.repeat(20_000)}`;
    const packed = gzipSync(text);
    const serving = (body: Buffer, encoding: string): Promise<string> =>
      serve((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body));
    assert.equal((await page(await serving(packed, 'gzip'))).body, text);
    assert.match((await page(await serving(packed.subarray(0, packed.length - 12), 'gzip'))).body, /^<title>ESPurna/);
    assert.equal((await page(await serving(Buffer.from(text), 'gzip'))).body, '');
    assert.equal((await page(await serving(Buffer.from(text), 'identity'))).body, text);
  });

  it('unpacks no bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(20 * PAGE_LIMIT));
    assert.ok(bomb.length < PAGE_LIMIT);
    const url = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    assert.equal((await page(url)).body, '');
  });

  it('distinguishes a refusal from silence, and from another protocol', async () => {
    assert.equal(await read(`http://127.0.0.1:${await freePort()}`), 'refused');
    assert.equal(await read(await raw(() => undefined), 50), 'silent');
    assert.equal(await read(await raw((socket) => socket.resetAndDestroy())), 'silent');
    assert.equal(await read(await raw((socket) => socket.end('SSH-2.0-x\r\n'))), 'silent');
  });

  it('ends when it is aborted, before and in the middle', async () => {
    let requests = 0;
    const controller = new AbortController();
    const url = await serve(() => {
      requests += 1;
      controller.abort();
    });
    assert.equal(await read(url, 60_000, AbortSignal.abort()), 'silent');
    assert.equal(requests, 0);
    assert.equal(await read(url, 60_000, controller.signal), 'silent');
  });

  it('lets go of the connection, and leaves nothing behind', async () => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage'));
      closed = once(socket, 'close');
    });
    let closed: Promise<unknown> = Promise.resolve();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await assertLeavesNothing((signal) => read(url, 60_000, signal));
      await closed;
    } finally {
      server.close();
    }
    await assertLeavesNothing((signal) => read('http://127.0.0.1:1', 60_000, signal));
  });
});
