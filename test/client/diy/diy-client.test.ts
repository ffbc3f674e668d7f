import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { DiyClient } from '../../../lib/client/diy/diy-client';
import { BODY_LIMIT } from '../../../lib/protocol/diy/commands';
import { useHttpServers } from '../../shared/http-server';
import { assertLeavesNothing } from '../../shared/left-behind';
import { freePort } from '../../shared/ports';
import { StrictDiyServer, type Reaction } from './strict-server';
import { wording } from '../../../lib/wordings/wording';

const ID = '1000e4c17c';
const INFO = { switch: 'off', otaUnlock: false, fwVersion: '3.7.6', deviceid: ID, signalStrength: -52 };
const FLASH = { name: 'ota_flash', downloadUrl: 'http://127.0.0.1:8080/a.bin', sha256sum: '0a'.repeat(32) } as const;
const NO_LIMIT = 600_000;

const options = (limitMs = NO_LIMIT, signal = new AbortController().signal) => ({ limitMs, signal });

describe('client/diy/diy-client', () => {
  const servers: StrictDiyServer[] = [];
  const { serve } = useHttpServers();

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  async function device(react: (command: string, body: Record<string, unknown>) => Reaction, deviceid?: string) {
    const server = new StrictDiyServer(react);
    servers.push(server);
    const port = await server.listen();
    return { server, port, client: new DiyClient('127.0.0.1', { port, deviceid }) };
  }

  /** A device that answers `info`, with what it must be called there. */
  const accepting = (ids: readonly unknown[], otherwise: Reaction) => (_: string, body: Record<string, unknown>) =>
    ids.includes(body['deviceid']) ? { seq: 2, error: 0, data: INFO } : otherwise;

  describe('send', () => {
    it('writes a request that the strictest device understands, in one piece', async () => {
      const { client, server, port } = await device(() => ({ seq: 1, error: 0 }), ID);
      assert.deepEqual(await client.send({ name: 'switch', switch: 'on' }, options()), { result: 'done', data: {} });
      const body = `{"deviceid":"${ID}","data":{"switch":"on"}}`;
      const text =
        `POST /zeroconf/switch HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
      assert.deepEqual(server.seen, [{ command: 'switch', body: JSON.parse(body), reads: 1, text }]);
    });

    it('keeps the longest request within the 1024 bytes that a device reads', async () => {
      const { client, server } = await device(() => ({ error: 0 }), ID);
      const command = { name: 'wifi', ssid: '', password: 'p'.repeat(BODY_LIMIT - 58) } as const;
      assert.equal((await client.send(command, options())).result, 'done');
      const head = server.seen[0]!.text.length - BODY_LIMIT;
      // An address of 15 characters and a port of 5 instead of 127.0.0.1 and this one, and the longest path.
      assert.ok(head + 6 + 1 + 'signal_strength'.length - 'wifi'.length <= 1024 - BODY_LIMIT);
    });

    it('reads what a refusal means, and that a stock Sonoff says it', async () => {
      const { client } = await device(() => ({ seq: 1, error: 403 }), ID);
      const outcome = await client.send(FLASH, options());
      assert.deepEqual(outcome, { result: 'refused', error: 403, code: 'diy-locked', isStock: true });
      const said = { result: 'refused', error: 403, code: 'diy-locked', isStock: true } as const;
      assert.match(client.errorOf('ota_flash', said, options()).message, /1000e4c17c .*locked/);
    });

    it('knows the page of another server, and the word of a stock Sonoff that does not know the command', async () => {
      const url = new URL(
        await serve((_, response) => response.setHeader('Server', 'nginx').end('<html>router</html>')),
      );
      const router = new DiyClient(url.hostname, { port: Number(url.port) });
      const outcome = await router.send({ name: 'info' }, options());
      assert.deepEqual(outcome, { result: 'foreign', reason: wording('not-json'), isStock: false });
      const { client } = await device(() => ({ text: '<html>no such thing</html>' }));
      const word = await client.send({ name: 'info' }, options());
      assert.deepEqual(word, { result: 'foreign', reason: wording('not-json'), isStock: true });
    });

    it('takes what is no HTTP for foreign', async () => {
      const server = createServer((socket) => socket.resume().end('SSH-2.0-x\r\n\r\n')).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const outcome = await new DiyClient('127.0.0.1', { port }).send({ name: 'info' }, options());
      server.close();
      await once(server, 'close');
      assert.deepEqual(outcome, { result: 'foreign', reason: wording('not-http'), isStock: false });
    });

    for (const [command, times] of [
      [{ name: 'info' }, 5],
      [{ name: 'signal_strength' }, 5],
      [{ name: 'switch', switch: 'on' }, 5],
      [{ name: 'ota_unlock' }, 1],
      [{ name: 'wifi', ssid: 'home', password: 'secret' }, 1],
    ] as const) {
      it(`sends ${command.name} ${times === 1 ? 'once alone' : 'again'} where the connection is reset`, async () => {
        const { client, server } = await device(() => 'reset', ID);
        const lost = { result: 'lost', reason: wording('broke-off'), errno: 'ECONNRESET', isTurnedAway: true };
        assert.deepEqual(await client.send(command, options()), lost);
        assert.equal(server.seen.length, times);
      });
    }

    it('says with each outcome what it comes to, and for whom', async () => {
      const { client, port } = await device(() => ({ error: 0 }), ID);
      const anonymous = new DiyClient('127.0.0.1', { port });
      const url = `http://127.0.0.1:${port}`;
      const reason = wording('broke-off');
      const stock = { result: 'refused', isStock: true } as const;
      const of = (one: DiyClient, outcome: Parameters<DiyClient['errorOf']>[1]): unknown[] => {
        const { code, values } = one.errorOf('ota_unlock', outcome, { limitMs: 2600 });
        return [code, values];
      };
      assert.deepEqual(of(client, { result: 'foreign', reason, isStock: false }), ['diy-stranger', { url, reason }]);
      for (const result of ['lost', 'unreachable'] as const) {
        assert.deepEqual(of(client, { result, reason }), ['diy-unreachable', { url, seconds: 3, reason }]);
      }
      for (const [code, error] of [
        ['diy-other-device', 404],
        ['diy-unlock-refused', 500],
      ] as const) {
        const values = { url, deviceid: ID, command: 'ota_unlock', error };
        assert.deepEqual(of(client, { ...stock, code, error }), [code, values]);
      }
      assert.deepEqual(of(anonymous, { ...stock, code: 'diy-other-device', error: 404 }), ['diy-id-needed', { url }]);
      const unnamed = { url, deviceid: url, command: 'ota_unlock', error: 500 };
      assert.deepEqual(of(anonymous, { ...stock, code: 'diy-unlock-refused', error: 500 }), [
        'diy-unlock-refused',
        unnamed,
      ]);
    });

    for (const reaction of ['close', 'reset'] as const) {
      it(`asks once alone for a flash whose answer is lost by a ${reaction}`, async () => {
        const { client, server } = await device(() => reaction, ID);
        assert.equal((await client.send(FLASH, options())).result, 'lost');
        assert.equal(server.seen.length, 1);
      });
    }

    it('ends a request that hangs, which gives the device its connection back', async () => {
      const { client, server } = await device((command) => (command === 'info' ? { error: 0 } : 'hang'), ID);
      const outcome = await client.send({ name: 'ota_unlock' }, options(200));
      assert.deepEqual(outcome, { result: 'lost', reason: wording('no-answer-in-time') });
      assert.equal((await client.send({ name: 'info' }, options())).result, 'done');
      assert.equal(server.reset, 0);
    });

    it('sends one request at a time, also from two clients', async () => {
      const { client, server, port } = await device(() => ({ error: 0 }), ID);
      const other = new DiyClient('127.0.0.1', { port });
      const asked = [client, other, client].map((one) => one.send({ name: 'info' }, options()));
      const outcomes = await Promise.all(asked);
      assert.deepEqual(
        outcomes.map(({ result }) => result),
        ['done', 'done', 'done'],
      );
      assert.deepEqual([server.reset, server.seen.length], [0, 3]);
      assert.deepEqual(
        server.seen.map(({ body }) => body['deviceid']),
        [ID, undefined, ID],
      );
    });

    it('tries again while another program holds the only connection', async () => {
      const { client, server, port } = await device(() => ({ error: 0 }), ID);
      const rival = connect(port, '127.0.0.1');
      rival.on('error', () => undefined);
      await once(rival, 'connect');
      const asked = client.send({ name: 'info' }, options());
      while (server.reset === 0) await new Promise((resolve) => setImmediate(resolve));
      rival.destroy();
      assert.equal((await asked).result, 'done');
    });

    it('gives up where the connection is reset again and again', async () => {
      const { client, server } = await device(() => 'reset', ID);
      assert.equal((await client.send({ name: 'info' }, options())).result, 'lost');
      assert.equal(server.seen.length, 5);
    });

    it('says that nothing is there', async () => {
      const client = new DiyClient('127.0.0.1', { port: await freePort() });
      const outcome = await client.send({ name: 'info' }, options());
      assert.deepEqual(outcome, { result: 'unreachable', reason: wording('nothing-listens'), errno: 'ECONNREFUSED' });
    });

    it('ends when it is cancelled: before, in the queue, in mid-request and in the gap', async () => {
      const { client, server } = await device(() => 'hang', ID);
      const never = client.send({ name: 'info' }, options(NO_LIMIT, AbortSignal.abort()));
      await assert.rejects(never, { code: 'cancelled' });
      assert.equal(server.seen.length, 0);
      const [first, second] = [new AbortController(), new AbortController()];
      const running = client.send({ name: 'info' }, options(NO_LIMIT, first.signal));
      const queued = client.send({ name: 'info' }, options(NO_LIMIT, second.signal));
      second.abort();
      await assert.rejects(queued, { code: 'cancelled' });
      while (server.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
      first.abort();
      await assert.rejects(running, { code: 'cancelled' });
      const third = new AbortController();
      const inGap = client.send({ name: 'info' }, options(NO_LIMIT, third.signal));
      setImmediate(() => third.abort());
      await assert.rejects(inGap, { code: 'cancelled' });
      assert.equal(server.seen.length, 1);
    });

    it('leaves nothing behind', async () => {
      const { client } = await device(() => ({ error: 0 }), ID);
      await assertLeavesNothing((signal) => client.send({ name: 'info' }, options(NO_LIMIT, signal)));
    });
  });

  describe('identify', () => {
    for (const [what, react, known, ids] of [
      ['its true id', accepting([ID], { error: 404 }), ID, [ID]],
      ['no id, where a true one is not understood', accepting([undefined], { error: 422 }), ID, [ID, undefined]],
      ['no id, where none is known', accepting([undefined, ID], { error: 404 }), undefined, [undefined]],
      ['an empty id at last', accepting([''], { error: 400 }), undefined, [undefined, '']],
      [
        'an empty id, where it says that no id is another one',
        (_: string, { deviceid }: Record<string, unknown>) =>
          deviceid === '' ? { error: 0, data: INFO } : { error: deviceid === ID ? 422 : 404 },
        ID,
        [ID, undefined, ''],
      ],
      [
        'no id, where the true one loses the connection',
        accepting([undefined], 'close'),
        ID,
        [ID, ID, ID, ID, ID, undefined],
      ],
    ] as const) {
      it(`takes a device that answers to ${what}`, async () => {
        const { client, server } = await device(react, known);
        assert.deepEqual(await client.identify(options()), {
          deviceid: ID,
          fwVersion: '3.7.6',
          otaUnlock: false,
          rssi: -52,
          bssid: undefined,
          ssid: undefined,
          hasChannels: false,
          relay: 'off',
        });
        assert.deepEqual(
          server.seen.map(({ body }) => body['deviceid']),
          ids,
        );
        assert.equal(client.deviceid, ID);
      });
    }

    it('knows it by its id in whatever letters, and names it as it states', async () => {
      const stated = ID.toUpperCase();
      const { client, server } = await device(() => ({ error: 0, data: { ...INFO, deviceid: stated } }), ID);
      assert.equal((await client.identify(options())).deviceid, stated);
      await client.send({ name: 'ota_unlock' }, options());
      assert.deepEqual([client.deviceid, server.seen[1]!.body['deviceid']], [stated, stated]);
    });

    it('names the device from then on as it stated', async () => {
      const { client, server } = await device(() => ({ error: 0, data: INFO }));
      await client.identify(options());
      await client.send({ name: 'ota_unlock' }, options());
      assert.equal(server.seen[1]!.body['deviceid'], ID);
    });

    it('takes a device of before 3.5, which states no id and its data as a text', async () => {
      const { client } = await device(() => ({ error: 0, data: '{"otaUnlock":true}' }), ID);
      const { deviceid, otaUnlock } = await client.identify(options());
      assert.deepEqual([deviceid, otaUnlock, client.deviceid], [undefined, true, ID]);
    });

    for (const [what, react, known, code] of [
      ['one that says 404 to the id', accepting([undefined], { error: 404 }), 'ffffffffff', 'diy-other-device'],
      ['one that tells another id', () => ({ error: 0, data: INFO }), 'ffffffffff', 'diy-other-device'],
      [
        'one that tells no id and answers only to none',
        (_: string, body: object) => ('deviceid' in body ? { error: 422 } : { error: 0, data: { otaUnlock: false } }),
        ID,
        'diy-other-device',
      ],
      ['one that wants its id, which is not known', accepting([ID], { error: 404 }), undefined, 'diy-id-needed'],
      ['one in eWeLink mode', () => ({ error: 401 }), ID, 'diy-encrypted'],
      ['one that knows no DIY mode', () => ({ text: '<html></html>' }), ID, 'diy-stranger'],
      ['one that refuses whatever it is asked', () => ({ error: 422 }), ID, 'diy-refused'],
      ['one that loses every answer', () => 'reset' as const, undefined, 'diy-unreachable'],
    ] as const) {
      it(`refuses ${what} with ${code}`, async () => {
        const { client } = await device(react, known);
        await assert.rejects(client.identify(options()), { code });
        assert.equal(client.deviceid, known);
      });
    }

    it('asks a device in eWeLink mode, or another one, no second time', async () => {
      for (const error of [401, 404]) {
        const { client, server } = await device(() => ({ error }), ID);
        await assert.rejects(client.identify(options()));
        assert.equal(server.seen.length, 1);
      }
    });

    it('asks no second time what is no device in DIY mode, and names the one that was meant from then on', async () => {
      const { client, server } = await device(
        (command) => (command === 'info' ? { text: 'a page' } : { error: 0 }),
        ID,
      );
      await assert.rejects(client.identify(options()), {
        code: 'diy-stranger',
        values: { url: client.url, reason: wording('not-json') },
      });
      await client.send({ name: 'ota_unlock' }, options());
      assert.deepEqual(
        server.seen.map(({ command, body }) => [command, body['deviceid']]),
        [
          ['info', ID],
          ['ota_unlock', ID],
        ],
      );
    });

    it('names the one that was meant also where no id was understood, or another device answered', async () => {
      const others = { ...INFO, deviceid: '1000ffffff' };
      for (const [answer, code] of [
        [{ error: 422 }, 'diy-refused'],
        [{ error: 0, data: others }, 'diy-other-device'],
      ] as const) {
        const { client, server } = await device((command) => (command === 'info' ? answer : { error: 0 }), ID);
        await assert.rejects(client.identify(options()), { code });
        assert.equal(client.deviceid, ID);
        await client.send({ name: 'ota_unlock' }, options());
        assert.equal(server.seen.at(-1)?.body['deviceid'], ID);
      }
    });

    it('gives the limit of a request in the error', async () => {
      const client = new DiyClient('127.0.0.1', { port: await freePort(), deviceid: ID });
      await assert.rejects(client.identify(options(7000)), /within 7 s: nothing listens there/);
    });
  });
});
