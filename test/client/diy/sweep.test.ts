import assert from 'node:assert/strict';
import { neighbours, sweep, type Swept } from '../../../lib/client/diy/sweep';
import { useHttpServers } from '../../shared/http-server';
import { StrictDiyServer } from './strict-server';

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

  it('finds nothing in the server of something else', async () => {
    const url = new URL(await serve((_, response) => response.end('{"error":401}')));
    assert.deepEqual(await sweepLoopback(Number(url.port)), []);
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
