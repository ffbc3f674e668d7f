import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inTurn } from '../../../lib/client/diy/turns';
import { assertRefused } from '../../shared/refusal';

describe('client/diy/turns', () => {
  it('starts no work with a device at which other work is, also behind one that was cancelled while it waited', async () => {
    const key = 'http://192.0.2.7:8081';
    const { signal } = new AbortController();
    const cancelled = new AbortController();
    const done: string[] = [];
    let end = (): void => undefined;
    const isOver = new Promise<void>((resolve) => (end = resolve));
    const first = inTurn(key, signal, () => isOver.then(() => done.push('first')));
    const second = inTurn(key, cancelled.signal, () => Promise.resolve(done.push('second')));
    cancelled.abort();
    await assertRefused(second, 'cancelled');
    const third = inTurn(key, signal, () => Promise.resolve(done.push('third')));
    await nextTurn();
    assert.deepEqual(done, []);
    end();
    await Promise.all([first, third]);
    assert.deepEqual(done, ['first', 'third']);
  });
});
