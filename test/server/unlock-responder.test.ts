import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { UnlockResponder } from '../../lib/server/unlock-responder';
import { ask } from '../flash/stranger';

describe('server/unlock-responder', () => {
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  async function respond(device = '127.0.0.1') {
    const responder = new UnlockResponder(device, 0);
    undo.push(() => responder.close());
    const events: unknown[] = [];
    responder.on('asked', (error) => events.push(error));
    responder.on('asked-otherwise', () => events.push('otherwise'));
    responder.on('stranger', (peer) => events.push(peer));
    return { responder, events, port: await responder.listen(0, '127.0.0.1') };
  }

  /** All that comes back until the connection is closed. */
  async function exchange(port: number, request: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.write(request);
    let text = '';
    for await (const bytes of socket) text += (bytes as Buffer).toString('latin1');
    return text;
  }

  const POST = 'POST /v2/d/otaflash HTTP/1.1\r\nHost: apid.coolkit.cn:80\r\nAuthorization: Sign 00\r\n';

  it('answers 200 with JSON of a stated length, and closes where the device asks for that', async () => {
    const { port, events } = await respond();
    const text = await exchange(port, `${POST}Connection: close\r\nContent-Length: 2\r\n\r\n{}`);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(text, /\r\nContent-Type: application\/json\r\n/);
    assert.match(text, /\r\nContent-Length: 11\r\n/);
    assert.doesNotMatch(text, /chunked/i);
    assert.ok(text.endsWith('\r\n\r\n{"error":0}'));
    assert.deepEqual(events, [0]);
  });

  it('answers a device that states no length, no host, or a query', async () => {
    const { port, events } = await respond();
    for (const request of [
      'POST /v2/d/otaflash HTTP/1.1\r\n\r\n{"deviceid":"10000a1b2c"}',
      'POST /v2/d/otaflash?x=1 HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    ]) {
      assert.match(await ask(port, request), /^HTTP\/1\.1 200 OK/, request);
    }
    assert.deepEqual(events, [0, 0]);
  });

  it('gives the next device its next answer', async () => {
    const { port, responder, events } = await respond();
    responder.answer = 422;
    assert.ok(
      (await exchange(port, `${POST}Connection: close\r\nContent-Length: 0\r\n\r\n`)).endsWith('{"error":422}'),
    );
    assert.deepEqual(events, [422]);
  });

  it('has nothing else for the device', async () => {
    const { port, events } = await respond();
    assert.match(await ask(port, 'GET /v2/d/otaflash HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 404/);
    assert.match(await ask(port, 'POST /api/user HTTP/1.1\r\nContent-Length: 0\r\n\r\n'), /^HTTP\/1\.1 405/);
    assert.match(await ask(port, `${POST}Origin: http://x\r\nContent-Length: 0\r\n\r\n`), /^HTTP\/1\.1 403/);
    assert.deepEqual(events, ['otherwise', 'otherwise']);
  });

  it('turns every other machine away, before it has read a byte of it', async () => {
    const { port, events } = await respond('127.0.0.2');
    await assert.rejects(exchange(port, `${POST}Content-Length: 2\r\n\r\n{}`), { code: 'ECONNRESET' });
    assert.match(await ask(port, `${POST}Content-Length: 2\r\n\r\n{}`, '127.0.0.2'), /^HTTP\/1\.1 200/);
    assert.deepEqual(events, ['127.0.0.1', 0]);
  });

  it('drops its connections and frees its port when it is closed', async () => {
    const { port, responder } = await respond();
    const socket = connect(port, '127.0.0.1');
    socket.write(`${POST}Content-Length: 2\r\n\r\n{}`);
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await responder.close();
    await closed;
    await assert.rejects(exchange(port, POST), { code: 'ECONNREFUSED' });
  });
});
