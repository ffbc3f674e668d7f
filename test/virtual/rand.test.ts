import assert from 'node:assert/strict';
import { NewlibRand } from '../../lib/virtual/device/rand';

describe('virtual Sonoff: rand()', () => {
  it('gives the numbers that were logged in the field, and the dispatch its 933', () => {
    const rand = new NewlibRand();
    const expected = [
      1481765933, 1085377743, 1270216262, 1191391529, 812669700, 553475508, 445349752, 1344887256, 730417256,
      1812158119, 147699711,
    ];
    assert.deepEqual(
      expected.map(() => rand.next()),
      expected,
    );
    assert.equal(rand.position, expected.length);
    assert.equal(new NewlibRand().next() % 1000, 933);
  });
});
