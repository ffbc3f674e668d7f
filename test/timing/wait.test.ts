import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { FlashError } from '../../lib/errors';
import { waitFor } from '../../lib/timing/wait';
import { quoted } from '../../lib/wordings/wording';
import { assertLeavesNothing } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

describe('timing/wait', () => {
  const NEVER = new AbortController().signal;

  it('looks at the beginning and after each of the events, and lets go of the emitter', async () => {
    const emitter = new EventEmitter<{ one: [number: number]; other: [] }>();
    let looks = 0;
    const waited = waitFor(emitter, ['one', 'other'], () => ((looks += 1) === 3 ? 'seen' : undefined), {
      signal: NEVER,
    });
    emitter.emit('one', 1);
    emitter.emit('other');
    assert.equal(await waited, 'seen');
    assert.deepEqual([emitter.listenerCount('one'), emitter.listenerCount('other')], [0, 0]);
  });

  it('ends with what the look throws, and with the reason of the signal', async () => {
    const emitter = new EventEmitter<{ one: [] }>();
    const fails = (): undefined => {
      throw new FlashError('unexplained', { reason: quoted('it cannot look') });
    };
    const reason = quoted('it cannot look');
    await assert.rejects(
      waitFor(emitter, ['one'], fails, { signal: NEVER }),
      new FlashError('unexplained', { reason }),
    );
    const controller = new AbortController();
    const waited = waitFor(emitter, ['one'], () => undefined, { signal: controller.signal });
    controller.abort(new FlashError('cancelled'));
    await assert.rejects(waited, { code: 'cancelled' });
    assert.equal(emitter.listenerCount('one'), 0);
  });

  describe('while time passes', () => {
    beforeEach(() => timeStands(['setInterval']));
    afterEach(timeGoesOn);

    it('looks again at an interval, until it has seen what it waits for', async () => {
      const emitter = new EventEmitter<{ one: [] }>();
      let looks = 0;
      const look = (): string | undefined => ((looks += 1) === 5 ? 'seen' : undefined);
      const waited = waitFor(emitter, ['one'], look, { signal: NEVER, everyMs: 1000 });
      assert.equal(looks, 1);
      timePasses(999);
      assert.equal(looks, 1);
      timePasses(1);
      assert.equal(looks, 2);
      timePasses(2000);
      assert.equal(looks, 4);
      emitter.emit('one');
      assert.equal(await waited, 'seen');
      timePasses(60_000);
      assert.equal(looks, 5);
    });

    it('looks at nothing but the events where it has no interval', () => {
      let looks = 0;
      void waitFor(new EventEmitter(), [], () => void (looks += 1), { signal: NEVER });
      timePasses(60_000);
      assert.equal(looks, 1);
    });

    it('looks no more when its signal has ended it, nor when a look has failed', async () => {
      const controller = new AbortController();
      let looks = 0;
      const waited = waitFor(new EventEmitter(), [], () => void (looks += 1), {
        ...{ signal: controller.signal, everyMs: 1000 },
      });
      controller.abort(new FlashError('cancelled'));
      await assert.rejects(waited, { code: 'cancelled' });
      timePasses(60_000);
      assert.equal(looks, 1);
      const fails = (): undefined => {
        looks += 1;
        throw new Error('it cannot look');
      };
      await assert.rejects(waitFor(new EventEmitter(), [], fails, { signal: NEVER, everyMs: 1000 }), /it cannot/);
      timePasses(60_000);
      assert.equal(looks, 2);
    });
  });

  it('does not look at all where its signal has ended before', async () => {
    const emitter = new EventEmitter<{ one: [] }>();
    const reason = new FlashError('cancelled');
    const waited = waitFor(emitter, ['one'], assert.fail, { signal: AbortSignal.abort(reason), everyMs: 1000 });
    await assert.rejects(waited, reason);
    assert.equal(emitter.listenerCount('one'), 0);
    await assertLeavesNothing((signal) => waitFor(emitter, ['one'], () => 1, { signal, everyMs: 1000 }));
  });

  it('fails with an error, whatever the look throws', async () => {
    const fails = (): undefined => {
      throw 'a text' as unknown as Error;
    };
    await assert.rejects(waitFor(new EventEmitter(), [], fails, { signal: NEVER }), new Error('a text'));
  });

  it('takes only events that the emitter has', async () => {
    const emitter = new EventEmitter<{ one: [] }>();
    // @ts-expect-error: a name that is never emitted would wait for ever
    assert.equal(await waitFor(emitter, ['two'], () => 1, { signal: NEVER }), 1);
  });
});
