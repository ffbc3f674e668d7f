import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { postDiyProvisioning, postProvisioning, readDevice, readDiyPage } from '../../lib/client/ap-client';
import { closeAll, serve } from '../server/serving';
import { assertLeavesNothing } from '../shared/left-behind';
import { wording } from '../../lib/wordings/wording';

const PROVISIONING = { ssid: 'home', password: 'secret password', serverName: '192.168.1.5', port: 8443 };
const INFO = '{"deviceid":"10000xxxxx","apikey":"11111111-2222-4333-8444-555555555555","accept":"post"}';
const ANSWER = (body: string, head = `Content-Length: ${body.length}\r\n`): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n${head}\r\n${body}`;

const options = (limitMs = 60_000, signal = new AbortController().signal) => ({ limitMs, signal });

describe('ap-client', () => {
  afterEach(closeAll);

  /** A device's server of which each read is seen, as its literal matcher sees it. */
  async function device(react: (socket: Socket, request: string) => void) {
    const reads: string[] = [];
    const port = await serve({
      handle: (socket) =>
        socket.on('data', (data) => {
          reads.push(data.toString('utf8'));
          react(socket, data.toString('utf8'));
        }),
    });
    return { url: `http://127.0.0.1:${port}`, reads, port };
  }

  describe('readDevice', () => {
    it('asks in one segment, with the request line that the device compares', async () => {
      const { url, reads, port } = await device((socket) => socket.write(ANSWER(INFO)));
      const info = await readDevice(url, options());
      assert.equal(info.deviceid, '10000xxxxx');
      assert.equal(info.apikey, '11111111-2222-4333-8444-555555555555');
      assert.deepEqual(reads, [`GET /device HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`]);
    });

    for (const [what, answer] of [
      ['without a length, on a connection that stays open', ANSWER(INFO, '')],
      ['with a length that is too long', ANSWER(INFO, 'Content-Length: 400\r\n')],
      ['with header names in another case', ANSWER(INFO).replace(/Content-Length/, 'content-length')],
      ['with bare line feeds', ANSWER(INFO).replace(/\r\n/g, '\n')],
      ['with text before the object', ANSWER(`\r\n${INFO}`)],
    ] as const) {
      it(`takes an answer ${what}`, async () => {
        const { url } = await device((socket) => socket.write(answer));
        assert.equal((await readDevice(`${url}/`, options())).deviceid, '10000xxxxx');
      });
    }

    it('asks for no more than the device has, whatever page the address names', async () => {
      const { url, reads } = await device((socket) => socket.write(ANSWER(INFO)));
      await readDevice(`${url}/some/page?of=it`, options());
      assert.match(reads[0] ?? '', /^GET \/device HTTP/);
    });

    it('lets go of a connection that the device would keep, and leaves nothing behind', async () => {
      let closed: Promise<unknown> = Promise.resolve();
      const { url, port } = await device((socket) => {
        closed = once(socket, 'end');
        socket.write(ANSWER(INFO, ''));
      });
      await assertLeavesNothing((signal) => readDevice(url, options(60_000, signal)));
      await closed;
      await closeAll();
      await assertLeavesNothing((signal) => readDevice(`http://127.0.0.1:${port}`, options(60_000, signal)));
    });

    it('reads no further in what is too long for a device, and has no end', async () => {
      const { url } = await device((socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'a page '.repeat(1000)}`));
      await assert.rejects(readDevice(url, options()), { code: 'ap-refused' });
    });

    it('takes an answer that comes in pieces', async () => {
      const { url } = await device((socket) => {
        const answer = ANSWER(INFO);
        socket.write(answer.slice(0, 30));
        setImmediate(() =>
          socket.write(answer.slice(30, 130), () => setImmediate(() => socket.write(answer.slice(130)))),
        );
      });
      assert.equal((await readDevice(url, options())).deviceid, '10000xxxxx');
    });

    for (const [what, answer] of [
      ['somebody else’s page', ANSWER('<html>router</html>')],
      ['an endless page', ANSWER('x'.repeat(100_000))],
      ['no apikey', ANSWER('{"deviceid":"10000xxxxx"}')],
    ] as const) {
      it(`throws ap-refused for ${what}`, async () => {
        const { url } = await device((socket) => socket.write(answer));
        await assert.rejects(readDevice(url, options()), { code: 'ap-refused' });
      });
    }

    it('throws ap-unreachable when nothing is there, nothing answers, or the address is none', async () => {
      const { url, port } = await device(() => undefined);
      const code = 'ap-unreachable';
      const late = { url, seconds: 0, reason: wording('no-answer-in-time') };
      await assert.rejects(readDevice(url, options(50)), { code, values: late });
      await closeAll();
      const nothing = { url: `http://127.0.0.1:${port}`, seconds: 60, reason: wording('nothing-listens') };
      await assert.rejects(readDevice(nothing.url, options()), { code, values: nothing });
      for (const nonsense of ['', '10.10.7.1', 'https://127.0.0.1', 'http://']) {
        const values = { url: nonsense, seconds: 0, reason: wording('not-an-http-address') };
        await assert.rejects(readDevice(nonsense, options()), { code, values });
        await assert.rejects(postProvisioning(nonsense, PROVISIONING, options()), { code, values });
        await assert.rejects(readDiyPage(nonsense, options()), { code, values });
      }
    });

    it('throws cancelled when it is aborted, before and in the middle', async () => {
      await assert.rejects(readDevice('http://127.0.0.1:1', options(1000, AbortSignal.abort())), { code: 'cancelled' });
      const controller = new AbortController();
      const { url } = await device(() => controller.abort());
      await assert.rejects(readDevice(url, options(5000, controller.signal)), { code: 'cancelled' });
    });
  });

  describe('readDiyPage', () => {
    const PAGE = '<!DOCTYPE html><html><head><title>DIY WEB</title></head></html>';

    for (const [what, answer, expected] of [
      ['its page', ANSWER(PAGE), 'page'],
      ['its page without a length, on a connection that stays open', ANSWER(PAGE, ''), 'page'],
      ['that it has none', 'HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n<html></html>', 'none'],
      ['JSON', ANSWER('{"error":404}'), 'none'],
    ] as const) {
      it(`takes from a device that answers ${what}: ${expected}`, async () => {
        const { url, reads, port } = await device((socket) => socket.write(answer));
        assert.equal(await readDiyPage(`${url}/some/page?of=it`, options()), expected);
        const [first = '', ...others] = reads;
        assert.ok(
          first.startsWith(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`) && first.endsWith('\r\n\r\n'),
          first,
        );
        assert.deepEqual(others, []);
      });
    }

    it('takes no answer for none', async () => {
      const { url, port } = await device(() => undefined);
      assert.equal(await readDiyPage(url, options(300)), 'silent');
      await closeAll();
      assert.equal(await readDiyPage(`http://127.0.0.1:${port}`, options()), 'silent');
    });

    it('throws cancelled when it is aborted', async () => {
      const controller = new AbortController();
      const { url } = await device(() => controller.abort());
      await assert.rejects(readDiyPage(url, options(60_000, controller.signal)), { code: 'cancelled' });
    });
  });

  describe('postDiyProvisioning', () => {
    it('posts the Wi-Fi alone, in one segment', async () => {
      const { url, reads, port } = await device((socket) => socket.write(ANSWER('{"error":0}')));
      const wifi = { ssid: 'home', password: 'secret password' };
      assert.equal(await postDiyProvisioning(url, wifi, options()), 'accepted');
      const body = '{"ssid":"home","password":"secret password"}';
      assert.deepEqual(reads, [
        `POST /ap_diy HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      ]);
    });

    it("throws ap-refused with the device's code", async () => {
      const { url } = await device((socket) => socket.write(ANSWER('{"error":401}')));
      await assert.rejects(postDiyProvisioning(url, { ssid: 'home', password: 'secret' }, options()), {
        code: 'ap-refused',
      });
    });
  });

  describe('postProvisioning', () => {
    it('posts header and body in one segment, spelled as the device expects', async () => {
      const { url, reads, port } = await device((socket) => socket.write(ANSWER('{"error":0}')));
      assert.equal(await postProvisioning(url, PROVISIONING, options()), 'accepted');
      const body = '{"version":4,"ssid":"home","password":"secret password","serverName":"192.168.1.5","port":8443}';
      assert.deepEqual(reads, [
        `POST /ap HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      ]);
    });

    // Only one that is silent comes to its limit.
    for (const [what, react, limitMs] of [
      ['resets the connection', (socket: Socket) => socket.resetAndDestroy(), 600_000],
      ['closes it without an answer', (socket: Socket) => socket.end(), 600_000],
      ['falls silent', () => undefined, 300],
      [
        'breaks off in the middle of its answer',
        (socket: Socket) => socket.end(ANSWER('{"error":0}').slice(0, -4)),
        600_000,
      ],
    ] as const) {
      it(`is probably accepted by a device that ${what}`, async () => {
        const { url } = await device(react);
        assert.equal(await postProvisioning(url, PROVISIONING, options(limitMs)), 'probably-accepted');
      });
    }

    it('throws cancelled when it is aborted, before and in the middle, and leaves nothing behind', async () => {
      const { url, reads } = await device(() => controller.abort());
      const controller = new AbortController();
      const aborted = postProvisioning(url, PROVISIONING, options(60_000, AbortSignal.abort()));
      await assert.rejects(aborted, { code: 'cancelled' });
      assert.deepEqual(reads, []);
      const cancelled = postProvisioning(url, PROVISIONING, options(60_000, controller.signal));
      await assert.rejects(cancelled, { code: 'cancelled' });
      const { url: silent } = await device((socket) => socket.end());
      await assertLeavesNothing((signal) => postProvisioning(silent, PROVISIONING, options(60_000, signal)));
    });

    it('says how long it waited, and for whom', async () => {
      const { port } = await device(() => undefined);
      await closeAll();
      const url = `http://127.0.0.1:${port}`;
      await assert.rejects(postProvisioning(url, PROVISIONING, options(2600)), {
        code: 'ap-unreachable',
        values: { url, seconds: 3, reason: wording('nothing-listens') },
      });
    });

    it('throws ap-refused with the code of the device', async () => {
      const { url } = await device((socket) => socket.write(ANSWER('{"error":401}')));
      await assert.rejects(postProvisioning(url, PROVISIONING, options()), (error: Error & { code: string }) => {
        assert.equal(error.code, 'ap-refused');
        assert.match(error.message, /401/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    });

    it('throws ap-unreachable when the device is gone before it could be sent', async () => {
      const { port } = await device(() => undefined);
      await closeAll();
      const posted = postProvisioning(`http://127.0.0.1:${port}`, PROVISIONING, options());
      await assert.rejects(posted, { code: 'ap-unreachable' });
    });

    it('sends nothing that the device could not use', async () => {
      const { url, reads } = await device(() => undefined);
      const posted = postProvisioning(url, { ...PROVISIONING, ssid: 'x'.repeat(32) }, options());
      await assert.rejects(posted, { code: 'wifi-credentials-unusable' });
      assert.deepEqual(reads, []);
    });
  });
});
