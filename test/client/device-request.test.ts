import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { requestOfDevice, type DeviceRequest, type RequestOutcome } from '../../lib/client/device-request';
import { wording } from '../../lib/wordings/wording';
import { assertLeavesNothing } from '../shared/left-behind';
import { freePort } from '../shared/ports';
import { closeAll, serve } from '../server/serving';

const NEVER = new AbortController().signal;

describe('client/device-request', () => {
  afterEach(closeAll);

  /** A server of whatever bytes, and what each connection wrote to it. */
  async function device(react: (socket: Socket) => void): Promise<{ url: string; written: string[] }> {
    const written: string[] = [];
    const port = await serve({
      handle: (socket) =>
        socket.on('data', (data) => {
          written.push(data.toString('utf8'));
          react(socket);
        }),
    });
    return { url: `http://127.0.0.1:${port}`, written };
  }

  function ask(url: string, request: Partial<DeviceRequest> = {}, limitMs = 600_000): Promise<RequestOutcome> {
    return requestOfDevice({ method: 'GET', url: new URL(url), ...request }, { signal: NEVER, limitMs });
  }

  it('asks for the path alone, and gives the answer with what the server calls itself', async () => {
    const { url, written } = await device((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nServer: openresty\r\nContent-Length: 7\r\n\r\n{"a":1}'),
    );
    assert.deepEqual(await ask(`${url}/device?of=it`), { result: 'answered', body: '{"a":1}', server: 'openresty' });
    const { host } = new URL(url);
    assert.deepEqual(written, [`GET /device HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`]);
  });

  it('states the length of a body in bytes, and writes it in one piece with its head', async () => {
    const { url, written } = await device((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n{}'));
    const body = '{"ssid":"Küche"}';
    assert.deepEqual(await ask(`${url}/ap`, { method: 'POST', body }), {
      result: 'answered',
      body: '{}',
      server: undefined,
    });
    const { host } = new URL(url);
    assert.deepEqual(written, [
      `POST /ap HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 17\r\n` +
        `Connection: close\r\n\r\n${body}`,
    ]);
  });

  it('reads a character that comes in two pieces', async () => {
    const bytes = Buffer.from('{"ssid":"Küche"}');
    const cut = bytes.indexOf('ü') + 1;
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((piece) => [
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from('\r\n'),
    ]);
    const head = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const { url } = await device((socket) => socket.write(Buffer.concat([head, ...pieces])));
    assert.equal(((await ask(url)) as { body: string }).body, '{"ssid":"Küche"}');
  });

  it('reads no further than 4 KiB, and up to there until the end', async () => {
    const { url: longest } = await device((socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(4096)}`));
    assert.equal(((await ask(longest)) as { body: string }).body.length, 4096);
    const { url: longer } = await device((socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(4097)}`));
    assert.equal(((await ask(longer)) as { body: string }).body.length, 4097, 'its server has not ended it');
  });

  it('says that nothing was sent, or that the device may have it, and why', async () => {
    assert.deepEqual(await ask(`http://127.0.0.1:${await freePort()}`), {
      result: 'unsent',
      reason: wording('nothing-listens'),
      errno: 'ECONNREFUSED',
    });
    const { url: resets } = await device((socket) => socket.resetAndDestroy());
    const lost = { result: 'lost', reason: wording('broke-off'), errno: 'ECONNRESET' };
    assert.deepEqual(await ask(resets), { ...lost, isTurnedAway: true });
    const { url: ends } = await device((socket) => socket.end());
    assert.deepEqual(await ask(ends), lost, 'it had the request');
    const { url: begins } = await device((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":', () =>
        setImmediate(() => socket.resetAndDestroy()),
      ),
    );
    assert.deepEqual(await ask(begins), lost, 'it has answered');
    const { url: silent } = await device(() => undefined);
    assert.deepEqual(await ask(silent, {}, 50), { result: 'lost', reason: wording('no-answer-in-time') });
  });

  it('gives up an answer that never ends when its time is over', async () => {
    const { url } = await device((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"a":');
      const drip = setInterval(() => socket.write('1'), 5);
      socket.once('close', () => clearInterval(drip));
    });
    assert.deepEqual(await ask(url, {}, 100), { result: 'lost', reason: wording('no-answer-in-time') });
  });

  it('ends when it is aborted, before and in the middle, and leaves nothing behind', async () => {
    const controller = new AbortController();
    const { url, written } = await device(() => controller.abort());
    const request = { method: 'GET', url: new URL(url) } as const;
    const limitMs = 600_000;
    assert.deepEqual(await requestOfDevice(request, { signal: AbortSignal.abort(), limitMs }), { result: 'aborted' });
    assert.deepEqual(written, []);
    assert.deepEqual(await requestOfDevice(request, { signal: controller.signal, limitMs }), { result: 'aborted' });
    const { url: other } = await device((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n{}'));
    await assertLeavesNothing((signal) => requestOfDevice({ ...request, url: new URL(other) }, { signal, limitMs }));
  });
});
