import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { FlashError, type ErrorCode } from '../../lib/errors';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { Job, type StoredJob } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import type { Message, PendingMessage } from '../../lib/flash/job/pending-message';
import type { StageName } from '../../lib/flash/stages';
import { queueRecord } from '../../lib/flash/stored/job-schema';
import { storedQueue, revivedQueue } from '../../lib/flash/stored/queue-record';
import { read } from '../../lib/storage/schema';
import type { EntryStart } from '../../lib/flash/job/queue-entry';
import { EntryList } from '../../lib/flash/queue/entry-list';
import { FlashQueue, type QueueOutlet } from '../../lib/flash/queue/flash-queue';
import { TaskRuns } from '../../lib/flash/run/task-runs';
import { wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const VALUES = { deviceid: 'a', holder: '1000ffffff', minutes: 15 };

/** A flow whose stages end as the test says, behind a queue: the real books and runs, without sockets. */
class Flow implements QueueOutlet {
  readonly jobs = new JobRegistry();
  readonly runs = new TaskRuns();
  readonly queue = new FlashQueue(this.jobs, this.runs);
  readonly begun: { message: Message; where: EntryStart }[] = [];
  atOnce = 2;
  attempts = 2;
  isWired = true;
  private readonly ends = new EventEmitter().setMaxListeners(0);

  constructor() {
    this.runs.attach('stage', { progress: ignore, result: ignore, failure: ignore, queued: ignore, left: ignore });
    this.queue.attach('queue', this);
  }

  start(message: Message, where: EntryStart): boolean {
    this.begun.push({ message, where });
    if (this.isWired) this.stage(where === 'finalstage' ? 'finalstage' : 'provision', message);
    return this.isWired;
  }

  /** Starts a stage for a message, as its node does; it runs until `end` or `fail`. */
  stage(stage: StageName, message: Message): PendingMessage {
    const deviceid = message['deviceid'] as string;
    return this.runs.begin({
      nodeId: 'stage',
      stage,
      message,
      deviceid,
      findJob: () => this.jobs.jobFor(stage, deviceid),
      run: ({ signal }) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          this.ends.once(`${stage} ${deviceid}`, (error?: Error) => (error ? reject(error) : resolve({})));
        }),
    });
  }

  /** Ends a stage of a device and starts the next one with the same message. */
  async end(stage: StageName, deviceid: string, next?: StageName): Promise<void> {
    this.ends.emit(`${stage} ${deviceid}`);
    await turns();
    if (next) this.stage(next, this.messageOf(deviceid));
    await turns();
  }

  async fail(stage: StageName, deviceid: string, code: ErrorCode): Promise<void> {
    this.ends.emit(`${stage} ${deviceid}`, new FlashError(code));
    await turns();
  }

  messageOf(deviceid: string): Message {
    const found = this.begun.findLast(({ message }) => message['deviceid'] === deviceid);
    assert.ok(found, `${deviceid} was not begun`);
    return found.message;
  }

  add(...deviceids: string[]): void {
    for (const deviceid of deviceids) this.queue.add({ deviceid }, { nodeId: 'queue' });
  }

  states(): string {
    return this.queue
      .snapshot()
      .entries.map(({ deviceid, state }) => `${deviceid} ${state}`)
      .join(', ');
  }
}

/** A job as a restart finds it. */
function kept(job: Job): StoredJob {
  return { id: job.id, lastStage: job.lastStage, snapshot: job.snapshot() };
}

function ignore(): void {
  // The stages' reports do not matter here.
}

/** Lets all that is under way in promises happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

describe('flash/queue', () => {
  it('starts the next device when the one before has left its access point, and no more at a time than it may', async () => {
    const flow = new Flow();
    flow.add('a', 'b', 'c');
    await turns();
    assert.equal(flow.states(), 'a running, b waiting, c waiting');
    await flow.end('provision', 'a', 'cloud');
    assert.equal(flow.states(), 'a running, b running, c waiting');
    await flow.end('provision', 'b', 'cloud');
    assert.equal(flow.states(), 'a running, b running, c waiting', 'two at a time');
    await flow.end('cloud', 'a', 'upgrade');
    await flow.end('upgrade', 'a', 'finalstage');
    await flow.end('finalstage', 'a');
    assert.equal(flow.states(), 'a done, b running, c running');
    assert.deepEqual(flow.queue.snapshot().state, 'running');
  });

  it('starts a failed one again behind the others, as often as it may, then counts it as failed', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.add('a', 'b');
    await turns();
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'b running, a waiting');
    assert.deepEqual([flow.queue.snapshot().state, flow.queue.snapshot().entries[1]?.percent], ['running', 0]);
    await flow.fail('provision', 'b', 'certificate-rejected');
    assert.equal(flow.queue.snapshot().state, 'running', 'one alone, too');
    assert.equal(flow.states(), 'b failed, a running', 'a second try would find the same');
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'b failed, a failed');
    const [b, a] = flow.queue.snapshot().entries;
    assert.deepEqual([b?.error, b?.attempts, a?.error, a?.attempts], ['certificate-rejected', 1, 'ap-unreachable', 2]);
    assert.match(a?.text ?? '', /No Sonoff answered .*Hold the button/);
    flow.queue.retryFailed();
    await turns();
    assert.equal(flow.states(), 'b running, a waiting');
    assert.equal(flow.queue.snapshot().entries[0]?.attempts, 2);
  });

  it('continues in FinalStage with a device that has its upgrade', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'upgrade');
    (flow.jobs.latest('a') as Job).route = FINALSTAGE;
    await flow.end('upgrade', 'a', 'finalstage');
    await flow.fail('finalstage', 'a', 'finalstage-timeout');
    assert.deepEqual(
      flow.begun.map(({ where }) => where),
      ['beginning', 'finalstage'],
    );
    await flow.end('finalstage', 'a');
    assert.equal(flow.states(), 'a done');
  });

  it('never starts one again automatically whose final image has started to flow', async () => {
    const flow = new Flow();
    flow.attempts = 5;
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'finalstage');
    flow.jobs.latest('a')?.evidence.add({ kind: 'finalstage-requested', image: 'final', size: 500_000 });
    await flow.fail('finalstage', 'a', 'finalstage-stalled');
    assert.equal(flow.states(), 'a failed');
    assert.equal(flow.begun.length, 1);
    flow.queue.retryFailed();
    await turns();
    assert.equal(flow.begun.at(-1)?.where, 'finalstage', 'a person may, and there alone it can go on');
  });

  it('starts one again whose upgrade in one hop has failed', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'upgrade');
    (flow.jobs.latest('a') as Job).route = ONE_HOP;
    await flow.fail('upgrade', 'a', 'download-failed');
    assert.deepEqual([flow.states(), flow.begun.at(-1)?.where], ['a running', 'beginning']);
  });

  it('leaves a device alone that has its final image in one hop, unless it has handed back to stock', async () => {
    for (const [code, states] of [
      ['new-firmware-silent', 'a failed'],
      ['one-hop-silent', 'a failed'],
      ['back-to-stock', 'a running'],
    ] as const) {
      const flow = new Flow();
      flow.add('a');
      await turns();
      await flow.end('provision', 'a', 'upgrade');
      const job = flow.jobs.latest('a');
      assert.ok(job);
      job.route = ONE_HOP;
      await flow.end('upgrade', 'a', 'newfirmware');
      await flow.fail('newfirmware', 'a', code);
      assert.equal(flow.states(), states, code);
    }
  });

  it('ignores an earlier attempt', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    const first = flow.messageOf('a');
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'a running');
    flow.runs.refused(first, new FlashError('firmware-missing', { what: wording('no-final') }));
    assert.equal(flow.states(), 'a running');
    flow.runs.refused(flow.messageOf('a'), new FlashError('firmware-missing', { what: wording('no-final') }));
    assert.equal(flow.states(), 'a running', 'a stage has it');
  });

  it('fails one whose message no stage could take', async () => {
    const flow = new Flow();
    flow.isWired = false;
    flow.add('a');
    assert.equal(flow.queue.snapshot().entries[0]?.error, 'queue-not-wired');
    flow.isWired = true;
    flow.start = (message) => {
      flow.begun.push({ message, where: 'beginning' });
      return true;
    };
    flow.add('b');
    flow.atOnce = 1;
    flow.add('c');
    assert.equal(flow.states(), 'a failed, b running, c waiting');
    flow.runs.refused(flow.messageOf('b'), new FlashError('wifi-credentials-missing', { what: wording('wifi-name') }));
    assert.equal(flow.states(), 'a failed, b failed, c running');
    flow.runs.refused(flow.messageOf('c'), new FlashError('wifi-credentials-missing', { what: wording('wifi-name') }));
    assert.equal(flow.states(), 'a failed, b failed, c failed');
  });

  it('has changed when it reports that', async () => {
    const flow = new Flow();
    flow.attempts = 1;
    let reported = '';
    flow.queue.on('changed', () => (reported = JSON.stringify(flow.queue.snapshot())));
    const after = async (what: string, act: () => unknown, states: string): Promise<void> => {
      reported = 'nothing';
      await act();
      await turns();
      assert.equal(flow.states(), states, what);
      assert.equal(reported, JSON.stringify(flow.queue.snapshot()), what);
    };
    await after('paused', () => flow.queue.pause(), '');
    assert.equal(flow.queue.snapshot().state, 'paused');
    await after('added', () => flow.queue.add({ mine: 1 }, { nodeId: 'queue' }), 'null waiting');
    await after(
      'added another',
      () => flow.queue.add({ deviceid: 'b' }, { nodeId: 'other' }),
      'null waiting, b waiting',
    );
    await after('resumed', () => flow.queue.resume(), 'null running, b waiting');
    const job = (): Job => flow.jobs.byId(flow.queue.record().entries[0]?.jobId ?? '') as Job;
    await after('identified', () => flow.jobs.identify(job(), 'a'), 'a running, b waiting');
    await after('removed', () => flow.queue.detach('other', true), 'a running, b skipped');
    await after('forgot', () => flow.queue.forget('b'), 'a running');
    await after('failed', () => flow.fail('provision', 'undefined', 'ap-unreachable'), 'a failed');
    await after('tried again', () => flow.queue.retryFailed(), 'a running');
    await after('left out', () => flow.queue.skip('a'), 'a skipped');
    await after('forgot all', () => flow.queue.forget(), '');
  });

  it('reports each entry with all that is known of it, and the queue as a whole', async () => {
    const flow = new Flow();
    assert.deepEqual(flow.queue.snapshot(), {
      ...{ state: 'idle', waiting: 0, running: 0, done: 0, failed: 0, skipped: 0, percent: 0 },
      entries: [],
    });
    flow.attempts = 1;
    flow.atOnce = 1;
    flow.add('a', 'b', 'c', 'd');
    flow.queue.add({ topic: 'any' }, { nodeId: 'queue' });
    await turns();
    flow.queue.skip('d');
    await flow.end('provision', 'a', 'upgrade');
    await flow.end('upgrade', 'a', 'finalstage');
    await flow.end('finalstage', 'a');
    await flow.end('provision', 'b', 'cloud');
    await flow.fail('cloud', 'b', 'device-not-supported');
    await flow.end('provision', 'c', 'cloud');
    const jobIdOf = (deviceid: string): string | undefined => flow.jobs.latest(deviceid)?.id;
    const idOf = (index: number): string | undefined => flow.queue.record().entries[index]?.id;
    const [, b] = flow.queue.record().entries;
    assert.match(b?.text ?? '', /^The device /);
    assert.deepEqual(flow.queue.snapshot(), {
      ...{ state: 'running', waiting: 1, running: 1, done: 1, failed: 1, skipped: 1 },
      // 100, 100, 10 and 0.
      percent: 52,
      entries: [
        { id: idOf(0), deviceid: 'a', state: 'done', attempts: 1, percent: 100, jobId: jobIdOf('a') },
        {
          ...{ id: idOf(1), deviceid: 'b', state: 'failed', attempts: 1, percent: 10, jobId: jobIdOf('b') },
          ...{ error: 'device-not-supported', text: b?.text, values: {} },
        },
        { id: idOf(2), deviceid: 'c', state: 'running', attempts: 1, percent: 10, jobId: jobIdOf('c') },
        { id: idOf(3), deviceid: 'd', state: 'skipped', attempts: 0, percent: 0 },
        { id: idOf(4), deviceid: null, state: 'waiting', attempts: 0, percent: 0 },
      ],
    });
    flow.queue.pause();
    assert.equal(flow.queue.snapshot().state, 'paused');
  });

  it('lets none overtake that has another node, however many that may have in work', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.queue.attach('other', { atOnce: 5, attempts: 1, start: (message, where) => flow.start(message, where) });
    flow.add('a', 'b');
    flow.queue.add({ deviceid: 'c' }, { nodeId: 'other' });
    flow.queue.add({ deviceid: 'd' }, { nodeId: 'gone' });
    flow.queue.add({ deviceid: 'e' });
    await flow.end('provision', 'a', 'cloud');
    assert.equal(flow.states(), 'a running, b waiting, c waiting, d waiting, e waiting');
    await flow.fail('cloud', 'a', 'certificate-rejected');
    await flow.end('provision', 'b', 'cloud');
    await flow.fail('cloud', 'b', 'certificate-rejected');
    await flow.end('provision', 'c', 'cloud');
    assert.equal(flow.states(), 'a failed, b failed, c running, d waiting, e waiting', 'its own node has one already');
    await flow.fail('cloud', 'c', 'certificate-rejected');
    assert.equal(flow.states(), 'a failed, b failed, c failed, d waiting, e running', 'what has no node keeps none up');
  });

  it('fails one at its first failure whose node is not there', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    flow.queue.detach('queue', false);
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'a failed');
  });

  it('reports a flash that it gave up, since no message does, and none that it tries again', () => {
    const flow = new Flow();
    const given: unknown[] = [];
    flow.queue.on('given-up', (error, deviceid) => given.push([error.code, error.values, deviceid, flow.states()]));
    flow.isWired = false;
    flow.add('a');
    flow.queue.add({}, { nodeId: 'queue' });
    assert.deepEqual(given, [
      ['queue-not-wired', { output: 1 }, 'a', 'a failed'],
      ['queue-not-wired', { output: 1 }, undefined, 'a failed, null failed'],
    ]);
    assert.equal(flow.states(), 'a failed, null failed');
  });

  it('gives up at the second output what continues in FinalStage where nothing is wired to that', async () => {
    const flow = new Flow();
    const given: unknown[] = [];
    flow.queue.on('given-up', (error, deviceid) => given.push([error.code, error.values, deviceid]));
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'finalstage');
    flow.isWired = false;
    await flow.fail('finalstage', 'a', 'finalstage-timeout');
    assert.deepEqual(given, [['queue-not-wired', { output: 2 }, 'a']]);
    assert.equal(flow.states(), 'a failed');
  });

  it('has no password any more of what is forgotten, nor of what is too long ago', () => {
    const flow = new Flow();
    flow.queue.pause();
    const entry = flow.queue.add({ deviceid: 'a' }, { nodeId: 'queue', password: 'top secret' });
    flow.queue.add({ deviceid: 'b' }, { nodeId: 'queue', password: 'top secret' });
    assert.equal(flow.queue['passwords'].size, 2);
    flow.queue.forget(entry.id);
    assert.equal(flow.states(), 'b waiting', 'what waits can be forgotten');
    assert.equal(flow.queue['passwords'].size, 1);
    flow.queue.skip('b');
    for (let n = 0; n <= 200; n += 1) {
      flow.add(`${n}`);
      flow.queue.skip(`${n}`);
    }
    assert.equal(flow.queue['passwords'].size, 0);
  });

  it('pauses, continues, leaves out and forgets', async () => {
    const flow = new Flow();
    flow.queue.pause();
    flow.add('a', 'b', 'c');
    assert.equal(flow.begun.length, 0);
    assert.equal(flow.queue.snapshot().state, 'paused');
    flow.queue.skip('b');
    flow.queue.resume();
    await turns();
    assert.equal(flow.states(), 'a running, b skipped, c waiting');
    flow.queue.skip();
    await turns();
    assert.equal(flow.states(), 'a skipped, b skipped, c running');
    const { error, running } = flow.jobs.latest('a') as Job;
    assert.deepEqual([error, running], ['cancelled', undefined], 'its stage has ended');
    flow.queue.forget('c');
    flow.queue.forget('nobody');
    assert.equal(flow.states(), 'a skipped, b skipped, c running');
    flow.queue.forget('a');
    assert.equal(flow.states(), 'b skipped, c running');
    flow.add('d');
    flow.queue.forget();
    assert.equal(flow.states(), 'c running, d waiting');
  });

  it('counts the percent of a round: what has ended, and how far the others are', async () => {
    const flow = new Flow();
    flow.add('a', 'b');
    await turns();
    assert.equal(flow.queue.snapshot().percent, 0);
    await flow.end('provision', 'a', 'cloud');
    assert.equal(flow.queue.snapshot().percent, 5);
    await flow.end('cloud', 'a', 'upgrade');
    await flow.end('upgrade', 'a', 'finalstage');
    await flow.end('finalstage', 'a');
    assert.equal(flow.queue.snapshot().percent, 50);
    await flow.fail('provision', 'b', 'wifi-credentials-missing');
    assert.deepEqual([flow.queue.snapshot().percent, flow.queue.snapshot().state], [100, 'idle']);
    flow.add('c');
    assert.equal(flow.queue.snapshot().percent, 0, 'a new round');
  });

  it('takes a device once, and learns which one it is from the job', async () => {
    const flow = new Flow();
    const odd = flow.queue.add({ deviceid: 7 }, { nodeId: 'gone' });
    assert.equal(odd.deviceid, undefined, 'a device has a word for its id');
    flow.queue.forget(odd.id);
    const one = flow.queue.add({ topic: 'next' }, { nodeId: 'queue' });
    await turns();
    flow.jobs.identify(flow.jobs.byId(one.jobId ?? '') as Job, '1000aaaaaa');
    assert.equal(flow.queue.add({ deviceid: '1000aaaaaa' }, { nodeId: 'queue' }), one);
    assert.equal(flow.queue.snapshot().entries.length, 1);
  });

  it('knows the device from the stage that has the message, and lets the next one start behind provision', async () => {
    const flow = new Flow();
    const deviceids = ['1000aaaaaa', undefined];
    flow.start = (message) => {
      flow.stage('cloud', { ...message, deviceid: deviceids.shift() });
      return true;
    };
    flow.queue.add({ topic: 'next' }, { nodeId: 'queue' });
    flow.queue.add({ deviceid: '1000bbbbbb' }, { nodeId: 'queue' });
    flow.stage('cloud', { deviceid: 'not of the queue' });
    await turns();
    assert.equal(flow.states(), '1000aaaaaa running, 1000bbbbbb running');
    assert.equal(flow.jobs.latest('not of the queue')?.isOpen, true);
  });

  it('hands a password out with the message, and keeps it nowhere', () => {
    const flow = new Flow();
    flow.queue.pause();
    flow.queue.add({ deviceid: 'a', note: 'mine' }, { nodeId: 'queue', password: 'top secret' });
    assert.ok(!JSON.stringify([flow.queue.record(), flow.queue.snapshot()]).includes('top secret'));
    flow.queue.resume();
    assert.deepEqual([flow.messageOf('a')['password'], flow.messageOf('a')['note']], ['top secret', 'mine']);
  });

  it('keeps of a message what a file may hold, and gives its bytes back', () => {
    const flow = new Flow();
    flow.queue.pause();
    const bytes = Buffer.from([1, 2, 3]);
    flow.queue.add({ deviceid: 'a', bytes, password: 'top secret', call: () => 1 }, { nodeId: 'queue' });
    const stored = JSON.stringify(storedQueue(flow.queue.record()));
    assert.ok(!stored.includes('top secret'));
    const { isPaused, entries } = revivedQueue(JSON.parse(stored) as ReturnType<typeof storedQueue>);
    assert.deepEqual([isPaused, entries[0]?.message], [true, { deviceid: 'a', bytes }]);
  });

  it('shows of what waits for another try no percent', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'cloud');
    assert.equal(flow.queue.snapshot().entries[0]?.percent, 10);
    flow.queue.pause();
    await flow.fail('cloud', 'a', 'nothing-arrived');
    const { entries, percent } = flow.queue.snapshot();
    assert.deepEqual([entries[0]?.state, entries[0]?.percent, percent], ['waiting', 0, 0]);
  });

  it('shows what is done as done, though its job is forgotten', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'finalstage');
    await flow.end('finalstage', 'a');
    assert.ok(flow.jobs.forget(flow.jobs.latest('a') as Job));
    const { percent, entries } = flow.queue.snapshot();
    assert.deepEqual([percent, entries[0]?.state, entries[0]?.percent], [100, 'done', 100]);
  });

  it('continues after a restart: what was in work and is in no hands is restarted', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.add('a', 'b');
    await turns();
    const onDisk: unknown = JSON.parse(JSON.stringify(storedQueue(flow.queue.record())));
    const { value, dropped } = read(queueRecord, onDisk);
    assert.deepEqual([value, dropped], [onDisk, []]);
    assert.ok(value);
    const next = new Flow();
    next.queue.restore(revivedQueue(value));
    assert.equal(next.states(), 'a waiting, b waiting');
    next.queue.resume();
    await turns();
    assert.equal(next.states(), 'a running, b waiting');
  });

  it('takes up after a restart what its jobs have come to meanwhile', async () => {
    const flow = new Flow();
    flow.atOnce = 4;
    flow.attempts = 1;
    for (const deviceid of ['done', 'failed', 'finalstage', 'upgrade']) {
      flow.add(deviceid);
      await turns();
      await flow.end('provision', deviceid, deviceid === 'upgrade' ? 'upgrade' : 'finalstage');
    }
    flow.queue.pause();
    const record = revivedQueue(structuredClone(storedQueue(flow.queue.record())));
    // The queue's file may be older than what the jobs have come to.
    const jobOf = (deviceid: string): Job => flow.jobs.latest(deviceid) as Job;
    jobOf('done').leave('finalstage');
    jobOf('failed').fail('finalstage-timeout');
    jobOf('finalstage').finalStage = new FinalStageSession();
    const next = new Flow();
    next.attempts = 1;
    for (const job of flow.jobs.all()) next.jobs.restore(Job.restore(structuredClone(kept(job))));
    (next.jobs.latest('finalstage') as Job).finalStage = new FinalStageSession();
    next.queue.restore(record);
    assert.equal(next.states(), 'done done, failed failed, finalstage running, upgrade waiting');
    assert.equal(next.queue.snapshot().state, 'paused');
    assert.equal(next.queue.snapshot().entries[1]?.error, 'finalstage-timeout');
  });

  it('leaves after a restart what had ended as it was, and knows no reason where none was kept', async () => {
    const flow = new Flow();
    flow.attempts = 1;
    flow.add('done', 'failed', 'skipped', 'broken');
    await turns();
    await flow.end('provision', 'done', 'finalstage');
    await flow.end('finalstage', 'done');
    await flow.fail('provision', 'failed', 'ap-unreachable');
    flow.queue.skip('skipped');
    await turns();
    const record = revivedQueue(structuredClone(storedQueue(flow.queue.record())));
    const { error, ...snapshot } = (flow.jobs.latest('failed') as Job).snapshot();
    assert.equal(error, 'ap-unreachable');
    const next = new Flow();
    const broken = Job.restore({
      ...kept(flow.jobs.latest('broken') as Job),
      snapshot: { ...snapshot, deviceid: 'broken' },
    });
    next.jobs.restore(broken);
    next.attempts = 1;
    next.queue.pause();
    next.queue.restore({ ...record, isPaused: true });
    assert.equal(next.states(), 'done done, failed failed, skipped skipped, broken failed');
    assert.equal(next.queue.snapshot().entries[3]?.error, 'unexplained');
  });

  it('starts none that a node behind it has left out meanwhile', () => {
    const flow = new Flow();
    flow.queue.pause();
    flow.add('a', 'b', 'c');
    flow.start = (message, where) => {
      flow.begun.push({ message, where });
      if (message['deviceid'] === 'a') flow.queue.skip('b');
      return message['deviceid'] !== 'a';
    };
    flow.queue.resume();
    assert.equal(flow.states(), 'a failed, b skipped, c running');
    assert.deepEqual(
      flow.begun.map(({ message }) => message['deviceid']),
      ['a', 'c'],
    );
  });

  it('knows of a second attempt no job until a stage has its message', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.add('a', 'b');
    await turns();
    await flow.end('provision', 'a', 'cloud');
    flow.start = (message, where) => flow.begun.push({ message, where }) > 0;
    await flow.fail('cloud', 'a', 'nothing-arrived');
    flow.atOnce = 2;
    flow.queue.skip('b');
    flow.add('c');
    const [, a] = flow.queue.snapshot().entries;
    assert.deepEqual(a, { id: a?.id, deviceid: 'a', state: 'running', attempts: 2, percent: 0 });
    assert.equal(flow.states(), 'b skipped, a running, c waiting', 'its message may be at the access point');
  });

  it('keeps the device that was asked for where the job of the stage knows none', async () => {
    const flow = new Flow();
    flow.start = (message) => Boolean(flow.stage('provision', { ...message, deviceid: undefined }));
    flow.add('a');
    await turns();
    assert.equal(flow.states(), 'a running');
    const { jobId } = flow.queue.record().entries[0] ?? {};
    const job = flow.jobs.byId(jobId ?? '');
    job?.learn({ model: 'x' });
    assert.deepEqual([job?.deviceid, flow.states()], [undefined, 'a running']);
  });

  it('leaves one where it is after a restart whose message a node has again', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    const record = revivedQueue(structuredClone(storedQueue(flow.queue.record())));
    const next = new Flow();
    next.stage('provision', flow.messageOf('a'));
    next.queue.restore(record);
    assert.equal(next.states(), 'a running');
    assert.equal(next.begun.length, 0);
  });

  it('keeps what waited for a node that is deployed again, and leaves out what waited for one that is removed', async () => {
    const flow = new Flow();
    flow.queue.pause();
    flow.add('a');
    flow.queue.add({ deviceid: 'b' }, { nodeId: 'other' });
    flow.queue.detach('queue', false);
    flow.queue.resume();
    await turns();
    assert.equal(flow.states(), 'a waiting, b waiting', 'no outlet is there');
    let isDurable: boolean | undefined;
    flow.queue.once('changed', (one: boolean) => (isDurable = one));
    flow.queue.detach('other', true);
    assert.equal(isDurable, true);
    flow.queue.attach('queue', flow);
    await turns();
    assert.equal(flow.states(), 'a running, b skipped');
    flow.queue.detach('queue', true);
    assert.equal(flow.states(), 'a running, b skipped', 'what is in work goes on');
  });

  it('is over with its close: it receives no job and starts nothing', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.add('a', 'b');
    await turns();
    const listeners = (): number[] => [
      flow.jobs.listenerCount('changed'),
      flow.runs.listenerCount('in-job'),
      flow.runs.listenerCount('failed'),
    ];
    assert.deepEqual(listeners(), [1, 1, 1]);
    flow.queue.pause();
    flow.queue.skip('a');
    await turns();
    assert.equal(flow.states(), 'a skipped, b waiting');
    flow.queue.close();
    assert.deepEqual(listeners(), [0, 0, 0]);
    const busy = new Flow();
    busy.add('a');
    assert.ok(busy.queue['lostWatch']['timer']);
    busy.queue.close();
    assert.equal(busy.queue['lostWatch']['timer'], undefined, 'though one is in work');
    flow.queue.resume();
    await turns();
    assert.equal(flow.begun.length, 1);
  });

  it('lets a restart know every step, and not percent that merely rises', async () => {
    const flow = new Flow();
    const turnsSeen: boolean[] = [];
    flow.queue.on('changed', (isDurable: boolean) => turnsSeen.push(isDurable));
    const after = async (act: () => unknown): Promise<boolean[]> => {
      turnsSeen.length = 0;
      await act();
      await turns();
      return [...new Set(turnsSeen)];
    };
    assert.deepEqual(await after(() => flow.add('a')), [true]);
    const job = flow.jobs.latest('a') as Job;
    assert.deepEqual(await after(() => job.onChange(false)), [false]);
    assert.deepEqual(await after(() => job.learn({ model: 'x' })), [true]);
    assert.deepEqual(await after(() => flow.queue.pause()), [true]);
    assert.deepEqual(await after(() => flow.queue.forget()), [true]);
    const other = flow.jobs.jobFor('cloud', 'not in the queue');
    assert.deepEqual(await after(() => other.learn({ model: 'x' })), []);
  });

  it('starts a failed one as often again as it may, when a person asks for it', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    await flow.fail('provision', 'a', 'ap-unreachable');
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'a failed');
    flow.queue.retryFailed();
    await turns();
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'a running');
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'a failed');
    assert.equal(flow.begun.length, 4);
  });

  it('reports why one has failed in the words of its verdict, and no longer once it has restarted', async () => {
    const flow = new Flow();
    flow.attempts = 1;
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'upgrade');
    const job = flow.jobs.latest('a') as Job;
    job.evidence.add({ kind: 'stage', stage: 'upgrade', event: 'began', seconds: 1 });
    job.evidence.add({ kind: 'stage', stage: 'upgrade', event: 'failed', code: 'turn-timeout', values: VALUES });
    await flow.fail('upgrade', 'a', 'turn-timeout');
    const [entry] = flow.queue.snapshot().entries;
    assert.match(entry?.text ?? '', /1000ffffff/);
    flow.queue.retryFailed();
    await turns();
    const { error, values } = entry ?? {};
    assert.deepEqual([error, { ...values, ...VALUES }], ['turn-timeout', values]);
    const [again] = flow.queue.snapshot().entries;
    const { id, deviceid, jobId } = again ?? {};
    assert.deepEqual(again, { id, deviceid, jobId, state: 'running', attempts: 2, percent: 0 });
    assert.deepEqual([id, deviceid], [entry?.id, 'a']);
  });

  it('fills the sentences of an error with nothing of another verdict', async () => {
    const flow = new Flow();
    flow.attempts = 1;
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'upgrade');
    const job = flow.jobs.latest('a') as Job;
    job.evidence.add({ kind: 'stage', stage: 'upgrade', event: 'began', seconds: 300, deviceid: 'a' });
    await flow.fail('upgrade', 'a', 'download-failed');
    const { code, values } = job.evidence.verdict();
    assert.deepEqual([code, values['deviceid']], ['on-course', 'a']);
    const [entry] = flow.queue.snapshot().entries;
    assert.deepEqual([entry?.error, entry?.values], ['download-failed', {}]);
  });

  it('continues in FinalStage where a node has refused the message of a device that is there', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    await flow.end('provision', 'a');
    const job = flow.jobs.latest('a') as Job;
    job.enter('finalstage');
    const error = new FlashError('firmware-missing', { what: wording('no-final') });
    flow.runs.refused(flow.messageOf('a'), error);
    const [entry] = flow.queue.snapshot().entries;
    assert.deepEqual([flow.states(), entry?.error, entry?.values], ['a failed', error.code, error.values]);
    flow.queue.retryFailed();
    assert.equal(flow.begun.at(-1)?.where, 'finalstage');
  });

  it('does not end a device in FinalStage that is left out', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.add('a', 'b');
    await turns();
    await flow.end('provision', 'a', 'upgrade');
    await flow.end('upgrade', 'a');
    const job = flow.jobs.latest('a') as Job;
    job.finalStage = new FinalStageSession();
    flow.queue.skip('a');
    await turns();
    assert.deepEqual([flow.states(), job.isOpen], ['a skipped, b running', true]);
    await flow.end('provision', 'b');
    flow.queue.skip('b');
    assert.deepEqual([flow.jobs.latest('b')?.isOpen, flow.jobs.latest('b')?.error], [false, 'cancelled']);
    assert.equal(flow.queue.snapshot().entries[1]?.error, undefined, 'a person wanted it');
    flow.queue.skip('nobody');
    flow.add('c');
    await turns();
    await flow.fail('provision', 'c', 'wifi-credentials-missing');
    flow.queue.skip('c');
    assert.equal(flow.states(), 'a skipped, b skipped, c failed', 'what has ended stays as it was');
  });

  it('keeps the newest two hundred of those that have ended', () => {
    const flow = new Flow();
    flow.queue.pause();
    for (let n = 0; n <= 250; n += 1) {
      flow.add(`${n}`);
      flow.queue.skip(`${n}`);
    }
    flow.add('last');
    const { entries } = flow.queue.snapshot();
    assert.deepEqual([entries.length, entries[0]?.deviceid, entries.at(-1)?.deviceid], [201, '51', 'last']);
  });

  describe('while time passes', () => {
    beforeEach(() => timeStands(['Date', 'setInterval'], 1_000_000));
    afterEach(timeGoesOn);

    it('gives a message up that no node has had for fifteen minutes, and continues with the next', async () => {
      const flow = new Flow();
      flow.atOnce = 1;
      flow.start = (message) => {
        flow.begun.push({ message, where: 'beginning' });
        if (message['deviceid'] === 'b') flow.stage('provision', message);
        return true;
      };
      flow.add('a', 'b');
      timePasses(15 * 60_000 - 1);
      assert.equal(flow.states(), 'a running, b waiting');
      timePasses(5000);
      await turns();
      assert.equal(flow.states(), 'a failed, b running');
      const [entry] = flow.queue.snapshot().entries;
      assert.equal(entry?.error, 'queue-lost');
      assert.match(entry.text ?? '', /\b15 minutes/);
      timePasses(60 * 60_000);
      assert.equal(flow.states(), 'a failed, b running', 'a stage has it');
    });

    it('gives up a message between two stages, and starts a device in FinalStage again there', async () => {
      const flow = new Flow();
      const given: unknown[] = [];
      flow.queue.on('given-up', (error, deviceid) => given.push([error.code, error.values, deviceid]));
      flow.add('a', 'b');
      await turns();
      await flow.end('provision', 'a');
      assert.equal(flow.states(), 'a running, b running');
      await flow.end('provision', 'b', 'upgrade');
      await flow.end('upgrade', 'b', 'finalstage');
      timePasses(20 * 60_000);
      await turns();
      assert.equal(flow.states(), 'a failed, b running');
      assert.deepEqual(given, [['queue-lost', { minutes: 15 }, 'a']]);
    });

    it('gives up no device that is in work, though with the message of another', async () => {
      const flow = new Flow();
      flow.add('a');
      await turns();
      await flow.end('provision', 'a');
      flow.stage('cloud', { deviceid: 'a' });
      await turns();
      timePasses(60 * 60_000);
      assert.equal(flow.states(), 'a running');
      await flow.end('cloud', 'a');
      timePasses(5000);
      timePasses(20 * 60_000);
      assert.equal(flow.states(), 'a failed');
    });

    it('gives up after a restart what no node has taken again by then', async () => {
      const flow = new Flow();
      flow.add('a');
      await turns();
      await flow.end('provision', 'a', 'finalstage');
      const record = revivedQueue(structuredClone(storedQueue(flow.queue.record())));
      const next = new Flow();
      next.jobs.restore(Job.restore(structuredClone(kept(flow.jobs.latest('a') as Job))));
      (next.jobs.latest('a') as Job).finalStage = new FinalStageSession();
      next.queue.restore(record);
      assert.equal(next.states(), 'a running');
      timePasses(15 * 60_000);
      await turns();
      assert.deepEqual([next.states(), next.queue.snapshot().entries[0]?.error], ['a failed', 'queue-lost']);
    });
  });

  it('knows its entries by their ids, and else by the newest of a device', () => {
    const list = new EntryList();
    const [first, second] = [list.add({}, 'a', undefined), list.add({}, 'a', undefined)];
    const named = list.add({}, first.id, undefined);
    assert.equal(list.find(first.id), first);
    assert.equal(list.find('a'), second);
    assert.equal(list.find(named.id), named);
    assert.equal(list.find('b'), undefined);
    list.add({}, undefined, undefined);
    assert.equal(list.openOf(undefined), undefined);
    assert.equal(list.openOf('a'), first);
    first.state = 'done';
    assert.equal(list.openOf('a'), second);
    second.state = 'skipped';
    assert.equal(list.openOf('a'), undefined);
  });

  it('starts a new round when everything before has ended, also before a restart', () => {
    const list = new EntryList();
    const [first, second] = [list.add({}, 'a', undefined), list.add({}, 'b', undefined)];
    first.state = 'done';
    assert.deepEqual([first.round, second.round, list.add({}, 'c', undefined).round], [1, 1, 1]);
    for (const entry of list.all()) entry.state = 'failed';
    assert.equal(list.add({}, 'd', undefined).round, 2);
    const next = new EntryList();
    assert.equal(next.round, 0);
    for (const entry of [...list.all()].reverse()) next.restore({ ...entry, state: 'done' });
    assert.equal(next.add({}, 'e', undefined).round, 3);
  });

  it('puts a message out as it came, and from the second attempt on with the device that was met', async () => {
    const flow = new Flow();
    flow.queue.add({ topic: 'mine' }, { nodeId: 'queue' });
    await turns();
    const key = 'queueEntry';
    const [first] = flow.begun;
    assert.deepEqual({ ...first?.message, [key]: '' }, { topic: 'mine', [key]: '' });
    const { jobId } = flow.queue.record().entries[0]!;
    flow.jobs.identify(flow.jobs.byId(jobId ?? '')!, '1000aaaaaa');
    await flow.fail('provision', 'undefined', 'ap-unreachable');
    const [, second] = flow.begun;
    assert.deepEqual({ ...second?.message, [key]: '' }, { topic: 'mine', deviceid: '1000aaaaaa', [key]: '' });
    assert.notEqual(first?.message[key], second?.message[key]);
  });

  it('may be watched by any number of nodes', () => {
    const flow = new Flow();
    assert.deepEqual([flow.queue.getMaxListeners(), flow.jobs.getMaxListeners()], [0, 0]);
  });
});
