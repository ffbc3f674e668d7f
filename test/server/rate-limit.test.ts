import assert from 'node:assert/strict';
import { PeerRates, RateLimit } from '../../lib/server/rate-limit';

describe('RateLimit', () => {
  it('lets so many through in one burst, and then one after each part of a second', () => {
    let now = 1_000_000;
    const rate = new RateLimit({ perSecond: 5, now: () => now });
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map(() => rate.take()),
      [0, 0, 0, 0, 0, undefined],
    );
    now += 199;
    assert.equal(rate.take(), undefined);
    now += 1;
    assert.deepEqual([rate.take(), rate.take()], [0, undefined]);
    now += 60_000;
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6].map(() => rate.take()),
      [0, 0, 0, 0, 0, undefined],
    );
  });

  it('lets one through at once, however long the next must wait', () => {
    let now = 0;
    const rate = new RateLimit({ perSecond: 0.5, now: () => now });
    assert.deepEqual([rate.take(), rate.take()], [0, undefined]);
    now = 1999;
    assert.equal(rate.take(), undefined);
    now = 2000;
    assert.equal(rate.take(), 0);
  });

  it('puts off what comes too early, as long as that is worth while', () => {
    let now = 0;
    const rate = new RateLimit({ perSecond: 2, longestWaitMs: 1000, now: () => now });
    assert.deepEqual(
      [1, 2, 3, 4, 5].map(() => rate.take()),
      [0, 0, 500, 1000, undefined],
    );
    now = 400;
    assert.equal(rate.take(), undefined);
    now = 500;
    assert.equal(rate.take(), 1000);
  });

  it('counts each peer for itself, and does not remember them all', () => {
    const rates = new PeerRates({ perSecond: 1, now: () => 0 });
    assert.deepEqual([rates.take('a'), rates.take('a'), rates.take('b')], [0, undefined, 0]);
    for (let peer = 0; peer < 1000; peer += 1) rates.take(String(peer));
    assert.deepEqual([rates.take('999'), rates.take('a')], [undefined, 0]);
    // One that keeps coming is not the one that came longest ago.
    for (let peer = 1000; peer < 2999; peer += 1) {
      rates.take(String(peer));
      assert.equal(rates.take('a'), undefined);
    }
  });
});
