import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { dialsUs } from '../../lib/flash/stage/set-up-before';
import type { StageContext } from '../../lib/flash/run/task';
import type { StageHost } from '../../lib/flash/stage/stage-host';

const DEVICE = '1000a1b2c3';

describe('flash/stage/set-up-before', () => {
  it('takes the first question of a device for its set-up, where a restart broke into that', async () => {
    const { signal } = new AbortController();
    const job = { deviceid: DEVICE, isResuming: () => true };
    const context = { job, report: () => undefined } as unknown as StageContext;
    let hasAsked = false;
    const devices = Object.assign(new EventEmitter(), {
      get: () => undefined,
      lastDispatch: () => (hasAsked ? {} : undefined),
    });
    const found = dialsUs(context, { devices } as unknown as StageHost, signal);
    hasAsked = true;
    devices.emit('dispatched');
    assert.deepEqual(await found, { before: { deviceid: DEVICE, answer: 'dialled-in' } });
  });
});
