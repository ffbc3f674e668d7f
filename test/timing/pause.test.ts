import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pause } from '../../lib/timing/pause';
import { assertLeavesNothing } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('timing/pause', () => {
  afterEach(timeGoesOn);

  it('lasts as long as it is to', async () => {
    timeStands(['setTimeout']);
    let isOver = false;
    const paused = pause(5000, new AbortController().signal).then(() => (isOver = true));
    timePasses(4999);
    await nextTurn();
    assert.equal(isOver, false);
    timePasses(1);
    await paused;
  });

  it('ends with its signal, for the reason of that, and leaves nothing', async () => {
    const controller = new AbortController();
    const paused = pause(60_000, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(paused, reason);
    await assert.rejects(pause(60_000, controller.signal), reason);
    await assertLeavesNothing(async (outer) => {
      const own = new AbortController();
      const ended = pause(60_000, AbortSignal.any([outer, own.signal]));
      own.abort(reason);
      await ended;
    });
    await assertLeavesNothing((signal) => pause(0, signal));
  });
});
