import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import type { PendingMessage } from '../../lib/flash/job/pending-message';
import type { StageContext, StageRequest, TaskContext, TaskRequest } from '../../lib/flash/run/task';
import { TaskRuns } from '../../lib/flash/run/task-runs';
import { Recorder } from './bench';
import { assertCode } from './refusals';
import { wording } from '../../lib/wordings/wording';
import { quoted } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

/** Stages that end when the test says so. */
class Steps {
  readonly jobs = new JobRegistry();
  readonly runs = new TaskRuns();
  readonly contexts: StageContext[] = [];
  private readonly ends: (() => void)[] = [];

  begin(nodeId: string, deviceid?: string, more: Partial<StageRequest> = {}): PendingMessage {
    return this.runs.begin({
      nodeId,
      stage: 'provision',
      message: {},
      deviceid,
      line: 'provision',
      findJob: () => this.jobs.jobFor('provision', deviceid),
      run: (context) =>
        new Promise((resolve, reject) => {
          this.contexts.push(context);
          this.ends.push(() => resolve({ found: deviceid ?? null }));
          context.signal.addEventListener('abort', () => reject(context.signal.reason as FlashError));
        }),
      ...more,
    });
  }

  async end(index: number): Promise<void> {
    while (!this.ends[index]) await new Promise(setImmediate);
    this.ends[index]();
  }
}

describe('flash/run/task-runs', () => {
  let steps: Steps;
  let recorder: Recorder;
  const ended = async (pending: PendingMessage): Promise<unknown> => {
    const outcome = await recorder.outcome(pending);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  beforeEach(() => {
    steps = new Steps();
    recorder = new Recorder();
    steps.runs.attach('node', recorder);
  });

  it('reports a stage that ended before it reached a device, but no other', async () => {
    const traceless: string[] = [];
    steps.runs.on('left-no-trace', ({ id }) => traceless.push(id));
    const refused = new FlashError('wifi-credentials-missing', { what: wording('wifi-name') });
    const says = (deviceid: string | undefined): Partial<StageRequest> => ({
      run: async (context) => {
        context.report('wait-for-ap');
        if (deviceid !== undefined) steps.jobs.identify(context.job, deviceid);
        throw refused;
      },
    });
    const silent = { run: () => Promise.reject(refused) };
    await assertCode(ended(steps.begin('node', undefined, silent)), 'wifi-credentials-missing');
    assert.deepEqual(traceless, [steps.jobs.all()[0]?.id]);
    await assertCode(ended(steps.begin('node', undefined, says(undefined))), 'wifi-credentials-missing');
    await assertCode(ended(steps.begin('node', undefined, says('1'))), 'wifi-credentials-missing');
    await assertCode(ended(steps.begin('node', '2', silent)), 'wifi-credentials-missing');
    assert.equal(traceless.length, 1, 'a wait that was in vain, and what is known of a device, can be tried again');
    const cancelled = steps.begin('node', undefined, {
      run: (context) =>
        new Promise((_, reject) => {
          context.signal.addEventListener('abort', () => reject(context.signal.reason as FlashError));
          context.report('wait-for-ap');
          steps.runs.cancel('node');
        }),
    });
    await assertCode(ended(cancelled), 'cancelled');
    assert.equal(traceless.length, 2);
  });

  it('takes one message at a time and queues the rest', async () => {
    const [one, two, three] = ['1', '2', '3'].map((deviceid) => steps.begin('node', deviceid)) as [
      PendingMessage,
      PendingMessage,
      PendingMessage,
    ];
    assert.equal(recorder.queue.at(-1), 2);
    await steps.end(0);
    await ended(one);
    assert.equal(recorder.queue.at(-1), 1);
    steps.runs.cancel('node', '3');
    await assertCode(ended(three), 'cancelled');
    assert.equal(recorder.queue.at(-1), 0);
    await steps.end(1);
    await ended(two);
    assert.equal(steps.contexts.length, 2, 'what was cancelled in the queue never began');
  });

  it('begins one run in each turn of the event loop, so that what flows is served in between', async () => {
    for (const deviceid of ['1', '2', '3']) steps.begin('node', deviceid, { line: undefined });
    for (let tick = 0; tick < 10; tick++) await Promise.resolve();
    assert.equal(steps.contexts.length, 1);
    for (const begun of [2, 3]) {
      await new Promise(setImmediate);
      assert.equal(steps.contexts.length, begun);
    }
  });

  it('lets a second message for the same device join', async () => {
    const [one, two] = [steps.begin('node', '1'), steps.begin('node', '1')];
    await steps.end(0);
    await Promise.all([ended(one), ended(two)]);
    assert.equal(steps.contexts.length, 1);
  });

  it('begins a run of its own for a message that comes of a result', async () => {
    let next: PendingMessage | undefined;
    const result = recorder.result.bind(recorder);
    recorder.result = (...news) => {
      result(...news);
      next ??= steps.begin('node', '1');
    };
    const first = steps.begin('node', '1');
    await steps.end(0);
    await ended(first);
    assert(next);
    await steps.end(1);
    await ended(next);
    assert.equal(steps.contexts.length, 2);
  });

  it('a cancel by one of two nodes leaves the run to the other', async () => {
    const other = new Recorder();
    steps.runs.attach('other', other);
    const [one, two] = [steps.begin('node', '1'), steps.begin('other', '1')];
    steps.runs.cancel('node');
    await assertCode(ended(one), 'cancelled');
    await steps.end(0);
    assert.ok(!((await other.outcome(two)) instanceof Error));
  });

  it('passes on the last report before the failure that it may explain, and nothing after it', async () => {
    const order: unknown[] = [];
    steps.runs.attach('node', {
      progress: ({ name }) => order.push(name),
      result: () => order.push('result'),
      failure: ({ code }) => order.push(code),
      queued: () => undefined,
      left: () => undefined,
    });
    timeStands(['setTimeout']);
    try {
      const fails = {
        run: (context: StageContext) => {
          for (const name of ['wait-for-ap', 'send-wifi', 'wifi-sent'] as const)
            context.report(name, { deviceid: '1' });
          return Promise.reject(new FlashError('ap-refused', { url: 'x', reason: quoted('x') }));
        },
      };
      steps.begin('node', '1', fails);
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      timePasses(10_000);
      assert.deepEqual(order, ['wait-for-ap', 'wifi-sent', 'ap-refused']);
    } finally {
      timeGoesOn();
    }
  });

  it('takes a snapshot of a job only where the node asks for one', async () => {
    let snapshots = 0;
    let taken: unknown;
    const ignore = (): void => undefined;
    steps.runs.attach('node', {
      progress: ({ name }, snapshot) => (taken = name === 'send-wifi' ? snapshot?.() : undefined),
      result: ignore,
      failure: ignore,
      queued: ignore,
      left: ignore,
    });
    steps.begin('node', '1');
    while (steps.contexts.length === 0) await new Promise(setImmediate);
    const { job, report } = steps.contexts[0] as StageContext;
    const snapshot = job.snapshot.bind(job);
    job.snapshot = () => ((snapshots += 1), snapshot());
    timeStands(['setTimeout']);
    try {
      report('wait-for-ap', { deviceid: '1' });
      assert.equal(snapshots, 0);
      report('send-wifi', { deviceid: '1' });
      timePasses(1000);
      assert.deepEqual([snapshots, taken], [1, snapshot()]);
    } finally {
      timeGoesOn();
    }
  });

  it('keeps with what a job entered the stage that failed, until it enters it again', async () => {
    const message = { topic: 'again' };
    const refused = new FlashError('wifi-credentials-missing', { what: wording('wifi-name') });
    timeStands(['Date'], 12_345);
    try {
      const failing = steps.begin('node', '1', { message, run: () => Promise.reject(refused) });
      await assertCode(ended(failing), 'wifi-credentials-missing');
    } finally {
      timeGoesOn();
    }
    const [job] = steps.jobs.all();
    assert.ok(job);
    const failure = { nodeId: 'node', stage: 'provision', message, at: 12_345 };
    assert.deepEqual(steps.runs.failures.of(job.id), failure);
    const again = steps.begin('node', '1');
    while (steps.contexts.length === 0) await new Promise(setImmediate);
    assert.equal(steps.runs.failures.has(job.id), false);
    await steps.end(0);
    await ended(again);
  });

  it('keeps the newest twenty failures', () => {
    const { failures } = steps.runs;
    const jobs = Array.from({ length: 21 }, (_, index) => steps.jobs.jobFor('cloud', `${index}`));
    const pending = { id: 'x', nodeId: 'node', stage: 'cloud', message: {} } as const;
    for (const job of jobs.slice(0, 20)) failures.add(job, pending);
    assert.ok(jobs.slice(0, 20).every(({ id }) => failures.has(id)));
    // The oldest has failed again.
    failures.add(jobs[0]!, pending);
    failures.add(jobs[20]!, pending);
    assert.deepEqual(
      jobs.filter(({ id }) => !failures.has(id)),
      [jobs[1]],
    );
  });

  it('keeps an outcome for the next instance of a node', async () => {
    const pending = steps.begin('node', '1');
    steps.runs.detach('node', false);
    await steps.end(0);
    await new Promise(setImmediate);
    const next = new Recorder();
    steps.runs.attach('node', next);
    assert.ok(!((await next.outcome(pending)) instanceof Error));
    assert.equal(recorder.outcomes.size, 0);
  });

  it('says the newest report again to the next instance', async () => {
    steps.begin('node', '1');
    while (!steps.contexts[0]) await new Promise(setImmediate);
    steps.contexts[0].report('wait-for-ap');
    const next = new Recorder();
    steps.runs.detach('node', false);
    steps.runs.attach('node', next);
    assert.equal((await next.reported(() => true)).state, 'waiting');
    await steps.end(0);
  });

  it('a removed node’s run is cancelled, and reports nothing later', async () => {
    steps.begin('node', '1');
    while (!steps.contexts[0]) await new Promise(setImmediate);
    steps.runs.detach('node', true);
    assert.equal(steps.contexts[0].signal.aborted, true);
    await new Promise(setImmediate);
    const next = new Recorder();
    steps.runs.attach('node', next);
    assert.equal(next.outcomes.size, 0);
  });

  it('turns whatever a stage throws into a FlashError', async () => {
    const pending = steps.begin('node', '1', { run: () => Promise.reject(new TypeError('x is not a function')) });
    const error = await assertCode(ended(pending), 'unexplained');
    assert.match(error.message, /x is not a function/);
    const other = steps.begin('node', '2', {
      findJob: () => {
        throw new FlashError('device-busy', { deviceid: '2', stage: 'upgrade' });
      },
    });
    await assertCode(ended(other), 'device-busy');
  });

  describe('a task without a job', () => {
    const begun: TaskContext[] = [];
    const ends: (() => void)[] = [];
    const failed: unknown[] = [];
    beforeEach(() => {
      for (const list of [begun, ends, failed]) list.length = 0;
      steps.runs.on('failed', (message) => failed.push(message));
    });

    function task(more: Partial<TaskRequest> = {}): PendingMessage {
      return steps.runs.begin({
        nodeId: 'node',
        stage: 'tasmota',
        message: {},
        deviceid: '1',
        line: 'node',
        run: (context) =>
          new Promise((resolve, reject) => {
            begun.push(context);
            ends.push(() => resolve({ payload: 1 }));
            context.signal.addEventListener('abort', () => reject(context.signal.reason as FlashError));
          }),
        ...more,
      });
    }
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    };
    const pendingIds = (): string[] => steps.runs.pending.all().map(({ id }) => id);

    it('ends with the instance of its node, and is restarted by the next one', async () => {
      const [one, two] = [task({ password: 'secret' }), task()];
      const other = task({ nodeId: 'other', line: 'other' });
      await turns();
      steps.runs.detach('node', false);
      await turns();
      assert.deepEqual([begun[0]?.signal.aborted, begun[1]?.signal.aborted, begun.length], [true, false, 2]);
      const next = new Recorder();
      steps.runs.attach('node', next);
      assert.deepEqual(pendingIds(), [one.id, two.id, other.id]);
      const left = steps.runs.pending.claim('node');
      assert.deepEqual(
        left.map(({ pending: { id }, password }) => [id, password]),
        [
          [one.id, 'secret'],
          [two.id, undefined],
        ],
      );
      task({ pendingId: one.id });
      await turns();
      ends[2]?.();
      const outcome = await next.outcome(one);
      assert.ok(!(outcome instanceof FlashError));
      assert.deepEqual(outcome.found, { payload: 1 });
      assert.deepEqual(pendingIds(), [two.id, other.id]);
      assert.deepEqual([recorder.outcomes.size, next.outcomes.size, failed.length], [0, 1, 0]);
    });

    it('is gone where its node is gone, and where it is not to stay pending', async () => {
      task();
      await turns();
      task({ stage: undefined, line: undefined });
      assert.equal(pendingIds().length, 1);
      steps.runs.detach('node', true);
      await turns();
      assert.deepEqual([pendingIds(), steps.runs.isIn('node')], [[], false]);
      assert.equal(recorder.outcomes.size, 0);
    });

    it('is done for each message, one after another in its line and beside those of others', async () => {
      const [one, two] = [task(), task()];
      task({ line: 'another' });
      task({ line: undefined });
      await turns();
      assert.equal(begun.length, 3, 'none has joined another one');
      assert.equal(recorder.queue.at(-1), 1);
      ends[0]?.();
      await recorder.outcome(one);
      await turns();
      assert.equal(begun.length, 4);
      ends[3]?.();
      await recorder.outcome(two);
    });

    it('is cancelled for a device, at work or waiting, and is no failed flash', async () => {
      const [one, two, three] = [task(), task({ deviceid: '2' }), task()];
      await turns();
      assert.equal(steps.runs.cancelQueued(), 0, 'what a person cancels as flashes are stages');
      steps.runs.cancel('node', '1');
      for (const pending of [one, three]) await assertCode(ended(pending), 'cancelled');
      await turns();
      assert.deepEqual([begun.length, steps.runs.isAtWork('node')], [2, true]);
      ends[1]?.();
      await recorder.outcome(two);
      assert.deepEqual([failed, steps.runs.isAtWork('node'), pendingIds()], [[], false, []]);
    });

    it('reports how far it is itself, and its last word once', async () => {
      const told: unknown[] = [];
      steps.runs.attach('node', {
        progress: ({ name, percent, stage }, snapshot) => told.push([name, percent, stage, snapshot]),
        result: () => told.push('result'),
        failure: () => undefined,
        queued: () => undefined,
        left: () => undefined,
      });
      task();
      await turns();
      begun[0]?.report('tasmota-at-home', { url: 'x', hostname: 'y' }, { fraction: 0.5 });
      begun[0]?.report('tasmota-done', { url: 'x', hostname: 'y' }, { fraction: 0.4 });
      ends[0]?.();
      await turns();
      assert.deepEqual(told, [
        ['tasmota-at-home', 50, 'tasmota', undefined],
        ['tasmota-done', 50, 'tasmota', undefined],
        'result',
      ]);
    });
  });
});
