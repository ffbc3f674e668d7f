import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import type { PendingMessage } from '../../lib/flash/job/pending-message';
import type { StageContext, StageRequest, TaskContext, TaskRequest } from '../../lib/flash/run/task';
import { TaskRuns } from '../../lib/flash/run/task-runs';
import { progressText } from '../../lib/progress-texts';
import { Recorder } from './bench';
import { assertCode } from './refusals';
import { wording } from '../../lib/wordings/wording';
import { quoted } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

/** So long that a test is over before. */
const LONG_MS = 60 * 60_000;

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
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  };
  const begunAt = async (index: number): Promise<StageContext> => {
    for (;;) {
      const context = steps.contexts[index];
      if (context) return context;
      await new Promise(setImmediate);
    }
  };
  /** A stage that has begun for a message, the first of its test. */
  const begun = (...about: Parameters<Steps['begin']>): Promise<StageContext> => {
    steps.begin(...about);
    return begunAt(0);
  };
  const lastReport = (): unknown => recorder.reports.at(-1)?.report;
  const idle = (): Promise<void> => steps.runs.whenIdle(LONG_MS);
  /** Resolves when nothing but the first stage is at work. */
  const idleButFirst = async (): Promise<void> => {
    while (steps.runs['running'].size > 1) await new Promise(setImmediate);
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
    await ended(steps.begin('node', undefined, { run: () => Promise.resolve({}) }));
    await idle();
    assert.equal(traceless.length, 2, 'it ended well');
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
    assert.deepEqual(recorder.queue, [0, 1, 2, 1, 0]);
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

  it('lets no message join that is for another stage, or for no device that is known', async () => {
    steps.begin('node', '1');
    steps.begin('node', '1', { stage: 'cloud', line: undefined });
    const [any, other] = [steps.begin('node', undefined), steps.begin('node', undefined)];
    await turns();
    assert.deepEqual([steps.contexts.length, recorder.queue.at(-1)], [2, 2]);
    await steps.end(0);
    await steps.end(2);
    await ended(any);
    await steps.end(3);
    await ended(other);
  });

  it('lets a message for a device join that the stage itself has found, and cancels it there', async () => {
    const first = steps.begin('node', undefined);
    const { job } = await begunAt(0);
    steps.jobs.identify(job, '1');
    steps.begin('other', '1', { line: undefined });
    await turns();
    assert.equal(steps.contexts.length, 1);
    steps.runs.cancel('node', '2');
    await turns();
    assert.equal(recorder.outcomes.size, 0);
    steps.runs.cancel('node', '1');
    await assertCode(ended(first), 'cancelled');
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

  it('begins a run of its own for a message that comes of a failure', async () => {
    let next: PendingMessage | undefined;
    const failure = recorder.failure.bind(recorder);
    recorder.failure = (...news) => {
      failure(...news);
      next ??= steps.begin('node', '1');
    };
    const refused = new FlashError('ap-refused', { url: 'x', reason: quoted('x') });
    await assertCode(ended(steps.begin('node', '1', { run: () => Promise.reject(refused) })), 'ap-refused');
    assert(next);
    await steps.end(0);
    assert.ok(!((await ended(next)) instanceof Error));
  });

  it('has each message in the job that waited for the same device', async () => {
    const entered: unknown[] = [];
    steps.runs.on('in-job', ({ id }, { deviceid }) => entered.push([id, deviceid]));
    const first = steps.begin('node', '1');
    const [one, two] = [steps.begin('node', '2'), steps.begin('other', '2')];
    await steps.end(0);
    await begunAt(1);
    assert.deepEqual(entered, [
      [first.id, '1'],
      [one.id, '2'],
      [two.id, '2'],
    ]);
    assert.deepEqual(
      steps.runs.pending.all().map(({ jobId }) => jobId),
      [steps.jobs.latest('1'), steps.jobs.latest('2'), steps.jobs.latest('2')].map((job) => job?.id),
    );
    await steps.end(1);
    await idle();
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

  it('reports what a stage does, how far its job is, until when it waits, and what speaks against it', async () => {
    timeStands(['setTimeout', 'Date'], 1_000_000);
    try {
      const { job, report } = await begun('node', '1', { stage: 'cloud' });
      const reported: string[] = [];
      steps.runs.on('reported', ({ id }) => reported.push(id));
      job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 600 });
      report('wait-for-device');
      const waits = { name: 'wait-for-device', values: {}, stage: 'cloud', ...progressText('wait-for-device') };
      const endsAt = new Date(1_600_000);
      assert.deepEqual(lastReport(), { ...waits, percent: 10, endsAt });
      assert.deepEqual(job.lastReport, { name: 'wait-for-device', values: {} });
      timePasses(250);
      const values = { deviceid: '1' };
      report('send-wifi', values, { fraction: 0.59 });
      const works = { name: 'send-wifi', values, stage: 'cloud', ...progressText('send-wifi', values) };
      assert.deepEqual(lastReport(), { ...works, percent: 15, endsAt: undefined });
      timePasses(250);
      job.evidence.add({
        ...{ kind: 'tls-failed', peer: '192.0.2.7', failure: 'certificate-rejected', code: 'X' },
        ...{ reason: quoted('bad certificate'), helloSeen: true },
      });
      report('wait-for-device', {}, { fraction: 0.3 });
      assert.deepEqual(lastReport(), { ...waits, percent: 15, endsAt, warning: 'certificate-rejected' });
      assert.deepEqual(reported, [job.id, job.id, job.id], 'not thinned');
      assert.deepEqual(recorder.reports.at(-1)?.job, job.snapshot());
    } finally {
      timeGoesOn();
    }
  });

  it('says nothing again as long as its job is no further', async () => {
    timeStands(['setTimeout']);
    try {
      const { report } = await begun('node', '1');
      for (const fraction of [0.01, 0.02, 0.1]) {
        report('send-wifi', { deviceid: '1' }, { fraction });
        timePasses(250);
      }
      assert.deepEqual(
        recorder.reports.map(({ report: { percent } }) => percent),
        [0, 1],
      );
    } finally {
      timeGoesOn();
    }
  });

  it('fails only a job that no other run has taken over, and leaves that one running', async () => {
    const { job } = await begun('node', '1');
    const other = (job.running = new AbortController());
    steps.runs.cancel('node');
    await idle();
    assert.deepEqual([job.isOpen, job.running, steps.runs.failures.has(job.id)], [true, other, false]);
    const [outcome] = [...recorder.outcomes.values()];
    assert.equal((outcome as FlashError).code, 'cancelled');
  });

  it('fails no job a second time that has failed meanwhile', async () => {
    const { job } = await begun('node', '1');
    job.fail('job-expired');
    steps.runs.cancel('node');
    await idle();
    assert.deepEqual([job.error, steps.runs.failures.has(job.id)], ['job-expired', false]);
    assert.equal(recorder.outcomes.size, 1);
  });

  it('says the last report again, with all of its stage done, where it ends well, and not where it fails', async () => {
    timeStands(['setTimeout']);
    try {
      const { report } = await begun('node', '1');
      report('send-wifi', { deviceid: '1' });
      await steps.end(0);
      await idle();
      const percents = (): unknown[] => recorder.reports.map(({ report: { name, percent } }) => [name, percent]);
      assert.deepEqual(percents(), [
        ['send-wifi', 0],
        ['send-wifi', 10],
      ]);
      recorder.reports.length = 0;
      steps.begin('node', '2');
      (await begunAt(1)).report('send-wifi', { deviceid: '2' });
      steps.runs.cancel('node');
      await idle();
      assert.deepEqual(percents(), [['send-wifi', 0]]);
    } finally {
      timeGoesOn();
    }
  });

  it('has a job run from the start of its stage to its end', async () => {
    const { job, signal } = await begun('node', '1');
    assert.equal(job.running?.signal, signal);
    const outcome = recorder.outcome(steps.runs.pending.messageOf(steps.runs.pending.all()[0]!));
    assert.deepEqual([job.stage, job.hasLeft('provision')], ['provision', false]);
    await steps.end(0);
    await idle();
    assert.deepEqual([job.running, job.hasLeft('provision')], [undefined, true]);
    assert.equal(job.snapshot().stages.provision?.['found'], '1');
    assert.deepEqual(await outcome, { found: { found: '1' }, job: job.snapshot() });
  });

  it('has what a stage found, or failed with, by the time that its job is stored', async () => {
    const stored: unknown[] = [];
    steps.jobs.on('changed', ({ id, stage }, isDurable) => {
      if (isDurable) stored.push([stage, steps.runs.failures.has(id)]);
    });
    const found: unknown[] = [];
    steps.jobs.on('changed', (job, isDurable) => {
      if (isDurable && job.hasLeft('provision')) found.push(job.snapshot().stages.provision?.['found']);
    });
    await begun('node', '1');
    await steps.end(0);
    await idle();
    assert.deepEqual(found, ['1']);
    const refused = new FlashError('ap-refused', { url: 'x', reason: quoted('x') });
    await assertCode(ended(steps.begin('node', '2', { run: () => Promise.reject(refused) })), 'ap-refused');
    assert.deepEqual(stored.at(-1), ['failed', true]);
  });

  it('has its job open and at work before the message is said to be in it', async () => {
    const seen: unknown[] = [];
    steps.runs.on('in-job', (_pending, { stage, running }) => seen.push([stage, running !== undefined]));
    const { job } = await begun('node', '1');
    steps.runs.cancel('node');
    await idle();
    assert.equal(job.stage, 'failed');
    steps.begin('node', '1');
    assert.equal((await begunAt(1)).job, job);
    assert.deepEqual(seen, [
      ['provision', true],
      ['provision', true],
    ]);
    await steps.end(1);
    await idle();
  });

  it('begins no job for a message that fails a check, or is cancelled meanwhile', async () => {
    const refused = new FlashError('wifi-credentials-missing', { what: wording('wifi-name') });
    const failing = steps.begin('node', '1', { check: () => Promise.reject(refused) });
    await assertCode(ended(failing), 'wifi-credentials-missing');
    let checked = (): void => undefined;
    const cancelled = steps.begin('node', '1', { check: () => new Promise<void>((resolve) => (checked = resolve)) });
    await turns();
    steps.runs.cancel('node');
    checked();
    await assertCode(ended(cancelled), 'cancelled');
    assert.deepEqual([steps.jobs.all(), steps.contexts.length], [[], 0]);
  });

  it('cancels what is meant: of a node, a device, a stage, at work or waiting', async () => {
    const other = new Recorder();
    steps.runs.attach('other', other);
    const free = { line: undefined };
    const [provision, cloud, queued] = [
      steps.begin('node', '1'),
      steps.begin('node', '2', { ...free, stage: 'cloud' }),
      steps.begin('node', '3'),
    ] as const;
    steps.begin('other', '4', { ...free, stage: 'cloud' });
    await turns();
    steps.runs.cancel('node', '9');
    steps.runs.cancel('nobody');
    await turns();
    assert.deepEqual([recorder.outcomes.size, other.outcomes.size], [0, 0]);
    steps.runs.cancel('node', undefined, 'cloud');
    await assertCode(ended(cloud), 'cancelled');
    await turns();
    assert.deepEqual([recorder.outcomes.size, other.outcomes.size], [1, 0]);
    steps.runs.cancel('node', '3', 'cloud');
    assert.equal(recorder.outcomes.size, 1);
    steps.runs.cancel('node', '3', 'provision');
    await assertCode(ended(queued), 'cancelled');
    steps.runs.cancel('node', '1');
    await assertCode(ended(provision), 'cancelled');
    await turns();
    assert.deepEqual([steps.contexts.length, other.outcomes.size], [3, 0]);
  });

  it('knows of which node a message is at work or waits, and in which stage', async () => {
    steps.begin('joins', '1');
    steps.begin('node', '1');
    steps.begin('waits', '2');
    await turns();
    const { runs } = steps;
    const isIn = (nodeId: string): boolean[] => [
      runs.isIn(nodeId),
      runs.isIn(nodeId, 'provision'),
      runs.isIn(nodeId, 'cloud'),
      runs.isAtWork(nodeId),
    ];
    assert.deepEqual(['node', 'joins', 'waits', 'nobody'].map(isIn), [
      [true, true, false, true],
      [true, true, false, true],
      [true, true, false, false],
      [false, false, false, false],
    ]);
    await steps.end(0);
    await turns();
    assert.deepEqual(['node', 'waits'].map(isIn), [
      [false, false, false, false],
      [true, true, false, true],
    ]);
  });

  it('cancels the flashes that wait, of one device or of all, for each node that waits for them', async () => {
    const other = new Recorder();
    steps.runs.attach('other', other);
    const [atWork] = [steps.begin('node', '1')];
    const [two, three, joined] = [steps.begin('node', '2'), steps.begin('node', '3'), steps.begin('other', '3')];
    await turns();
    assert.deepEqual([steps.runs.cancelQueued('1'), steps.runs.cancelQueued('2')], [0, 1]);
    await assertCode(ended(two), 'cancelled');
    assert.equal(recorder.outcomes.size, 1);
    assert.equal(steps.runs.cancelQueued(), 1);
    await assertCode(ended(three), 'cancelled');
    assert.equal(((await other.outcome(joined)) as FlashError).code, 'cancelled');
    await steps.end(0);
    await ended(atWork);
    await turns();
    assert.equal(steps.contexts.length, 1);
  });

  it('tells who has a job: the node whose message entered it last, of the newest 200 jobs', async () => {
    const entered: unknown[] = [];
    steps.runs.on('in-job', ({ id }, job) => entered.push([id, job]));
    const first = steps.begin('node', '1');
    const { job } = await begunAt(0);
    assert.deepEqual(entered, [[first.id, job]]);
    assert.equal(steps.runs.nodeOf(job.id), 'node');
    const joined = steps.begin('other', '1');
    assert.deepEqual(entered, [
      [first.id, job],
      [joined.id, job],
    ]);
    assert.equal(steps.runs.nodeOf(job.id), 'other');
    assert.equal(steps.runs.nodeOf('nothing'), undefined);
    const done: Partial<StageRequest> = { line: undefined, run: () => Promise.resolve({}) };
    for (let count = 2; count <= 200; count += 1) steps.begin('node', `${count}`, done);
    await idleButFirst();
    assert.equal(steps.runs.nodeOf(job.id), 'other');
    steps.begin('node', '1');
    steps.begin('node', '201', done);
    await idleButFirst();
    const [, second, third] = steps.jobs.all();
    assert.deepEqual(
      [job, second, third].map((one) => steps.runs.nodeOf(one?.id ?? '')),
      ['node', undefined, 'node'],
    );
  });

  it('reports a flash that failed with its message, error and job, and a message that could not begin one', async () => {
    const failed: unknown[] = [];
    steps.runs.on('failed', (...news) => failed.push(news));
    const error = new FlashError('wifi-credentials-missing', { what: wording('wifi-name') });
    const message = { topic: 'mine' };
    await assertCode(ended(steps.begin('node', '1', { message, run: () => Promise.reject(error) })), error.code);
    assert.deepEqual(failed.splice(0), [[message, error, steps.jobs.all()[0]]]);
    await ended(steps.begin('node', '2', { run: () => Promise.resolve({}) }));
    assert.deepEqual(failed, []);
    steps.runs.refused(message, error);
    assert.deepEqual(failed, [[message, error]]);
  });

  it('is idle once nothing runs, and is not waited for longer than that may take', async () => {
    await steps.runs.whenIdle(LONG_MS);
    steps.begin('node', '1');
    await begunAt(0);
    await steps.runs.whenIdle(0);
    let isIdle = false;
    const whenIdle = steps.runs.whenIdle(LONG_MS).then(() => (isIdle = true));
    await turns();
    assert.equal(isIdle, false);
    await steps.end(0);
    await whenIdle;
  });

  it('ends all without a word for the close of its host, and keeps the messages', async () => {
    const pendings = [steps.begin('node', '1'), steps.begin('node', '2')];
    const { signal } = await begunAt(0);
    const told = recorder.queue.length;
    steps.runs.cancelAll();
    assert.equal((signal.reason as FlashError).code, 'cancelled');
    await steps.runs.whenIdle(LONG_MS);
    await turns();
    assert.deepEqual([steps.contexts.length, recorder.outcomes.size, recorder.queue.length], [1, 0, told]);
    assert.deepEqual(
      steps.runs.pending.all().map(({ id, outcome }) => [id, outcome]),
      pendings.map(({ id }) => [id, undefined]),
    );
    const late = new FlashError('host-missing');
    steps.begin('node', '3', { line: undefined, run: () => Promise.reject(late) });
    await turns();
    assert.deepEqual([recorder.outcomes.size, recorder.queue.length], [0, told], 'nor of what comes too late');
  });

  it('ends the stages of a disabled node, at work or waiting, of which it hears nothing once it is back', async () => {
    steps.begin('node', '1');
    steps.begin('node', '2');
    const other = steps.begin('other', '3', { line: undefined });
    const { signal } = await begunAt(0);
    steps.runs.detach('node', false);
    assert.equal(signal.aborted, false);
    steps.runs.endStages('node');
    assert.equal(signal.aborted, true);
    await turns();
    const next = new Recorder();
    steps.runs.attach('node', next);
    assert.deepEqual([next.outcomes.size, next.queue, steps.contexts.length], [0, [0], 2]);
    const { id = '', error } = steps.jobs.latest('1') ?? {};
    assert.deepEqual([error, steps.runs.failures.has(id)], ['cancelled', false], 'no message is there to try again');
    assert.deepEqual(
      steps.runs.pending.all().map(({ id }) => id),
      [other.id],
    );
  });

  it('hands what a node has at its former host to the next: news, what it can begin again, and that its stages ended', async () => {
    const password = 'top secret';
    steps.runs.detach('node', false);
    const over = steps.begin('node', '1', { line: undefined, run: () => Promise.resolve({ found: 1 }) });
    await turns();
    const stage = steps.begin('node', '2', { message: { topic: 'mine' } });
    const task = steps.runs.begin({
      ...{ nodeId: 'node', stage: 'tasmota', message: { topic: 'task' }, deviceid: '3', password },
      run: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error()))),
    });
    const elsewhere = steps.begin('other', '4', { line: undefined });
    await turns();
    const next = new TaskRuns();
    const told: unknown[] = [];
    next.attach('node', {
      progress: () => undefined,
      result: ({ found }, { id }) => told.push(['result', found, id]),
      failure: ({ code }, { id, message }) => told.push(['failure', code, id, message]),
      queued: () => undefined,
      left: () => told.push('left'),
    });
    const failed: unknown[] = [];
    next.on('failed', (message, { code }) => failed.push([message, code]));
    steps.runs.moveTo(next, 'node', new FlashError('host-missing'));
    const expected = [
      ['result', { found: 1 }, over.id],
      ['failure', 'host-missing', stage.id, { topic: 'mine' }],
      'left',
    ];
    assert.deepEqual(told, expected);
    assert.deepEqual(failed, [[{ topic: 'mine' }, 'host-missing']]);
    assert.deepEqual(
      next.pending.claim('node').map(({ pending, password: secret }) => [pending.id, pending.message, secret]),
      [[task.id, { topic: 'task' }, password]],
    );
    await turns();
    assert.equal(told.length, 3);
    assert.deepEqual([steps.runs.isIn('node'), steps.runs.isIn('other')], [false, true]);
    assert.deepEqual(
      steps.runs.pending.all().map(({ id }) => id),
      [elsewhere.id],
    );
    steps.runs.attach('node', recorder);
    assert.equal(recorder.outcomes.size, 0);
  });

  it('tells the next host of a node of no stage that an earlier process left, but that it ended, and its results', async () => {
    const { runs } = steps;
    const left = { nodeId: 'node', message: { mine: 1 }, left: [] };
    runs.restore([
      { ...left, id: 'stage', stage: 'cloud' },
      { ...left, id: 'task', stage: 'tasmota' },
      { ...left, id: 'over', stage: 'upgrade', outcome: { code: 'download-failed', values: {} } },
    ]);
    const next = new TaskRuns();
    next.attach('node', recorder);
    runs.detach('node', false);
    runs.moveTo(next, 'node', new FlashError('cancelled'));
    const codes = [...recorder.outcomes].map(([id, outcome]) => [id, outcome instanceof FlashError && outcome.code]);
    assert.deepEqual(codes, [
      ['over', 'download-failed'],
      ['stage', 'cancelled'],
    ]);
    assert.deepEqual(
      next.pending.claim('node').map(({ pending: { id, message } }) => [id, message]),
      [['task', { mine: 1 }]],
    );
  });

  it('puts out what an earlier process had not, to the instance that comes', () => {
    const failure = { id: 'over', nodeId: 'new', stage: 'cloud', message: { mine: 1 }, left: [] } as const;
    steps.runs.restore([
      { ...failure, outcome: { code: 'device-silent', values: {} } },
      { ...failure, id: 'open' },
    ]);
    const told: unknown[] = [];
    const failed = ({ code }: FlashError, { id, message }: PendingMessage): void => void told.push([code, id, message]);
    steps.runs.attach('new', Object.assign(new Recorder(), { failure: failed }));
    assert.deepEqual(told, [['device-silent', 'over', { mine: 1 }]]);
    assert.deepEqual(
      steps.runs.pending.claim('new').map(({ pending: { id } }) => id),
      ['open'],
    );
  });

  it('holds a message until its result has surely arrived', async () => {
    timeStands(['setTimeout']);
    try {
      await ended(steps.begin('node', '1', { run: () => Promise.resolve({}) }));
      timePasses(4999);
      assert.equal(steps.runs.pending.all().length, 1);
      timePasses(1);
      assert.equal(steps.runs.pending.all().length, 0);
    } finally {
      timeGoesOn();
    }
  });

  it('puts each outcome out once, in their order, to the instance that comes next', async () => {
    steps.runs.detach('node', false);
    const done = { run: () => Promise.resolve({}), line: undefined };
    const pendings = [steps.begin('node', '1', done), steps.begin('node', '2', done)];
    await turns();
    const next = new Recorder();
    steps.runs.attach('node', next);
    assert.deepEqual(
      [...next.outcomes.keys()],
      pendings.map(({ id }) => id),
    );
    const later = new Recorder();
    steps.runs.attach('node', later);
    assert.equal(later.outcomes.size, 0);
  });

  it('says the newest report to a message that joins, and again to no other node that comes', async () => {
    timeStands(['setTimeout']);
    try {
      const { report } = await begun('node', '1');
      report('wait-for-ap');
      timePasses(1000);
      const other = new Recorder();
      steps.runs.attach('other', other);
      timePasses(1000);
      assert.deepEqual([recorder.reports.length, other.reports.length], [1, 0]);
      steps.begin('other', '1');
      timePasses(1000);
      assert.deepEqual([recorder.reports.length, other.reports[0]?.report.name], [2, 'wait-for-ap']);
    } finally {
      timeGoesOn();
    }
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

    it('leaves the line with the instance of its node, and nothing of another node with it', async () => {
      task({ nodeId: 'node', line: 'of the node' });
      const first = task({ nodeId: 'first', line: 'of all' });
      task({ nodeId: 'node', line: 'of all' });
      const last = task({ nodeId: 'last', line: 'of all' });
      const [ofFirst, ofLast, next] = [new Recorder(), new Recorder(), new Recorder()];
      steps.runs.attach('first', ofFirst);
      steps.runs.attach('last', ofLast);
      await turns();
      steps.runs.detach('node', false);
      steps.runs.attach('node', next);
      assert.deepEqual([ofFirst.queue, ofLast.queue, next.queue], [[0], [1], [0]], 'each counts its own');
      ends[1]?.();
      await ofFirst.outcome(first);
      await turns();
      assert.deepEqual([begun.length, ofLast.queue], [3, [1, 0]]);
      ends[2]?.();
      await ofLast.outcome(last);
      assert.deepEqual(next.queue, [0]);
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
      task({ line: undefined });
      await turns();
      begun[1]?.report('tasmota-at-home', { url: 'x', hostname: 'y' });
      ends[1]?.();
      await turns();
      assert.deepEqual(told.splice(0), [['tasmota-at-home', 0, 'tasmota', undefined], 'result']);
      begun[0]?.report('tasmota-at-home', { url: 'x', hostname: 'y' }, { fraction: 0.509 });
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
