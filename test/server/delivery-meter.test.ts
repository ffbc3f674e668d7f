import assert from 'node:assert/strict';
import { DeliveryMeter, LOOK_MS } from '../../lib/server/delivery-meter';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('server/delivery-meter', () => {
  afterEach(timeGoesOn);

  /** A meter in a time that stands, with what it tells, and with what its kernel answers. */
  function standing(total: number, held: number | undefined, stallLimitMs = 1000) {
    timeStands(['setInterval', 'setTimeout']);
    const told: unknown[] = [];
    const kernel = { held };
    let now = 5000;
    const meter = new DeliveryMeter(total, {
      unacknowledged: () => kernel.held,
      stallLimitMs,
      forward: (...range) => told.push(range),
      stalled: (at) => told.push(at),
      now: () => now,
    });
    const pass = (ms: number): void => {
      for (let left = ms; left > 0; left -= LOOK_MS) {
        now += Math.min(left, LOOK_MS);
        timePasses(Math.min(left, LOOK_MS));
      }
    };
    return { meter, kernel, told, pass };
  }

  it('looks ten times a second at what was acknowledged, and tells each piece once', () => {
    const { meter, kernel, told, pass } = standing(1000, 600);
    assert.equal(LOOK_MS, 100);
    meter.handedOver(600);
    assert.deepEqual([told, meter.position], [[], 0]);
    kernel.held = 200;
    pass(99);
    assert.deepEqual(told, []);
    pass(1);
    assert.deepEqual([told, meter.position], [[[0, 400]], 400]);
    pass(300);
    kernel.held = 0;
    meter.handedOver(1000);
    assert.deepEqual(told, [
      [0, 400],
      [400, 1000],
    ]);
    assert.equal(meter.delivered, true);
    meter.stop();
  });

  it('reports a stall after each time in which nothing went forward, and none once all has arrived', () => {
    const { meter, kernel, told, pass } = standing(1000, 1000);
    meter.handedOver(1000);
    pass(900);
    kernel.held = 400;
    pass(100);
    assert.deepEqual(told, [[0, 600]]);
    pass(900);
    assert.equal(told.length, 1);
    pass(100);
    assert.deepEqual(told.slice(1), [600]);
    pass(900);
    assert.equal(told.length, 2);
    pass(100);
    assert.deepEqual(told.slice(2), [600]);
    kernel.held = 0;
    pass(100);
    assert.deepEqual(told.slice(3), [[600, 1000]]);
    pass(60_000);
    assert.equal(told.length, 4);
    meter.stop();
  });

  it('keeps what was known when the connection is gone', () => {
    const { meter, kernel, told, pass } = standing(1000, 400);
    meter.handedOver(600);
    kernel.held = undefined;
    meter.handedOver(1000);
    pass(60_000);
    assert.deepEqual([told, meter.position, meter.delivered, meter.tells], [[[0, 200]], 200, false, true]);
    meter.stop();
  });

  it('takes what was handed over for what has arrived where the kernel tells nothing, and never for delivered', () => {
    const { meter, told, pass } = standing(1000, undefined);
    meter.handedOver(600);
    pass(1000);
    meter.handedOver(1000);
    assert.deepEqual(told, [[0, 600], 600, [600, 1000]]);
    assert.deepEqual([meter.position, meter.delivered, meter.tells], [1000, false, false]);
    meter.stop();
  });

  it('looks no more once it is stopped', () => {
    const { meter, kernel, told, pass } = standing(1000, 600);
    meter.handedOver(600);
    meter.stop();
    kernel.held = 0;
    pass(60_000);
    assert.deepEqual(told, []);
  });

  /** A meter whose kernel takes so long for its answer; `asked` counts. */
  function meterOf(
    total: number,
    answerMs: number,
  ): { meter: DeliveryMeter; asked: () => number; pass: (ms: number) => void } {
    let [now, asked] = [0, 0];
    const meter = new DeliveryMeter(total, {
      unacknowledged: () => {
        asked += 1;
        now += answerMs;
        return 0;
      },
      stallLimitMs: Infinity,
      forward: () => undefined,
      stalled: () => undefined,
      now: () => now,
    });
    return { meter, asked: () => asked, pass: (ms) => (now += ms) };
  }

  it('asks a kernel that answers slowly less often, but always for the last byte', () => {
    const { meter, asked, pass } = meterOf(1000, 50);
    try {
      const before = asked();
      for (let at = 100; at < 1000; at += 100) meter.handedOver(at);
      assert.equal(asked() - before, 1);
      assert.equal(meter.position, 100);
      // It rests for four times as long as the answer took, counted from the answer.
      pass(4 * 50 - 1);
      meter.handedOver(920);
      assert.equal(meter.position, 100);
      pass(1);
      meter.handedOver(950);
      assert.equal(meter.position, 950);
      meter.handedOver(1000);
      assert.equal(asked() - before, 3);
      assert.ok(meter.delivered);
    } finally {
      meter.stop();
    }
  });

  it('asks one that answers immediately after every part', () => {
    const { meter, asked } = meterOf(1000, 0);
    try {
      const before = asked();
      for (let at = 100; at <= 1000; at += 100) meter.handedOver(at);
      assert.equal(asked() - before, 10);
    } finally {
      meter.stop();
    }
  });
});
