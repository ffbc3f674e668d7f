import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GAP_MS, inTurn } from '../../../lib/client/diy/turns';
import { assertRefused } from '../../shared/refusal';
import { timeGoesOn, timePasses, timeStands } from '../../shared/standing-time';

describe('client/diy/turns', () => {
  afterEach(timeGoesOn);

  it('leaves a device its pause between two requests, also behind one that failed, and no other device', async () => {
    timeStands(['setTimeout']);
    let now = 50_000;
    const clock = mock.method(performance, 'now', () => now);
    try {
      const { signal } = new AbortController();
      const events: string[] = [];
      const begin = (device: number, what: string): Promise<unknown> =>
        inTurn(`http://192.0.2.${device}:8081`, signal, () => Promise.resolve(events.push(what)));
      const failing = inTurn('http://192.0.2.8:8081', signal, () => Promise.reject(new Error('it hung up')));
      const next = begin(8, 'next');
      await assert.rejects(failing, /it hung up/);
      await begin(9, 'other');
      await nextTurn();
      timePasses(GAP_MS - 1);
      await nextTurn();
      assert.deepEqual(events, ['other']);
      timePasses(1);
      await next;
      now += GAP_MS;
      await begin(8, 'without a pause');
      assert.deepEqual(events, ['other', 'next', 'without a pause']);
    } finally {
      clock.mock.restore();
    }
  });

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
