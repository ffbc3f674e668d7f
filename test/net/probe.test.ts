import assert from 'node:assert/strict';
import { probeTcp } from '../../lib/net/probe';
import { closeAll, serve } from '../server/serving';

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

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(probeTcp('127.0.0.1', 1, { signal, limitMs: 60_000 }), { code: 'cancelled' });
    const controller = new AbortController();
    const probing = probeTcp('127.0.0.1', 1, { signal: controller.signal, limitMs: 60_000 });
    controller.abort();
    await assert.rejects(probing, { code: 'cancelled' });
  });
});
