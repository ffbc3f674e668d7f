import assert from 'node:assert/strict';
import { ReportThrottle } from '../../lib/flash/run/report-throttle';
import type { Report } from '../../lib/flash/run/report';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const report = (percent: number): Report => ({ text: 'downloads', percent }) as Report;

describe('flash/report-throttle', () => {
  beforeEach(() => timeStands());
  afterEach(timeGoesOn);

  function throttle(): { throttle: ReportThrottle; told: number[] } {
    const told: number[] = [];
    return { throttle: new ReportThrottle(({ percent }) => told.push(percent)), told };
  }

  it('reports the first immediately, and of those within a quarter of a second the newest', () => {
    const { throttle: one, told } = throttle();
    for (const percent of [1, 2, 3]) one.push(report(percent));
    assert.deepEqual(told, [1]);
    timePasses(249);
    assert.deepEqual(told, [1]);
    timePasses(1);
    assert.deepEqual(told, [1, 3]);
    one.push(report(4));
    timePasses(249);
    assert.deepEqual(told, [1, 3], 'the next quarter began with what was held back');
    timePasses(1);
    assert.deepEqual(told, [1, 3, 4]);
    timePasses(1000);
    assert.deepEqual(told, [1, 3, 4], 'each once');
  });

  it('reports immediately after a quarter of a second of silence, and the same thing once', () => {
    const { throttle: one, told } = throttle();
    one.push(report(1));
    timePasses(250);
    one.push(report(1));
    one.push(report(2));
    assert.deepEqual(told, [1, 2]);
  });

  for (const other of [
    { text: 'another' },
    { details: 'more' },
    { percent: 2 },
    { warning: 'device-silent' },
  ] as const) {
    it(`takes a report for another one that differs in its ${Object.keys(other)[0]} alone`, () => {
      const told: Report[] = [];
      const one = new ReportThrottle((report) => told.push(report));
      const first = { ...report(1), details: 'what does not fit' };
      const second = { ...first, ...other };
      one.push(first);
      timePasses(250);
      one.push({ ...first, values: { deviceid: '1' } });
      one.push(second);
      assert.deepEqual(told, [first, second]);
    });
  }

  it('reports the last at the end, where it is held back or all went well, and nothing after it', () => {
    const { throttle: failed, told } = throttle();
    for (const percent of [1, 2]) failed.push(report(percent));
    failed.close(false);
    assert.deepEqual(told, [1, 2]);
    failed.push(report(3));
    failed.repeatLast();
    timePasses(250);
    assert.deepEqual(told, [1, 2]);
    const { throttle: said, told: toldOnce } = throttle();
    said.push(report(1));
    said.close(false);
    assert.deepEqual(toldOnce, [1]);
    const { throttle: well, told: toldTwice } = throttle();
    well.push(report(1));
    well.close(true);
    timePasses(1000);
    assert.deepEqual(toldTwice, [1, 1]);
    failed.close(false);
    assert.deepEqual(told, [1, 2], 'once');
  });

  it('says the newest once more to a listener that comes later', () => {
    const { throttle: one, told } = throttle();
    one.repeatLast();
    one.push(report(1));
    timePasses(250);
    one.repeatLast();
    assert.deepEqual(told, [1, 1]);
  });
});
