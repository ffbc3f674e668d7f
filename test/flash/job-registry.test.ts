import assert from 'node:assert/strict';
import { FlashError, type ErrorCode } from '../../lib/errors';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { DIY, FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { Job } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import type { StageName } from '../../lib/flash/stages';
import { PATIENCE } from '../../lib/flash/verdict/patience';

describe('flash/job/job-book', () => {
  let jobs: JobRegistry;
  let changes: [job: Job, isDurable: boolean][];
  beforeEach(() => {
    jobs = new JobRegistry();
    changes = [];
    jobs.on('changed', (job: Job, isDurable: boolean) => changes.push([job, isDurable]));
  });

  /** A job that has entered a stage; it runs unless it is left. */
  function at(stage: StageName, deviceid?: string): Job {
    const job = jobs.jobFor(stage, deviceid);
    job.enter(stage);
    job.running = new AbortController();
    return job;
  }

  /** A job whose stage has ended well. */
  function behind(stage: StageName, deviceid?: string): Job {
    const job = at(stage, deviceid);
    job.leave(stage);
    job.running = undefined;
    return job;
  }

  const isBusy = (error: unknown): boolean => error instanceof FlashError && error.code === 'device-busy';

  describe('the job for a message', () => {
    it('is the open one of its device, in the same stage and in later ones', () => {
      const job = behind('cloud', '1');
      const stages = ['cloud', 'upgrade', 'finalstage'] as const;
      for (const stage of stages) assert.equal(jobs.jobFor(stage, '1'), job);
      job.running = new AbortController();
      for (const stage of stages) assert.equal(jobs.jobFor(stage, '1'), job);
      assert.notEqual(jobs.jobFor('upgrade', '2'), job);
    });

    it('is a new one without a device, and for a device that has none', () => {
      const job = jobs.jobFor('cloud', undefined);
      assert.notEqual(jobs.jobFor('cloud', undefined), job);
      assert.equal(jobs.jobFor('newfirmware', '1').deviceid, '1');
      assert.equal(jobs.all().length, 3);
    });

    it('is a new one at an earlier stage, and the one before is cancelled', () => {
      const job = behind('upgrade', '1');
      const next = jobs.jobFor('cloud', '1');
      assert.notEqual(next, job);
      assert.deepEqual([job.stage, job.error], ['failed', 'cancelled']);
      assert.equal(jobs.latest('1'), next);
    });

    it('is none at an earlier stage while the device is in work', () => {
      const job = at('upgrade', '1');
      assert.throws(() => jobs.jobFor('cloud', '1'), isBusy);
      assert.equal(job.isOpen, true);
    });

    it('keeps the error of one that failed, where a new one follows it', () => {
      const job = behind('upgrade', '1');
      job.fail('turn-timeout');
      jobs.jobFor('cloud', '1');
      assert.equal(job.error, 'turn-timeout');
    });

    it('is the open one for a look at the new firmware that runs already, and no other stage of it', () => {
      const job = behind('upgrade', '1');
      job.route = ONE_HOP;
      job.running = new AbortController();
      assert.throws(() => jobs.jobFor('newfirmware', '1'), isBusy);
      job.enter('newfirmware');
      assert.equal(jobs.jobFor('newfirmware', '1'), job);
    });

    it('is the done one for a look at the new firmware, also while another look runs', () => {
      const job = behind('finalstage', '1');
      assert.equal(job.stage, 'done');
      assert.equal(jobs.jobFor('newfirmware', '1'), job);
      job.enter('newfirmware');
      job.running = new AbortController();
      assert.equal(jobs.jobFor('newfirmware', '1'), job);
      assert.throws(() => jobs.jobFor('cloud', '1'), isBusy);
    });
  });

  describe('a job that learns its device', () => {
    it('ends an older open one of it, with the stage that runs there', () => {
      const older = at('cloud', '1');
      const { signal } = older.running as AbortController;
      const job = at('cloud');
      changes = [];
      jobs.once('changed', (one) => assert.deepEqual([one, signal.aborted], [older, true], 'its stage has ended'));
      jobs.identify(job, '1');
      assert.deepEqual([older.stage, older.error], ['failed', 'cancelled']);
      assert.equal((signal.reason as FlashError).code satisfies ErrorCode, 'cancelled');
      assert.equal(jobs.latest('1'), job);
      assert.deepEqual(changes.at(-1), [job, true]);
    });

    it('leaves one alone that has ended, and itself where nothing is new', () => {
      const older = behind('cloud', '1');
      older.fail('turn-timeout');
      const job = at('cloud');
      jobs.identify(job, '1');
      assert.equal(older.error, 'turn-timeout');
      changes = [];
      jobs.identify(job, '1');
      assert.deepEqual([job.isOpen, changes], [true, []]);
    });
  });

  it('forgets a job on which nothing hangs, and no other', () => {
    const running = at('upgrade', '1');
    const served = behind('upgrade', '2');
    served.finalStage = new FinalStageSession();
    const idle = behind('upgrade', '3');
    const failed = behind('upgrade', '4');
    failed.fail('turn-timeout');
    changes = [];
    assert.deepEqual(
      [running, served, idle, failed, new Job('cloud')].map((job) => jobs.forget(job)),
      [false, false, true, true, false],
    );
    assert.deepEqual(jobs.all(), [running, served]);
    assert.deepEqual(changes, [
      [idle, true],
      [failed, true],
    ]);
    assert.equal(jobs.byId(served.id), served);
    assert.equal(jobs.byId(idle.id), undefined);
  });

  it('has changed when it reports that', () => {
    const job = behind('cloud');
    const seen: unknown[] = [];
    jobs.on('changed', (one: Job) => {
      seen.push([one.deviceid, jobs.latest('1') === one, jobs.byId(one.id) === one, jobs.all().length]);
    });
    jobs.identify(job, '1');
    jobs.forget(job);
    assert.deepEqual(seen, [
      ['1', true, true, 1],
      ['1', false, false, 0],
    ]);
  });

  it('lists what has ended, first what expired, which is missed least', () => {
    const [failed, expired, open, done, alsoExpired] = ['1', '2', '3', '4', '5'].map((id) => behind('upgrade', id));
    assert.ok(failed && expired && open && done && alsoExpired);
    failed.fail('turn-timeout');
    for (const job of [expired, alsoExpired]) job.fail('job-expired');
    done.enter('finalstage');
    done.leave('finalstage');
    assert.deepEqual(jobs.ended(), [expired, alsoExpired, failed, done]);
  });

  it('has changed when it reports that', () => {
    const job = behind('cloud', '1');
    const nameless = behind('cloud');
    const seen: unknown[] = [];
    jobs.on('changed', (one) => seen.push([one, one.deviceid, jobs.latest('1'), jobs.latest('2'), jobs.all().length]));
    jobs.identify(nameless, '2');
    job.fail('cancelled');
    jobs.forget(job);
    assert.deepEqual(seen, [
      [nameless, '2', job, nameless, 2],
      [job, '1', job, nameless, 2],
      [job, '1', undefined, nameless, 1],
    ]);
  });

  it('knows the open job of a device, and all devices in work', () => {
    const first = behind('cloud', '1');
    first.fail('turn-timeout');
    assert.equal(jobs.openJob('1'), undefined);
    const second = behind('cloud', '2');
    at('cloud');
    assert.equal(jobs.openJob('2'), second);
    assert.deepEqual(jobs.devicesInWork(), ['2']);
  });

  it('knows which jobs may have their device in FinalStage, the one that has waited longest first', () => {
    const [second, first, third] = [behind('upgrade', '1'), behind('upgrade', '2'), behind('upgrade', '3')];
    behind('upgrade', '4');
    second.finalStage = new FinalStageSession(new Date(2000));
    first.finalStage = new FinalStageSession(new Date(1000));
    third.finalStage = new FinalStageSession(new Date(3000));
    assert.deepEqual(jobs.awaitingFinalStage(), [first, second, third]);
    first.fail('finalstage-timeout');
    assert.deepEqual(jobs.awaitingFinalStage(), [second, third]);
  });

  it('knows which devices start their new firmware without FinalStage, while no stage looks after them', () => {
    const [job, other] = [behind('upgrade', '1'), behind('upgrade', '2')];
    const under = at('upgrade', '3');
    for (const one of [job, under]) one.route = ONE_HOP;
    other.route = FINALSTAGE;
    assert.deepEqual(jobs.awaitingNewFirmware(), [job]);
    job.running = new AbortController();
    assert.deepEqual(jobs.awaitingNewFirmware(), []);
    job.running = undefined;
    under.running = undefined;
    assert.deepEqual(jobs.awaitingNewFirmware(), [job], 'the other is in the middle of its upgrade');
    job.enter('newfirmware');
    assert.deepEqual(jobs.awaitingNewFirmware(), [job]);
    job.fail('one-hop-silent');
    assert.deepEqual(jobs.awaitingNewFirmware(), []);
    job.enter('newfirmware');
    job.leave('newfirmware');
    assert.deepEqual(jobs.awaitingNewFirmware(), [], 'it is done');
  });

  it('knows which jobs wait for a device: in the cloud stage, and for ten minutes after its set-up', () => {
    const waiting = at('cloud', '1');
    behind('cloud', '2');
    at('upgrade', '3');
    const fresh = behind('provision', '4');
    fresh.evidence.add({ kind: 'provisioned', answer: 'accepted' }, Date.now() - 9 * 60_000);
    const old = behind('provision', '5');
    old.evidence.add({ kind: 'provisioned', answer: 'accepted' }, Date.now() - 11 * 60_000);
    behind('provision', '6');
    const further = behind('provision', '7');
    further.evidence.add({ kind: 'provisioned', answer: 'accepted' });
    further.enter('upgrade');
    const inDiyMode = behind('provision', '8');
    inDiyMode.route = DIY;
    inDiyMode.evidence.add({ kind: 'provisioned', answer: 'accepted', route: 'diy' });
    assert.deepEqual(jobs.awaitingDevice(), [waiting, fresh]);
    old.evidence.add({ kind: 'provisioned', answer: 'accepted' });
    assert.deepEqual(jobs.awaitingDevice(), [waiting, fresh, old], 'set up once more');
    fresh.fail('cancelled');
    assert.deepEqual(jobs.awaitingDevice(), [waiting, old]);
  });

  it('remembers the newest hundred of those that have ended, and every open one', () => {
    const open = behind('cloud', 'open');
    for (let n = 0; n < 150; n++) jobs.jobFor('cloud', `${n}`).fail('cancelled');
    jobs.jobFor('cloud', 'last');
    const devices = jobs.all().map(({ deviceid }) => deviceid);
    assert.deepEqual([devices.length, devices[0], devices[1], devices.at(-1)], [102, 'open', '50', 'last']);
    assert.equal(jobs.latest('open'), open);
  });

  it('gives its jobs its patience and notices all their changes, also of those of an earlier run', () => {
    assert.equal(jobs.jobFor('cloud', '1').evidence.patience, PATIENCE);
    const patience = { ...PATIENCE };
    jobs = new JobRegistry(() => patience);
    jobs.on('changed', (...change) => changes.push(change));
    const job = jobs.jobFor('cloud', '1');
    const earlier = new Job('cloud', '2');
    jobs.restore(earlier);
    for (const one of [job, earlier]) {
      assert.equal(one.evidence.patience, patience);
      changes = [];
      one.learn({ model: 'x' });
      one.evidence.add({ kind: 'session-lost' });
      assert.deepEqual(changes, [
        [one, true],
        [one, false],
      ]);
    }
  });

  it('knows the newest job of a device, also when a job gets its device, another one, or is forgotten', () => {
    const jobs = new JobRegistry();
    const first = jobs.jobFor('cloud', 'a');
    first.fail('cancelled');
    const nameless = jobs.jobFor('cloud', undefined);
    assert.equal(jobs.latest('a'), first);
    jobs.identify(nameless, 'a');
    assert.equal(jobs.latest('a'), nameless);
    jobs.identify(nameless, 'b');
    assert.deepEqual([jobs.latest('a'), jobs.latest('b')], [first, nameless]);
    nameless.fail('cancelled');
    for (const job of [nameless, first]) assert.ok(jobs.forget(job));
    assert.deepEqual([jobs.latest('a'), jobs.latest('b')], [undefined, undefined]);
    const [older, newer] = [new Job('cloud', 'c'), new Job('cloud', 'c')];
    for (const job of [older, newer]) jobs.restore(job);
    assert.equal(jobs.latest('c'), newer);
    jobs.forget(newer);
    assert.equal(jobs.latest('c'), older);
  });
});
