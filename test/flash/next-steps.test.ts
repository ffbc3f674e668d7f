import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FlashError } from '../../lib/errors';
import { NextSteps, type NextStepContext } from '../../lib/flash/next-step/next-steps';

describe('flash/next-step/next-steps', () => {
  /** A step that ends as the test says. */
  function started(steps: NextSteps, jobId: string): NextStepContext & { end(url?: string): void; fail(): void } {
    const ends: { resolve(url?: string): void; reject(error: Error): void }[] = [];
    const contexts: NextStepContext[] = [];
    steps.start(jobId, (context) => {
      contexts.push(context);
      return new Promise((resolve, reject) => ends.push({ resolve, reject }));
    });
    const [context] = contexts;
    assert.ok(context);
    const fail = (): void => ends[0]?.reject(new FlashError('host-missing'));
    return { ...context, end: (url) => ends[0]?.resolve(url), fail };
  }

  it('are known by their jobs: at work with what they say, done with a page, or failed', async () => {
    const steps = new NextSteps();
    let changes = 0;
    steps.on('changed', () => (changes += 1));
    const one = started(steps, 'one');
    assert.deepEqual([steps.of('one'), steps.of('other'), changes], [{ state: 'running' }, undefined, 1]);
    steps.start('one', () => assert.fail('it runs already'));
    one.report('wait-for-portal', { seconds: 1 });
    const lastReport = { name: 'wait-for-portal', values: { seconds: 1 } };
    assert.deepEqual([steps.of('one'), changes], [{ state: 'running', lastReport }, 2]);
    one.report('wait-for-ap');
    assert.deepEqual(steps.of('one')?.lastReport, { name: 'wait-for-ap', values: {} });
    one.end('http://192.0.2.7');
    await nextTurn();
    assert.deepEqual([steps.of('one'), changes], [{ state: 'done', url: 'http://192.0.2.7' }, 4]);
    const again = started(steps, 'one');
    again.fail();
    await nextTurn();
    assert.deepEqual(steps.of('one'), { state: 'failed', error: new FlashError('host-missing') });
    assert.equal(again.signal.aborted, false);
  });

  it('end when they are cancelled, of which nothing is heard any more, or all at the close', async () => {
    const steps = new NextSteps();
    const [one, two, three] = ['one', 'two', 'three'].map((id) => started(steps, id));
    assert.ok(one && two && three);
    let changes = 0;
    steps.on('changed', () => (changes += 1));
    assert.deepEqual([steps.cancel('one'), steps.cancel('none'), changes], [true, false, 1]);
    assert.equal((one.signal.reason as FlashError).code, 'cancelled');
    assert.deepEqual([two.signal.aborted, steps.of('one'), steps.cancel('one')], [false, undefined, false]);
    const next = started(steps, 'one');
    one.report('wait-for-ap');
    one.end();
    await nextTurn();
    assert.deepEqual(steps.of('one'), { state: 'running' }, 'it is another one');
    two.end();
    await nextTurn();
    assert.equal(steps.cancel('two'), false, 'it was done');
    assert.equal(steps.of('two'), undefined);
    steps.close();
    assert.deepEqual([next.signal.aborted, three.signal.aborted, steps.of('three')], [true, true, undefined]);
  });

  it('are remembered of fifty jobs, those that were heard of last', () => {
    const steps = new NextSteps();
    const [first, second] = Array.from({ length: 50 }, (_, index) => started(steps, `${index}`));
    first?.report('wait-for-ap');
    started(steps, 'one more');
    assert.deepEqual([first?.signal.aborted, second?.signal.aborted], [false, true]);
    assert.deepEqual(
      ['0', '1', '2', 'one more'].map((id) => steps.of(id)?.state),
      ['running', undefined, 'running', 'running'],
    );
  });
});
