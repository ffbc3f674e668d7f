import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { SharedReads } from '../../lib/firmware/shared-reads';
import { unlessAborted } from '../../lib/timing/unless-aborted';

describe('flash/shared-reads', () => {
  /** A read that ends on demand. */
  function slowReads(): { read: () => Promise<number>; end: (() => void)[] } {
    const end: (() => void)[] = [];
    const read = (): Promise<number> =>
      new Promise((resolve) => {
        const number = end.length + 1;
        end.push(() => resolve(number));
      });
    return { read, end };
  }

  it('shares one read among all who ask while another one is under way, and starts it afterwards', async () => {
    const reads = new SharedReads<number>();
    const { read, end } = slowReads();
    const first = reads.read('a', read);
    const others = [reads.read('a', read), reads.read('a', read)];
    assert.equal(end.length, 1, 'only one at a time');
    end[0]?.();
    assert.equal(await first, 1);
    await new Promise((resolve) => setImmediate(resolve));
    const late = reads.read('a', read);
    end[1]?.();
    assert.deepEqual(await Promise.all(others), [2, 2]);
    await new Promise((resolve) => setImmediate(resolve));
    end[2]?.();
    assert.equal(await late, 3, 'it had begun before this one asked');
    assert.equal(end.length, 3);
  });

  it('holds up neither another key nor what comes after a read that failed', async () => {
    const reads = new SharedReads<number>();
    const failed = reads.read('a', () => Promise.reject(new Error('no disk')));
    const next = reads.read('a', () => Promise.resolve(7));
    assert.equal(await reads.read('b', () => Promise.resolve(8)), 8);
    await assert.rejects(failed, /no disk/);
    assert.equal(await next, 7);
  });
});

describe('timing/unless-aborted', () => {
  it('gives what the work gives, throws what it throws, and lets the signal go', async () => {
    const { signal } = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
    await assert.rejects(unlessAborted(Promise.reject(new Error('it failed')), signal), /it failed/);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('does not wait longer than its signal', async () => {
    const controller = new AbortController();
    const waiting = unlessAborted(new Promise(() => undefined), controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await assert.rejects(unlessAborted(Promise.resolve(1), controller.signal), /enough/);
  });
});
