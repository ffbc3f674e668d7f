import assert from 'node:assert/strict';
import net, { Socket } from 'node:net';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { probeTcp } from '../../lib/net/probe';
import { closeAll, serve } from '../server/serving';
import { assertLeavesNothing } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const options = (limitMs = 60_000) => ({ signal: new AbortController().signal, limitMs });

describe('probeTcp', () => {
  afterEach(closeAll);

  it('distinguishes an open port from a closed one', async () => {
    const port = await serve({ handle: () => undefined });
    assert.equal(await probeTcp('127.0.0.1', port, options()), 'accepted');
    await closeAll();
    assert.equal(await probeTcp('127.0.0.1', port, options()), 'refused');
  });

  it('calls it silent when no route leads there', async () => {
    // TCP knows no broadcast: the kernel itself says no, and sends nothing.
    assert.equal(await probeTcp('255.255.255.255', 80, options()), 'silent');
  });

  describe('while nothing answers', () => {
    let dialled: Socket;
    let to: unknown;
    beforeEach(() => {
      // Whatever this machine dials answers, or has no way there.
      dialled = new Socket();
      mock.method(net, 'connect', (where: unknown) => ((to = where), dialled));
    });
    afterEach(() => {
      mock.restoreAll();
      timeGoesOn();
    });

    it('waits as long as it may, and gives the connection up', async () => {
      timeStands(['setTimeout']);
      let result: string | undefined;
      const probing = probeTcp('192.0.2.1', 8081, options(1500)).then((known) => (result = known));
      assert.deepEqual(to, { host: '192.0.2.1', port: 8081 });
      timePasses(1499);
      await nextTurn();
      assert.deepEqual([result, dialled.destroyed], [undefined, false]);
      timePasses(1);
      assert.equal(await probing, 'silent');
      assert.equal(dialled.destroyed, true);
    });

    for (const [code, result] of [
      ['ECONNRESET', 'refused'],
      ['ECONNREFUSED', 'refused'],
      ['EHOSTUNREACH', 'silent'],
      ['ETIMEDOUT', 'silent'],
    ] as const) {
      it(`calls it ${result} where the connection ends with ${code}`, async () => {
        const probing = probeTcp('192.0.2.1', 8081, options());
        dialled.destroy(Object.assign(new Error('no'), { code }));
        assert.equal(await probing, result);
      });
    }
  });

  it('leaves nothing behind, whatever is there', async () => {
    const port = await serve({ handle: () => undefined });
    await assertLeavesNothing((signal) => probeTcp('127.0.0.1', port, { signal, limitMs: 60_000 }));
    await closeAll();
    await assertLeavesNothing((signal) => probeTcp('127.0.0.1', port, { signal, limitMs: 60_000 }));
  });

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(probeTcp('127.0.0.1', 1, { signal, limitMs: 60_000 }), { code: 'cancelled' });
    const controller = new AbortController();
    const probing = probeTcp('127.0.0.1', 1, { signal: controller.signal, limitMs: 60_000 });
    controller.abort();
    await assert.rejects(probing, { code: 'cancelled' });
  });
});
