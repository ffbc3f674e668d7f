import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { FlashError, type ErrorCode } from '../../lib/errors';
import { type Job } from '../../lib/flash/job/job';
import { JobBook } from '../../lib/flash/job/job-book';
import type { Message, Ticket } from '../../lib/flash/job/ticket';
import type { StageName } from '../../lib/flash/job/stages';
import { queueRecord } from '../../lib/flash/kept/job-schema';
import { keptQueue, revivedQueue } from '../../lib/flash/kept/queue-record';
import { read } from '../../lib/flash/kept/schema';
import type { EntryStart } from '../../lib/flash/queue/entry';
import { FlashQueue, type QueueOutlet } from '../../lib/flash/queue/flash-queue';
import { StageRuns } from '../../lib/flash/run/stage-runs';

/** A flow whose stages end as the test says, behind a queue: the real books and runs, without sockets. */
class Flow implements QueueOutlet {
  readonly jobs = new JobBook();
  readonly runs = new StageRuns();
  readonly queue = new FlashQueue(this.jobs, this.runs);
  readonly begun: { message: Message; where: EntryStart }[] = [];
  atOnce = 2;
  attempts = 2;
  isWired = true;
  private readonly ends = new EventEmitter().setMaxListeners(0);

  constructor() {
    this.runs.attach('stage', { progress: ignore, result: ignore, failure: ignore, queued: ignore });
    this.queue.attach('queue', this);
  }

  start(message: Message, where: EntryStart): boolean {
    this.begun.push({ message, where });
    if (this.isWired) this.stage(where === 'finalstage' ? 'finalstage' : 'provision', message);
    return this.isWired;
  }

  /** Begins a stage for a message, as its node does; it goes on until `end` or `fail`. */
  stage(stage: StageName, message: Message): Ticket {
    const deviceid = message['deviceid'] as string;
    return this.runs.begin({
      nodeId: 'stage',
      stage,
      message,
      deviceid,
      oneAtATime: false,
      findJob: () => this.jobs.jobFor(stage, deviceid),
      run: ({ signal }) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          this.ends.once(`${stage} ${deviceid}`, (error?: Error) => (error ? reject(error) : resolve({})));
        }),
    });
  }

  /** Ends a stage of a device and begins the next one with the same message. */
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

function ignore(): void {
  // Nobody looks at what the stages report here.
}

/** Lets all that is under way in promises happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('flash/queue', () => {
  it('begins the next device when the one before has left its access point, and no more at a time than it may', async () => {
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

  it('begins a failed one again behind the others, as often as it may, then counts it as failed', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.add('a', 'b');
    await turns();
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'b running, a waiting');
    await flow.fail('provision', 'b', 'certificate-rejected');
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

  it('goes on in FinalStage with a device that has its upgrade', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    await flow.end('provision', 'a', 'upgrade');
    await flow.end('upgrade', 'a', 'finalstage');
    await flow.fail('finalstage', 'a', 'finalstage-timeout');
    assert.deepEqual(
      flow.begun.map(({ where }) => where),
      ['beginning', 'finalstage'],
    );
    await flow.end('finalstage', 'a');
    assert.equal(flow.states(), 'a done');
  });

  it('never begins one again by itself whose final image has begun to flow', async () => {
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
      job.intermediate = 'one-hop';
      await flow.end('upgrade', 'a', 'newfirmware');
      await flow.fail('newfirmware', 'a', code);
      assert.equal(flow.states(), states, code);
    }
  });

  it('hears an earlier attempt no more', async () => {
    const flow = new Flow();
    flow.add('a');
    await turns();
    const first = flow.messageOf('a');
    await flow.fail('provision', 'a', 'ap-unreachable');
    assert.equal(flow.states(), 'a running');
    flow.runs.refused(first, new FlashError('firmware-missing', { what: 'final image' }));
    assert.equal(flow.states(), 'a running');
    flow.runs.refused(flow.messageOf('a'), new FlashError('firmware-missing', { what: 'final image' }));
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
    flow.runs.refused(flow.messageOf('b'), new FlashError('wifi-credentials-missing', { what: 'name' }));
    assert.equal(flow.states(), 'a failed, b failed');
  });

  it('pauses, goes on, leaves out and forgets', async () => {
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
    assert.equal(flow.jobs.latest('a')?.error, 'cancelled');
    flow.queue.forget('c');
    flow.queue.forget();
    assert.equal(flow.states(), 'c running');
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
    const one = flow.queue.add({ topic: 'next' }, { nodeId: 'queue' });
    await turns();
    flow.jobs.identify(flow.jobs.byId(one.jobId ?? '') as Job, '1000aaaaaa');
    assert.equal(flow.queue.add({ deviceid: '1000aaaaaa' }, { nodeId: 'queue' }), one);
    assert.equal(flow.queue.snapshot().entries.length, 1);
  });

  it('hands a password out with the message, and keeps it nowhere', () => {
    const flow = new Flow();
    flow.queue.pause();
    flow.queue.add({ deviceid: 'a', note: 'mine' }, { nodeId: 'queue', password: 'top secret' });
    assert.ok(!JSON.stringify([flow.queue.record(), flow.queue.snapshot()]).includes('top secret'));
    flow.queue.resume();
    assert.deepEqual([flow.messageOf('a')['password'], flow.messageOf('a')['note']], ['top secret', 'mine']);
  });

  it('goes on after a restart: what was in work and is in no hands is begun again', async () => {
    const flow = new Flow();
    flow.atOnce = 1;
    flow.add('a', 'b');
    await turns();
    const onDisk: unknown = JSON.parse(JSON.stringify(keptQueue(flow.queue.record())));
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
});
