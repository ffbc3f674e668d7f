import assert from 'node:assert/strict';
import { DERIVED_EVERY_MS, Throttle } from '../../lib/timing/throttle';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('timing/throttle', () => {
  let acted = 0;
  let throttle: Throttle;
  beforeEach(() => {
    timeStands();
    acted = 0;
    throttle = new Throttle(() => (acted += 1));
  });
  afterEach(timeGoesOn);

  it('acts immediately, then once for all calls of an interval', () => {
    throttle.call();
    assert.equal(acted, 1);
    for (let n = 0; n < 10; n++) throttle.call();
    timePasses(DERIVED_EVERY_MS - 1);
    assert.equal(acted, 1);
    timePasses(1);
    assert.equal(acted, 2);
    timePasses(DERIVED_EVERY_MS);
    assert.equal(acted, 2, 'nothing was called');
    throttle.call();
    assert.equal(acted, 3);
  });

  for (const [what, act, expected] of [
    ['stopped', () => throttle.stop(), 1],
    ['told to skip it', () => throttle.skip(), 1],
    ['flushed', () => throttle.flush(), 2],
  ] as const) {
    it(`acts ${expected === 2 ? 'immediately' : 'no more'} for what waits when it is ${what}`, () => {
      throttle.call();
      throttle.call();
      act();
      assert.equal(acted, expected);
      timePasses(DERIVED_EVERY_MS);
      assert.equal(acted, expected);
    });
  }

  it('has nothing to flush where nothing waits', () => {
    throttle.call();
    throttle.flush();
    assert.equal(acted, 1);
  });
});
