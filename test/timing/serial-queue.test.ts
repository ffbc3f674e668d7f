import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SerialQueue } from '../../lib/timing/serial-queue';

describe('timing/serial-queue', () => {
  it('runs one step at a time, in the order of the calls, and gives each caller the outcome of its own', async () => {
    const queue = new SerialQueue();
    const begun: string[] = [];
    const ends = new Map<string, (error?: Error) => void>();
    const run = (name: string): Promise<string> =>
      queue.run(
        () =>
          new Promise((resolve, reject) => {
            begun.push(name);
            ends.set(name, (error) => (error ? reject(error) : resolve(`${name} is over`)));
          }),
      );
    const [a, b, c] = [run('a'), run('b'), run('c')];
    await nextTurn();
    assert.deepEqual(begun, ['a']);
    ends.get('a')?.();
    assert.equal(await a, 'a is over');
    await nextTurn();
    assert.deepEqual(begun, ['a', 'b']);
    ends.get('b')?.(new Error('b failed'));
    await assert.rejects(b, /b failed/);
    await nextTurn();
    assert.deepEqual(begun, ['a', 'b', 'c'], 'one that fails keeps none from running');
    ends.get('c')?.();
    assert.equal(await c, 'c is over');
  });

  it('fails for its own caller alone where a step throws before it waits', async () => {
    const queue = new SerialQueue();
    const failed = queue.run(() => {
      throw new Error('it failed');
    });
    const next = queue.run(() => Promise.resolve(1));
    await assert.rejects(failed, /it failed/);
    assert.equal(await next, 1);
  });

  it('runs what a step asks for behind all that was asked for before', async () => {
    const queue = new SerialQueue();
    const order: string[] = [];
    let inner: Promise<unknown> | undefined;
    const first = queue.run(async () => {
      inner = queue.run(async () => order.push('asked for by the first'));
      await nextTurn();
      order.push('first');
    });
    await Promise.all([first, queue.run(async () => order.push('second'))]);
    await inner;
    assert.deepEqual(order, ['first', 'second', 'asked for by the first']);
  });
});
