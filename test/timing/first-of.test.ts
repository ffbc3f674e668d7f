import assert from 'node:assert/strict';
import { firstOf } from '../../lib/timing/first-of';

describe('timing/first-of', () => {
  const NEVER = new AbortController().signal;
  /** A work that ends on demand, and the signal that it was given. */
  class Work {
    signal: AbortSignal | undefined;
    end: (value: string) => void = assert.fail;
    fail: (error: Error) => void = assert.fail;
    readonly run = (signal: AbortSignal): Promise<string> => {
      this.signal = signal;
      return new Promise((resolve, reject) => ([this.end, this.fail] = [resolve, reject]));
    };
  }

  it('begins all works, and ends with the first that does, which ends the others', async () => {
    const [one, other] = [new Work(), new Work()];
    const first = firstOf(NEVER, [one.run, other.run]);
    assert.deepEqual([one.signal?.aborted, other.signal?.aborted], [false, false]);
    other.end('other');
    assert.equal(await first, 'other');
    assert.equal(one.signal?.aborted, true);
    one.fail(new Error('it was ended'));
  });

  it('fails with the first, and ends the others', async () => {
    const [one, other] = [new Work(), new Work()];
    const first = firstOf(NEVER, [one.run, other.run]);
    one.fail(new Error('it failed'));
    await assert.rejects(first, /it failed/);
    assert.equal(other.signal?.aborted, true);
    other.end('too late');
  });

  it('lets its works know of the end of the outer signal, and ends that for no one', async () => {
    const outer = new AbortController();
    const [one, other] = [new Work(), new Work()];
    const first = firstOf(outer.signal, [one.run, other.run]);
    const reason = new Error('enough');
    outer.abort(reason);
    assert.deepEqual([one.signal?.reason, other.signal?.reason], [reason, reason]);
    one.fail(reason);
    await assert.rejects(first, reason);
    const open = new AbortController();
    assert.equal(await firstOf(open.signal, [() => Promise.resolve('one')]), 'one');
    assert.equal(open.signal.aborted, false);
  });
});
