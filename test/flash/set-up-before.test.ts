import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { dialsUs } from '../../lib/flash/stage/set-up-before';
import type { StageContext } from '../../lib/flash/run/task';
import type { StageHost } from '../../lib/flash/stage/stage-host';

const DEVICE = '1000a1b2c3';

describe('flash/stage/set-up-before', () => {
  /** The wait for a device that has asked for its server, or has a session, once that is so. */
  function waiting(isResuming: boolean) {
    const said: unknown[] = [];
    const job = { deviceid: DEVICE, isResuming: (stage: string) => isResuming && stage === 'provision' };
    const report = (...what: unknown[]): void => void said.push(what);
    const context = { job, report } as unknown as StageContext;
    const known = { dispatched: undefined as string | undefined, connected: undefined as string | undefined };
    const devices = Object.assign(new EventEmitter(), {
      get: (id: string) => (id === known.connected ? {} : undefined),
      lastDispatch: (id: string) => (id === known.dispatched ? {} : undefined),
    });
    let isOver = false;
    const found = dialsUs(context, { devices } as unknown as StageHost, new AbortController().signal);
    void found.then(() => (isOver = true));
    return { found, devices, known, said, isOver: () => isOver };
  }

  const SET_UP = ['already-set-up', { deviceid: DEVICE }, { fraction: 0.9 }];

  it('takes the first question of a device for its set-up, where a restart broke into that', async () => {
    const { found, devices, known, said } = waiting(true);
    known.dispatched = DEVICE;
    devices.emit('dispatched');
    assert.deepEqual(await found, { before: { deviceid: DEVICE, answer: 'dialled-in' } });
    assert.deepEqual(said, [SET_UP]);
  });

  it('waits for its session otherwise', async () => {
    const { found, devices, known, said, isOver } = waiting(false);
    known.dispatched = DEVICE;
    devices.emit('dispatched');
    await nextTurn();
    assert.deepEqual([isOver(), said], [false, []]);
    known.connected = DEVICE;
    devices.emit('ready');
    assert.deepEqual(await found, { before: { deviceid: DEVICE, answer: 'dialled-in' } });
  });
});
