import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { createServer, type Server, type Socket } from 'node:net';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { neighbours, sweep, type Swept } from '../../../lib/client/diy/sweep';
import { useHttpServers } from '../../shared/http-server';
import { freePort } from '../../shared/ports';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';
import { StrictDiyServer } from './strict-server';

/** 40 addresses: as many as are asked at a time, and some of the next group. */
const HOSTS = Array.from({ length: 40 }, (_, index) => `127.0.0.${index + 1 < 34 ? index + 1 : index + 2}`);
const LIMITS = { limitMs: 600_000, signal: new AbortController().signal };

describe('client/diy/sweep', () => {
  const { serve } = useHttpServers();

  /** 127.0.0.1 is the only address at which a port is open, as seen from 127.0.0.2. */
  async function sweepLoopback(port: number): Promise<Swept[]> {
    const found: Swept[] = [];
    for await (const one of sweep({ address: '127.0.0.2', netmask: '255.255.255.252' }, { ...LIMITS, port }))
      found.push(one);
    return found;
  }

  for (const [what, answer, info] of [
    ['a device in DIY mode', { error: 0, data: { deviceid: '1000e4c17c', fwVersion: '3.6.0' } }, '3.6.0'],
    ['a device in eWeLink mode', { error: 401 }, undefined],
    ['a device that knows no DIY commands', { text: '<html></html>' }, undefined],
  ] as const) {
    it(`finds ${what}`, async () => {
      const server = new StrictDiyServer(() => answer);
      const found = await sweepLoopback(await server.listen());
      await server.close();
      assert.deepEqual(
        found.map((one) => [one.address, one.info?.fwVersion]),
        [['127.0.0.1', info]],
      );
    });
  }

  it('asks 32 addresses at a time, and reports what is there in their order', async () => {
    const port = await freePort();
    const servers: Server[] = [];
    const waiting: (() => void)[] = [];
    const groups: number[] = [];
    // 40 devices, of which each answers when all of its group have been asked.
    const answer = async (socket: Socket): Promise<void> => {
      waiting.push(() => socket.end('HTTP/1.1 200 OK\r\n\r\n{"error":0,"data":{}}'));
      const asked = groups.reduce((one, other) => one + other, 0) + waiting.length;
      if (asked !== 32 && asked !== 40) return;
      // Time for one that should not be asked yet.
      for (let turns = 0; turns < 50; turns += 1) await nextTurn();
      groups.push(waiting.length);
      for (const end of waiting.splice(0)) end();
    };
    try {
      for (const host of HOSTS) {
        const server = createServer((socket) =>
          socket.on('error', () => undefined).once('data', () => void answer(socket)),
        );
        servers.push(server.listen(port, host));
        await once(server, 'listening');
      }
      const found: string[] = [];
      const network = { address: '127.0.0.34', netmask: '255.255.255.128' };
      for await (const { address } of sweep(network, { ...LIMITS, port })) found.push(address);
      assert.deepEqual(found, HOSTS);
      assert.deepEqual(groups, [32, 8]);
    } finally {
      for (const server of servers) server.close();
    }
  });

  it('finds nothing in the server of something else', async () => {
    const url = new URL(await serve((_, response) => response.end('{"error":401}')));
    assert.deepEqual(await sweepLoopback(Number(url.port)), []);
  });

  it('waits 1.5 s for an address that does not answer at all', async () => {
    const dialled = new net.Socket();
    mock.method(net, 'connect', () => dialled);
    timeStands(['setTimeout']);
    try {
      let isOver = false;
      const asking = sweep({ address: '127.0.0.2', netmask: '255.255.255.252' }, LIMITS).next();
      void asking.then(() => (isOver = true));
      await nextTurn();
      timePasses(1499);
      await nextTurn();
      assert.equal(isOver, false);
      timePasses(1);
      assert.deepEqual(await asking, { done: true, value: undefined });
    } finally {
      timeGoesOn();
      mock.restoreAll();
    }
  });

  it('gives up a device that has no answer when its time is over', async () => {
    let runsOut: (() => void) | undefined;
    const server = new StrictDiyServer(() => {
      setImmediate(() => runsOut?.());
      return 'hang';
    });
    const options = { ...LIMITS, limitMs: 599_000, port: await server.listen() };
    const { setTimeout: real } = globalThis;
    const timers = mock.method(globalThis, 'setTimeout', (act: () => void, ms?: number) => {
      if (ms === options.limitMs) runsOut = act;
      return real(act, ms);
    });
    try {
      for await (const { address } of sweep({ address: '127.0.0.2', netmask: '255.255.255.252' }, options))
        assert.fail(address);
    } finally {
      timers.mock.restore();
    }
    assert.equal(server.seen.length, 1);
    await server.close();
  });

  it('asks the addresses around one’s own, of a large network those of its /24', () => {
    const home = neighbours({ address: '192.168.1.5', netmask: '255.255.255.0' });
    assert.deepEqual(
      [home.length, home[0], home[4], home.at(-1)],
      [253, '192.168.1.1', '192.168.1.6', '192.168.1.254'],
    );
    assert.deepEqual(neighbours({ address: '10.1.2.3', netmask: '255.0.0.0' }).length, 253);
    assert.deepEqual(neighbours({ address: '192.168.1.131', netmask: '255.255.255.248' }), [
      '192.168.1.129',
      '192.168.1.130',
      '192.168.1.132',
      '192.168.1.133',
      '192.168.1.134',
    ]);
    assert.deepEqual(neighbours({ address: '192.168.1.131', netmask: '255.255.255.255' }), []);
  });

  it('asks many at a time without a warning of Node.js', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', onWarning);
    const options = { ...LIMITS, signal: new AbortController().signal, port: 1 };
    for await (const one of sweep({ address: '127.0.0.2', netmask: '255.255.255.192' }, options))
      assert.fail(one.address);
    process.off('warning', onWarning);
    assert.deepEqual(warnings, []);
  });

  it('asks no network but one at home', async () => {
    const asking = sweep({ address: '203.0.113.5', netmask: '255.255.255.0' }, LIMITS).next();
    await assert.rejects(asking, TypeError);
  });

  it('ends when it is cancelled while a device is silent', async () => {
    const controller = new AbortController();
    const server = new StrictDiyServer(() => {
      controller.abort();
      return 'hang';
    });
    const options = { ...LIMITS, port: await server.listen(), signal: controller.signal };
    const asking = sweep({ address: '127.0.0.2', netmask: '255.255.255.252' }, options).next();
    await assert.rejects(asking, { code: 'cancelled' });
    await server.close();
  });

  it('ends when it is cancelled', async () => {
    const options = { limitMs: 1000, signal: AbortSignal.abort() };
    const asking = sweep({ address: '127.0.0.2', netmask: '255.255.255.252' }, options).next();
    await assert.rejects(asking, { code: 'cancelled' });
  });
});
