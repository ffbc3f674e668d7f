import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { TimeIsOver, withinLimit } from '../../lib/timing/time-limit';
import { assertLeavesNothing } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const OVER = new FlashError('wifi-lost');
const CANCELLED = new FlashError('cancelled');

/** Waits until it is aborted, as every wait does. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}

describe('timing/time-limit', () => {
  const NEVER = new AbortController().signal;
  let asked: number;
  const limit = { seconds: 2, whenOver: () => ((asked += 1), OVER) };
  beforeEach(() => (asked = 0));
  afterEach(timeGoesOn);

  it('ends a wait when its time is over, and not before, with the error that is asked for then', async () => {
    timeStands(['setTimeout']);
    let signal: AbortSignal | undefined;
    const waited = withinLimit(NEVER, limit, (own) => untilAborted((signal = own)));
    timePasses(1999);
    assert.deepEqual([signal?.aborted, asked], [false, 0]);
    timePasses(1);
    assert.equal(signal?.aborted, true);
    assert.ok(signal.reason instanceof TimeIsOver);
    await assert.rejects(waited, OVER);
    assert.equal(asked, 1);
  });

  it('holds back while something is on the wire, and looks again each second', async () => {
    timeStands(['setTimeout']);
    let isBusy = true;
    let signal: AbortSignal | undefined;
    const waited = withinLimit(NEVER, { ...limit, isBusy: () => isBusy }, (own) => untilAborted((signal = own)));
    timePasses(2000);
    for (let seconds = 0; seconds < 3; seconds += 1) timePasses(1000);
    assert.equal(signal?.aborted, false);
    isBusy = false;
    timePasses(999);
    assert.equal(signal.aborted, false);
    timePasses(1);
    assert.equal(signal.aborted, true);
    await assert.rejects(waited, OVER);
  });

  it('gives what the work gives, also where that comes after its time', async () => {
    timeStands(['setTimeout']);
    assert.equal(await withinLimit(NEVER, limit, () => Promise.resolve('early')), 'early');
    const late = withinLimit(NEVER, limit, async (signal) => {
      await untilAborted(signal).catch(() => undefined);
      return 'late';
    });
    timePasses(2000);
    assert.equal(await late, 'late');
    assert.equal(asked, 0);
  });

  it('is over with its work: its time does not run out any more, nor is a timer left', async () => {
    timeStands(['setTimeout']);
    const signals: AbortSignal[] = [];
    await withinLimit(NEVER, { ...limit, isBusy: () => assert.fail() }, async (signal) => signals.push(signal));
    await assert.rejects(
      withinLimit(NEVER, limit, (signal) => (signals.push(signal), Promise.reject(CANCELLED))),
      CANCELLED,
    );
    timePasses(10_000);
    assert.deepEqual(
      signals.map(({ aborted }) => aborted),
      [false, false],
    );
    timeGoesOn();
    await assertLeavesNothing((signal) => withinLimit(signal, limit, () => Promise.resolve()));
    await assertLeavesNothing((signal) => withinLimit(signal, limit, () => Promise.reject(CANCELLED)));
  });

  it('ends with its outer signal, for the reason of that', async () => {
    for (const reason of [CANCELLED, new Error('the host closes')]) {
      const outer = new AbortController();
      const waited = withinLimit(outer.signal, limit, untilAborted);
      outer.abort(reason);
      await assert.rejects(waited, reason);
    }
    assert.equal(asked, 0);
    const aborted = AbortSignal.abort(CANCELLED);
    await assert.rejects(
      withinLimit(aborted, limit, (signal) => Promise.reject(new Error(`aborted: ${signal.aborted}`))),
      CANCELLED,
    );
  });

  it('throws what the work throws, also when its time is over, where that knows better', async () => {
    timeStands(['setTimeout']);
    const odd = new Error('a fault');
    await assert.rejects(
      withinLimit(NEVER, limit, () => Promise.reject(odd)),
      odd,
    );
    const better = new FlashError('device-silent', { deviceid: '1' });
    const waited = withinLimit(NEVER, limit, (signal) => untilAborted(signal).catch(() => Promise.reject(better)));
    timePasses(2000);
    await assert.rejects(waited, better);
    assert.equal(asked, 0);
  });

  it('takes what is thrown for the end of the time where the end of the time has caused it', async () => {
    timeStands(['setTimeout']);
    const waited = withinLimit(NEVER, limit, (signal) =>
      untilAborted(signal).catch(() => Promise.reject(new Error('the socket was destroyed'))),
    );
    timePasses(2000);
    await assert.rejects(waited, OVER);
  });

  it('is over for lack of time where its outer signal is aborted only afterwards', async () => {
    timeStands(['setTimeout']);
    const outer = new AbortController();
    const waited = withinLimit(outer.signal, limit, (signal) =>
      untilAborted(signal).finally(() => outer.abort(CANCELLED)),
    );
    timePasses(2000);
    await assert.rejects(waited, OVER);
  });
});
