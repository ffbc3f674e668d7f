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

  it('has an interval of a quarter of a second where it is given none', () => {
    for (let n = 0; n < 2; n++) throttle.call();
    timePasses(249);
    assert.equal(acted, 1);
    timePasses(1);
    assert.equal(acted, 2);
  });

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

  it('acts never more than once in an interval, also right after one that was over', () => {
    for (let n = 0; n < 2; n++) throttle.call();
    timePasses(DERIVED_EVERY_MS);
    assert.equal(acted, 2);
    throttle.call();
    assert.equal(acted, 2, 'it has acted in this moment');
    timePasses(DERIVED_EVERY_MS);
    assert.equal(acted, 3);
  });

  it('acts immediately again once it was stopped or flushed, and keeps to its interval where it skips', () => {
    for (const [act, expected] of [
      [() => throttle.stop(), 1],
      [() => throttle.flush(), 1],
      [() => throttle.skip(), 0],
    ] as const) {
      timePasses(DERIVED_EVERY_MS);
      for (let n = 0; n < 2; n++) throttle.call();
      act();
      acted = 0;
      throttle.call();
      assert.equal(acted, expected);
      timePasses(DERIVED_EVERY_MS);
      assert.equal(acted, 1, 'what was dropped does not come later');
      throttle.stop();
    }
  });

  it('counts a new interval once it was stopped, whatever was left of the one before', () => {
    throttle.call();
    timePasses(DERIVED_EVERY_MS - 1);
    throttle.stop();
    throttle.call();
    assert.equal(acted, 2);
    timePasses(1);
    throttle.call();
    timePasses(DERIVED_EVERY_MS - 2);
    assert.equal(acted, 2);
    timePasses(1);
    assert.equal(acted, 3);
  });

  it('takes a call from within its own act for the next one', () => {
    throttle = new Throttle(() => {
      acted += 1;
      if (acted < 3) throttle.call();
    });
    throttle.call();
    assert.equal(acted, 1);
    timePasses(DERIVED_EVERY_MS);
    assert.equal(acted, 2);
    timePasses(DERIVED_EVERY_MS);
    assert.equal(acted, 3);
  });

  it('takes a call from within a flush for a new one', () => {
    throttle = new Throttle(() => {
      acted += 1;
      if (acted === 2) throttle.call();
    });
    for (let n = 0; n < 2; n++) throttle.call();
    throttle.flush();
    assert.equal(acted, 3);
  });

  it('has the interval that it is given, asked for each time where that is a function', () => {
    let intervalMs: number;
    for (const interval of [1000, () => intervalMs]) {
      acted = 0;
      intervalMs = 1000;
      throttle = new Throttle(() => (acted += 1), interval);
      for (let n = 0; n < 2; n++) throttle.call();
      timePasses(999);
      assert.equal(acted, 1);
      intervalMs = 50;
      timePasses(1);
      assert.equal(acted, 2);
      throttle.call();
      timePasses(50);
      assert.equal(acted, typeof interval === 'number' ? 2 : 3);
      throttle.stop();
    }
  });

  it('holds no process up', () => {
    timeGoesOn();
    throttle.call();
    assert.equal(throttle['timer']?.hasRef(), false);
    throttle.stop();
  });

  it('has nothing to flush where nothing waits', () => {
    throttle.call();
    throttle.flush();
    assert.equal(acted, 1);
  });
});
