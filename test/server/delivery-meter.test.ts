import assert from 'node:assert/strict';
import { DeliveryMeter } from '../../lib/server/delivery-meter';

describe('server/delivery-meter', () => {
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
      pass(4 * 50);
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
