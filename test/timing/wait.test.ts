import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { FlashError } from '../../lib/errors';
import { waitFor } from '../../lib/timing/wait';
import { quoted } from '../../lib/wordings/wording';

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
    await assert.rejects(waitFor(emitter, ['one'], fails, { signal: NEVER }), /it cannot look/);
    const controller = new AbortController();
    const waited = waitFor(emitter, ['one'], () => undefined, { signal: controller.signal });
    controller.abort(new FlashError('cancelled'));
    await assert.rejects(waited, { code: 'cancelled' });
    assert.equal(emitter.listenerCount('one'), 0);
  });

  it('takes only events that the emitter has', async () => {
    const emitter = new EventEmitter<{ one: [] }>();
    // @ts-expect-error: a name that is never emitted would wait for ever
    assert.equal(await waitFor(emitter, ['two'], () => 1, { signal: NEVER }), 1);
  });
});
