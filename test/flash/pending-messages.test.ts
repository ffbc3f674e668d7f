import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { Job } from '../../lib/flash/job/job';
import type { PendingMessage } from '../../lib/flash/job/pending-message';
import { jobFileContent } from '../../lib/flash/stored/job-schema';
import { matching, read } from '../../lib/storage/schema';
import { outcomeOf, PendingMessages } from '../../lib/flash/stored/pending-messages';
import { digestOf } from '../../lib/image';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const PENDING: PendingMessage = { id: '1', nodeId: 'node', stage: 'cloud', message: { mine: 1 } };

describe('flash/stored/pending-messages', () => {
  /** The messages that a process finds which starts after one was killed. */
  function afterRestart(before: PendingMessages): PendingMessages {
    const book = new PendingMessages();
    book.restore(before.all());
    return book;
  }

  it('keeps the job of a message over any number of restarts', () => {
    const job = new Job('cloud', '1000a1b2c3');
    let book = new PendingMessages();
    book.began(PENDING, job);
    book.inJob(PENDING, job);
    for (let restarts = 0; restarts < 3; restarts++) {
      book = afterRestart(book);
      const [claimed] = book.claim('node');
      assert.equal(claimed?.record.jobId, job.id);
      assert.deepEqual(claimed.pending, PENDING);
      // Its node starts it again; its stage may be queued until the next restart.
      book.began(claimed.pending, job);
      assert.deepEqual(book.claim('node'), [], 'each is given once');
    }
  });

  it('keeps of a message what a file may hold, and what was left out', () => {
    const job = new Job('cloud', '1000a1b2c3');
    const final = Buffer.alloc(100, 2);
    const book = new PendingMessages();
    const message = {
      mine: 1,
      firmware: { final, user1: '/a/file.bin' },
      long: 'x'.repeat(70_000),
      password: 'secret',
    };
    book.began({ ...PENDING, message }, { deviceid: '1000a1b2c3', password: 'secret' });
    const kept = {
      ...{ id: '1', nodeId: 'node', stage: 'cloud', deviceid: '1000a1b2c3', jobId: undefined },
      ...{ message: { mine: 1, firmware: { user1: '/a/file.bin' } }, left: ['long'] },
      images: { final: digestOf(final) },
    };
    assert.deepEqual(book.all(), [kept]);
    assert.deepEqual(book.images(), [{ sha256: digestOf(final), bytes: final }]);
    book.inJob(PENDING, job);
    assert.deepEqual(book.all(), [{ ...kept, jobId: job.id }]);
    book.ended(PENDING, new FlashError('turn-timeout', { deviceid: '1', holder: '2', minutes: 60 }));
    const outcome = { code: 'turn-timeout', values: { deviceid: '1', holder: '2', minutes: 60 } };
    assert.deepEqual(book.all(), [{ ...kept, jobId: job.id, outcome }]);
  });

  it('takes a message over from another host, with its device and its password', () => {
    const [book, other] = [new PendingMessages(), new PendingMessages()];
    const setUp: PendingMessage = { ...PENDING, stage: 'tasmota' };
    book.began(setUp, { deviceid: '1000a1b2c3', password: 'secret' });
    book.release(setUp.id);
    const [left] = book.claim('node');
    assert.ok(left);
    other.adopt(left);
    const [claimed] = other.claim('node');
    assert.deepEqual([claimed?.pending, claimed?.record.deviceid, claimed?.password], [setUp, '1000a1b2c3', 'secret']);
  });

  it('knows which messages of a node are in a stage, or were', () => {
    const book = new PendingMessages();
    const of = (id: string, nodeId: string, stage: PendingMessage['stage']): void =>
      book.began({ ...PENDING, id, nodeId, stage }, {});
    of('1', 'node', 'cloud');
    of('2', 'node', 'tasmota');
    of('3', 'other', 'upgrade');
    of('4', 'node', 'upgrade');
    book.ended({ ...PENDING, id: '4' }, new FlashError('cancelled'));
    assert.deepEqual(
      book.stagesOf('node').map(({ id }) => id),
      ['1', '4'],
    );
  });

  it('gives no node what is another one’s, and nothing that has ended', () => {
    const book = new PendingMessages();
    book.began(PENDING, {});
    book.began({ ...PENDING, id: '2', nodeId: 'other' }, {});
    book.ended(PENDING, new FlashError('cancelled'));
    const after = afterRestart(book);
    assert.deepEqual(after.claim('node'), []);
    assert.deepEqual(
      after.claim('other').map(({ pending }) => pending.id),
      ['2'],
    );
  });

  it('forgets the result of an earlier stage when a later one of the same job starts, and no other', () => {
    const job = new Job('cloud', '1000a1b2c3');
    const book = new PendingMessages();
    const next: PendingMessage = { ...PENDING, id: '2', stage: 'upgrade' };
    const stranger: PendingMessage = { ...PENDING, id: '3' };
    for (const pending of [PENDING, stranger]) book.began(pending, {});
    book.inJob(PENDING, job);
    book.inJob(stranger, new Job('cloud', '1000ffffff'));
    for (const pending of [PENDING, stranger]) book.ended(pending, { found: {}, job: job.snapshot() });
    book.began(next, {});
    assert.equal(book.all().length, 3);
    book.inJob(next, job);
    assert.deepEqual(
      book.all().map(({ id }) => id),
      ['3', '2'],
    );
  });

  it('forgets no result of the same stage or a later one, and none that has not come', () => {
    const job = new Job('cloud', '1000a1b2c3');
    const book = new PendingMessages();
    const messages = (['cloud', 'upgrade', 'finalstage', 'provision'] as const).map((stage, index) => ({
      ...PENDING,
      id: `${index}`,
      stage,
    }));
    for (const pending of messages) {
      book.began(pending, {});
      book.inJob(pending, job);
    }
    for (const pending of messages.slice(0, 3)) book.ended(pending, { found: {}, job: job.snapshot() });
    const next = { ...PENDING, id: 'next', stage: 'upgrade' } as const;
    book.began(next, {});
    book.inJob(next, job);
    assert.deepEqual(
      book.all().map(({ id }) => id),
      ['1', '2', '3', 'next'],
    );
  });

  it('keeps how a stage ended, as it was', () => {
    const job = new Job('cloud', '1000a1b2c3').snapshot();
    const unnamed = new Job('cloud', undefined).snapshot();
    const outcomes = [
      { found: { via: 'tls' }, job },
      { found: {}, job: unnamed },
      new FlashError('turn-timeout', { deviceid: '1', minutes: 60 }),
    ];
    for (const outcome of outcomes) {
      const book = new PendingMessages();
      book.began(PENDING, {});
      book.ended(PENDING, outcome);
      const { outcome: kept } = afterRestart(book).all()[0] ?? {};
      assert.ok(kept && !(kept instanceof Error), 'what JSON carries');
      assert.deepEqual(outcomeOf(kept), outcome);
    }
  });

  it('reports every change, and nothing else', () => {
    const book = new PendingMessages();
    let changes = 0;
    book.onChange = () => (changes += 1);
    const after = (act: () => void): number => {
      changes = 0;
      act();
      return changes;
    };
    const job = new Job('cloud', '1000a1b2c3');
    const outcome = { found: {}, job: job.snapshot() };
    for (const act of [
      () => book.inJob(PENDING, job),
      () => book.ended(PENDING, outcome),
      () => book.forget(PENDING.id),
      () => book.forgetNode('node'),
      () => book.delivered(PENDING.id),
    ]) {
      assert.equal(after(act), 0, 'it is not there');
    }
    assert.deepEqual(book.all(), []);
    for (const act of [
      () => book.began(PENDING, {}),
      () => book.inJob(PENDING, job),
      () => book.ended(PENDING, outcome),
      () => book.forget(PENDING.id),
    ]) {
      assert.equal(after(act), 1);
    }
  });

  it('has changed when it reports that', () => {
    const book = new PendingMessages();
    const job = new Job('cloud', '1000a1b2c3');
    const seen: unknown[] = [];
    book.onChange = () => {
      const [one] = book.all();
      seen.push([one?.jobId, one?.outcome !== undefined, book.images().length, book['passwords'].size]);
    };
    const final = Buffer.alloc(10);
    book.began({ ...PENDING, message: { firmware: { final } } }, { password: 'secret' });
    book.inJob(PENDING, job);
    book.ended(PENDING, new FlashError('cancelled'));
    book.forget(PENDING.id);
    assert.deepEqual(seen, [
      [undefined, false, 1, 1],
      [job.id, false, 1, 1],
      [job.id, true, 1, 1],
      [undefined, false, 0, 0],
    ]);
  });

  it('gives a message of an earlier run to no node that has it already, or that has forgotten it', () => {
    const before = new PendingMessages();
    for (const id of ['1', '2', '3']) before.began({ ...PENDING, id }, {});
    before.began({ ...PENDING, id: '4', nodeId: 'other' }, {});
    const book = afterRestart(before);
    assert.deepEqual([...book.nodes()], ['node', 'other']);
    book.began({ ...PENDING, id: '1' }, {});
    book.forget('2');
    assert.deepEqual(
      book.claim('node').map(({ pending }) => pending.id),
      ['3'],
    );
    assert.deepEqual(book.claim('node'), [], 'each is given once');
    book.forgetNode('node');
    assert.deepEqual([...book.nodes()], ['other']);
  });

  it('holds what came with a message in secret in memory alone, until the message is over', () => {
    const setUp: PendingMessage = {
      ...PENDING,
      stage: 'tasmota',
      message: { apiKey: 'secret', mqtt: { password: 'secret' } },
    };
    const book = new PendingMessages();
    book.began(setUp, { password: 'secret' });
    assert.doesNotMatch(JSON.stringify(book.all()), /secret/);
    book.release(setUp.id);
    assert.deepEqual(
      book.claim('node').map(({ pending, password }) => [pending.id, pending.stage, password]),
      [['1', 'tasmota', 'secret']],
    );
    assert.equal(afterRestart(book).claim('node')[0]?.password, undefined);
    book.began(setUp, {});
    book.release(setUp.id);
    assert.equal(book.claim('node')[0]?.password, 'secret', 'it came with it once');
    book.forgetNode('node');
    assert.equal(book['passwords'].size, 0);
  });

  it('gives what an instance of a node has left to the next one', () => {
    const book = new PendingMessages();
    book.began(PENDING, {});
    assert.deepEqual(book.claim('node'), []);
    for (const id of [PENDING.id, 'another']) book.release(id);
    const [left] = book.claim('node');
    assert.deepEqual(left?.pending, PENDING);
    assert.deepEqual(book.claim('node'), [], 'it is given once');
  });

  it('keeps of a task without a job neither how it ended, nor that it was there', () => {
    const book = new PendingMessages();
    for (const outcome of [{ found: {} }, { found: undefined }, new FlashError('cancelled')]) {
      book.began({ ...PENDING, stage: 'tasmota' }, {});
      book.ended(PENDING, outcome);
      assert.deepEqual(book.all(), []);
    }
    book.began({ ...PENDING, stage: undefined }, {});
    assert.deepEqual(book.all(), [], 'it ends with its node');
  });

  it('holds the images of messages, each once, for as long as a message has it', () => {
    const [user1, final] = [Buffer.alloc(100, 1), Buffer.alloc(100, 2)];
    const book = new PendingMessages();
    book.began({ ...PENDING, message: { firmware: { user1, final, user2: '/a/file.bin' } } }, {});
    book.began({ ...PENDING, id: '2', message: { firmware: { final } } }, {});
    const images = (): string[] => book.images().map(({ bytes }) => `${bytes[0]}`);
    assert.deepEqual(images(), ['1', '2']);
    assert.ok(JSON.stringify(book.all()).length < 1000, 'their bytes are kept apart');
    const found = new Map(book.images().map(({ sha256, bytes }) => [sha256, bytes]));
    const again = new PendingMessages();
    again.restore(book.all(), (sha256) => found.get(sha256));
    assert.deepEqual(
      again.claim('node').map(({ pending }) => pending.message),
      [{ firmware: { user1, final, user2: '/a/file.bin' } }, { firmware: { final } }],
    );
    const without = new PendingMessages();
    without.restore(book.all());
    assert.deepEqual(without.images(), [], 'they are not there any more');
    assert.deepEqual(without.claim('node')[0]?.pending.message, { firmware: { user2: '/a/file.bin' } });
    book.forget('1');
    assert.deepEqual(images(), ['2']);
    book.forget('2');
    assert.deepEqual(images(), []);
  });

  describe('while time passes', () => {
    beforeEach(() => timeStands(['setTimeout']));
    afterEach(timeGoesOn);

    it('forgets a result five seconds after a node has put it out', () => {
      const book = new PendingMessages();
      book.began(PENDING, {});
      book.delivered(PENDING.id);
      timePasses(4999);
      assert.equal(book.all().length, 1);
      timePasses(1);
      assert.deepEqual([book.all(), book['timers'].size], [[], 0]);
    });

    it('forgets nothing after its close', () => {
      const book = new PendingMessages();
      book.began(PENDING, {});
      book.delivered(PENDING.id);
      book.close();
      timePasses(60_000);
      assert.equal(book.all().length, 1);
    });
  });

  it('holds no process up for a result that is on its way', () => {
    const book = new PendingMessages();
    book.began(PENDING, {});
    book.delivered(PENDING.id);
    assert.deepEqual(
      [...book['timers']].map((timer) => timer.hasRef()),
      [false],
    );
    book.close();
  });

  it('takes from a file how a stage ended whose device was not known', () => {
    const job = new Job('cloud', undefined).snapshot();
    const ended = { id: '1', nodeId: 'node', stage: 'cloud', message: {}, left: [], outcome: { found: {}, job } };
    const { value, dropped } = read(jobFileContent, { jobs: [], tickets: [ended] });
    assert.deepEqual(dropped, []);
    const kept = value?.tickets[0]?.outcome;
    assert.ok(kept && 'job' in kept && kept.job.deviceid === null);
  });

  it('takes the set-up of a new firmware from a file, and nothing that it does not know', () => {
    const record = { id: '1', nodeId: 'node', message: {}, left: [] };
    const tickets = [
      { ...record, stage: 'tasmota' },
      { ...record, stage: 'unknown' },
    ];
    const { value, dropped } = read(jobFileContent, { jobs: [], tickets });
    assert.deepEqual([value?.tickets.map(({ stage }) => stage), dropped.length], [['tasmota'], 1]);
  });

  it('takes from a file only what can be the name of an image', () => {
    const record = { id: '1', nodeId: 'node', stage: 'cloud', message: {}, left: [] };
    const { value } = read(jobFileContent, {
      jobs: [],
      tickets: [{ ...record, images: { user1: '../../secret', user2: 'a'.repeat(64) } }],
    });
    assert.deepEqual(value?.tickets[0]?.images, { user2: 'a'.repeat(64) });
    assert.deepEqual(read(matching(/^a$/, 'an a'), 'b'), { dropped: ['is not an a'] });
  });
});
