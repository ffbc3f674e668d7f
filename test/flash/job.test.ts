import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import type { Firmware } from '../../lib/firmware/firmware';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { Job } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { DIY, FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { wording } from '../../lib/wordings/wording';
import { DERIVED_EVERY_MS } from '../../lib/timing/throttle';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const DEVICE = '1000a1b2c3';
const FACTS = {
  model: 'ITA-GZ1-GL',
  romVersion: '1.5.5',
  ip: '192.0.2.7',
  mac: '5C:CF:7F:01:02:03',
  linkMac: '5C:CF:7F:01:02:04',
  bssid: '5E:CF:7F:01:02:03',
};

describe('flash/job', () => {
  afterEach(timeGoesOn);

  it('starts when it is made', () => {
    timeStands(['Date'], 12_345);
    assert.equal(new Job('provision').startedAt.getTime(), 12_345);
  });

  it('has one percent over all stages, which never falls', () => {
    const job = new Job('provision', '1', new Date(0));
    const seen: number[] = [];
    for (const { stage } of FINALSTAGE.stages.slice(0, 4)) {
      job.enter(stage, new Date(1000));
      for (const fraction of [0.5, 0.2, 0.999, -1]) {
        job.advance(stage, fraction);
        seen.push(job.percent);
      }
      const before = job.percent;
      assert.ok(before < 100);
      job.leave(stage, new Date(2000));
      assert.ok(job.percent > before, 'only its end completes a stage');
      seen.push(job.percent);
    }
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
    assert.deepEqual(
      [4, 9, 14, 19].map((index) => seen[index]),
      [10, 20, 60, 100],
    );
    assert.equal(job.stage, 'done');
  });

  it('is plain data in a message, with times in ISO 8601', () => {
    const job = new Job('cloud', undefined, new Date(0));
    job.enter('cloud', new Date(1000));
    job.found('cloud', { via: 'tls' });
    job.fail('nothing-arrived', new Date(2000));
    assert.deepEqual(job.snapshot(), {
      deviceid: null,
      model: null,
      romVersion: null,
      ip: null,
      mac: null,
      stage: 'failed',
      percent: 10,
      startedAt: '1970-01-01T00:00:00.000Z',
      stages: {
        cloud: { startedAt: '1970-01-01T00:00:01.000Z', endedAt: '1970-01-01T00:00:02.000Z', percent: 0, via: 'tls' },
      },
      error: 'nothing-arrived',
    });
  });

  it('carries all that is known of it in a message', () => {
    const job = new Job('cloud', DEVICE, new Date(0));
    assert.equal(job.percent, 0);
    job.enter('cloud', new Date(1000));
    job.learn(FACTS);
    job.route = ONE_HOP;
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 300 });
    job.leave('cloud', new Date(2000));
    const { verdict, ...rest } = job.snapshot();
    assert.deepEqual(rest, {
      deviceid: DEVICE,
      ...FACTS,
      stage: 'cloud',
      percent: 20,
      startedAt: '1970-01-01T00:00:00.000Z',
      stages: {
        cloud: { startedAt: '1970-01-01T00:00:01.000Z', endedAt: '1970-01-01T00:00:02.000Z', percent: 100 },
      },
      intermediate: 'one-hop',
    });
    const { code, confidence, text, values } = job.evidence.verdict();
    assert.deepEqual(verdict, { code, confidence, text, values });
  });

  it('is in a message as it was then, whatever comes after that', () => {
    const job = new Job('cloud', DEVICE, new Date(0));
    job.enter('cloud', new Date(1000));
    const snapshot = job.snapshot();
    const stored = structuredClone(snapshot);
    const again = Job.restore({ id: job.id, lastStage: 'cloud', snapshot });
    for (const one of [job, again]) {
      one.found('cloud', { via: 'tls' });
      one.leave('cloud', new Date(2000));
    }
    assert.deepEqual(snapshot, stored);
  });

  it('continues after a failure, and starts over after its end or at an earlier stage', () => {
    const jobs = new JobRegistry();
    const job = jobs.jobFor('upgrade', '1');
    job.enter('upgrade');
    job.fail('download-failed');
    assert.equal(jobs.jobFor('upgrade', '1'), job);
    assert.notEqual(jobs.jobFor('provision', '1'), job);
    const next = jobs.jobFor('finalstage', '1');
    next.enter('finalstage');
    next.leave('finalstage');
    assert.notEqual(jobs.jobFor('finalstage', '1'), next);
  });

  it('without FinalStage ends with the new firmware, which covers the same part of it', () => {
    const job = new Job('upgrade', '1');
    job.route = ONE_HOP;
    job.enter('upgrade');
    job.leave('upgrade');
    job.enter('finalstage');
    job.advance('finalstage', 0.5);
    job.leave('finalstage');
    assert.deepEqual([job.stage, job.percent], ['finalstage', 60]);
    job.enter('newfirmware');
    job.advance('newfirmware', 0.5);
    assert.deepEqual([job.stage, job.percent], ['newfirmware', 80]);
    job.leave('newfirmware');
    assert.deepEqual([job.stage, job.percent], ['done', 100]);
  });

  it('that is done stays done during a look for the new firmware, and whatever comes of that', () => {
    const jobs = new JobRegistry();
    const job = jobs.jobFor('finalstage', '1');
    job.enter('finalstage');
    job.leave('finalstage');
    assert.equal(jobs.jobFor('newfirmware', '1'), job);
    job.enter('newfirmware');
    assert.deepEqual([job.stage, job.percent, job.isOpen], ['done', 100, false]);
    job.lastReport = { name: 'wait-for-finalstage', values: {} };
    job.fail('new-firmware-silent', new Date(7000));
    assert.deepEqual([job.stage, job.error, job.lastReport], ['done', undefined, undefined]);
    const { startedAt, ...look } = job.snapshot().stages.newfirmware ?? {};
    assert.deepEqual(
      [startedAt !== undefined, look],
      [true, { endedAt: new Date(7000).toISOString(), percent: 0, error: 'new-firmware-silent' }],
    );
    job.enter('newfirmware');
    job.leave('newfirmware');
    assert.deepEqual([job.stage, job.percent], ['done', 100]);
    assert.notEqual(jobs.jobFor('provision', '1'), job);
  });

  it('is not ended by a look for the new firmware while another stage is at work', () => {
    const jobs = new JobRegistry();
    const job = jobs.jobFor('finalstage', '1');
    job.enter('finalstage');
    job.running = new AbortController();
    const values = { deviceid: '1', stage: wording('stage-finalstage') };
    assert.throws(() => jobs.jobFor('newfirmware', '1'), new FlashError('device-busy', values));
    job.running = undefined;
    assert.equal(jobs.jobFor('newfirmware', '1'), job);
  });

  it('is not overtaken while a later stage of its device runs', () => {
    const jobs = new JobRegistry();
    const job = jobs.jobFor('finalstage', '1');
    job.enter('finalstage');
    job.running = new AbortController();
    const values = { deviceid: '1', stage: wording('stage-finalstage') };
    assert.throws(() => jobs.jobFor('provision', '1'), new FlashError('device-busy', values));
  });

  it('reports every change, and which of them a restart must know; of what flows four times a second', () => {
    timeStands();
    const job = new Job('cloud', '1');
    const turns: boolean[] = [];
    const images = {};
    job.onChange = (isDurable) => void turns.push(isDurable);
    const after = (act: () => void): boolean[] => {
      turns.length = 0;
      act();
      return [...turns];
    };
    assert.deepEqual(
      after(() => job.enter('cloud')),
      [true],
    );
    assert.deepEqual(
      after(() => job.learn({ ip: '192.0.2.7' })),
      [true],
    );
    assert.deepEqual(
      after(() => job.evidence.add({ kind: 'session-lost' })),
      [false],
    );
    assert.deepEqual(
      after(() => (job.firmware = images)),
      [true],
    );
    assert.equal(job.firmware, images);
    assert.deepEqual(
      after(() => (job.route = ONE_HOP)),
      [true],
    );
    const session = new FinalStageSession();
    assert.deepEqual(
      after(() => (job.finalStage = session)),
      [true],
    );
    assert.deepEqual(
      after(() => session.requested('final', 8192)),
      [true],
    );
    assert.deepEqual(
      after(() => timePasses(DERIVED_EVERY_MS)),
      [false],
    );
    const download = new UpgradeDownload();
    assert.deepEqual(
      after(() => (job.download = download)),
      [true],
    );
    assert.equal(job.download, download);
    assert.deepEqual(
      after(() => (job.finalStage = undefined)),
      [true],
    );
    assert.deepEqual(
      after(() => {
        for (let to = 1; to <= 100; to++) download.sentUpTo(to);
      }),
      [],
    );
    assert.deepEqual(
      after(() => timePasses(DERIVED_EVERY_MS)),
      [false],
    );
    download.sentUpTo(101);
    assert.deepEqual(
      after(() => download.offered()),
      [true],
    );
    assert.deepEqual(
      after(() => timePasses(DERIVED_EVERY_MS)),
      [],
      'that was reported with it',
    );
    assert.deepEqual(
      after(() => download.taken()),
      [true, false],
    );
    assert.deepEqual(
      after(() => job.leave('cloud')),
      [true],
    );
    assert.deepEqual(
      after(() => job.fail('cancelled')),
      [true],
    );
    const done = new Job('finalstage', '1');
    done.enter('finalstage');
    done.leave('finalstage');
    done.onChange = (isDurable) => void turns.push(isDurable);
    assert.deepEqual(
      after(() => done.fail('new-firmware-silent')),
      [true],
    );
  });

  for (const [how, end] of [
    ['fails', (job: Job) => job.fail('finalstage-timeout')],
    ['is done', (job: Job) => job.leave('finalstage')],
  ] as const) {
    it(`serves no device in FinalStage any more when it ${how}, and announces nothing`, () => {
      const job = new Job('finalstage', '1');
      job.enter('finalstage');
      job.finalStage = new FinalStageSession();
      job.lastReport = { name: 'wait-for-finalstage', values: {} };
      const seen: unknown[] = [];
      job.onChange = () => seen.push([job.finalStage, job.lastReport, job.isOpen, job.hasLeft('finalstage')]);
      end(job);
      assert.deepEqual(seen, [[undefined, undefined, false, how === 'is done']], 'once, when it is so');
      assert.deepEqual([job.finalStage, job.lastReport, job.isOpen], [undefined, undefined, false]);
    });
  }

  it('announces nothing any more after a stage that is not the last', () => {
    const job = new Job('cloud', '1');
    job.enter('cloud');
    job.lastReport = { name: 'wait-for-finalstage', values: {} };
    job.leave('cloud');
    assert.deepEqual([job.lastReport, job.isOpen], [undefined, true]);
  });

  it('is open again without its error when it enters a stage once more, with what that stage found before', () => {
    const job = new Job('upgrade', '1');
    job.enter('upgrade', new Date(1000));
    job.advance('upgrade', 0.5);
    job.found('upgrade', { image: 'user1' });
    job.fail('download-failed', new Date(2000));
    assert.deepEqual([job.percent, job.hasLeft('upgrade'), job.leftAt('upgrade')], [40, false, new Date(2000)]);
    job.enter('upgrade', new Date(3000));
    assert.deepEqual([job.stage, job.error, job.percent], ['upgrade', undefined, 40]);
    assert.deepEqual(job.snapshot().stages.upgrade, {
      startedAt: new Date(3000).toISOString(),
      endedAt: null,
      percent: 0,
      image: 'user1',
    });
    job.leave('upgrade', new Date(4000));
    assert.deepEqual(job.leftAt('upgrade'), new Date(4000));
    assert.deepEqual(
      [3999, 4000, 4001].map((since) => job.hasLeft('upgrade', new Date(since))),
      [true, true, false],
    );
    assert.deepEqual([job.hasLeft('upgrade'), job.hasLeft('finalstage')], [true, false]);
  });

  it('has changed when it reports that', () => {
    timeStands(['Date', 'setTimeout'], 5000);
    const job = new Job('upgrade', '1');
    const seen: unknown[] = [];
    job.onChange = () => {
      const { stage, percent, error, lastReport, route, firmware, finalStage, download, facts } = job;
      seen.push({ stage, percent, error, lastReport, route, firmware, finalStage, download, facts });
      seen.push(job.snapshot().stages.upgrade);
    };
    const after = (act: () => void): unknown[] => {
      act();
      return seen.splice(0);
    };
    const images = { final: { role: 'final', sha256: 'x' } } as unknown as Firmware;
    const session = new FinalStageSession();
    const download = new UpgradeDownload();
    const times = { startedAt: new Date(5000).toISOString(), endedAt: null };
    let now: object = { error: undefined, lastReport: undefined, finalStage: undefined, download: undefined };
    now = { ...now, stage: 'upgrade', percent: 20, route: undefined, firmware: {}, facts: {} };
    const record = { ...times, percent: 0 };
    assert.deepEqual(
      after(() => job.enter('upgrade')),
      [now, record],
    );
    for (const [what, act, more] of [
      ['route', () => (job.route = FINALSTAGE), { route: FINALSTAGE }],
      ['firmware', () => (job.firmware = images), { firmware: images }],
      ['download', () => (job.download = download), { download }],
      ['session', () => (job.finalStage = session), { finalStage: session }],
      ['facts', () => job.learn({ model: 'x' }), { facts: { model: 'x' } }],
    ] as const) {
      now = { ...now, ...more };
      assert.deepEqual(after(act), [now, record], what);
    }
    timePasses(1000);
    const ended = { ...times, endedAt: new Date(6000).toISOString() };
    const restored = Job.restore({ id: job.id, lastStage: 'upgrade', snapshot: job.snapshot() });
    restored.onChange = () => seen.push([restored.stage, restored.percent, restored.isResuming('upgrade')]);
    job.lastReport = { name: 'wait-for-finalstage', values: {} };
    assert.deepEqual(
      after(() => job.leave('upgrade')),
      [
        { ...now, percent: 60 },
        { ...ended, percent: 100 },
      ],
    );
    job.enter('upgrade');
    job.lastReport = { name: 'wait-for-finalstage', values: {} };
    seen.length = 0;
    const failed = { ...now, percent: 60, stage: 'failed', error: 'cancelled', finalStage: undefined };
    assert.deepEqual(
      after(() => job.fail('cancelled')),
      [failed, { startedAt: ended.endedAt, endedAt: ended.endedAt, percent: 0 }],
    );
    assert.deepEqual(
      after(() => restored.fail('cancelled')),
      [['failed', 20, false]],
    );
  });

  it('has a verdict as soon as something was seen', () => {
    const job = new Job('cloud', '1');
    assert.ok(!('verdict' in job.snapshot()));
    job.evidence.add({ kind: 'session-lost' });
    assert.equal(job.snapshot().verdict?.code, 'on-course');
  });

  it('sees of what is learned the news alone, and keeps the rest', () => {
    const job = new Job('cloud', '1');
    job.learn({ model: 'ITA-GZ1-GL', ip: '192.0.2.7' });
    job.learn({ ip: '192.0.2.7' });
    job.learn({ model: 'ITA-GZ1-GL', ip: '192.0.2.8' });
    assert.deepEqual(job.facts, { model: 'ITA-GZ1-GL', ip: '192.0.2.8' });
    assert.deepEqual(
      job.evidence.all.map((seen) => ({ ...seen, at: 0 })),
      [
        { at: 0, kind: 'device-facts', model: 'ITA-GZ1-GL', ip: '192.0.2.7' },
        { at: 0, kind: 'device-facts', ip: '192.0.2.8' },
      ],
    );
  });

  it('finds nothing for a stage that it was not in', () => {
    const job = new Job('cloud', '1');
    job.found('cloud', { via: 'tls' });
    assert.deepEqual(job.snapshot().stages, {});
  });

  it('holds the one place in FinalStage from its download there until its end', () => {
    const job = new Job('upgrade', '1');
    const held: boolean[] = [];
    const look = (): unknown => held.push(job.holdsFinalStage);
    look();
    job.download = new UpgradeDownload();
    look();
    job.route = ONE_HOP;
    look();
    job.route = FINALSTAGE;
    look();
    job.download = undefined;
    look();
    assert.equal(job.continuesUnattended, false, 'it is open, no more');
    job.finalStage = new FinalStageSession();
    look();
    assert.deepEqual([job.mayBeInFinalStage, job.continuesUnattended], [true, true]);
    job.fail('cancelled');
    look();
    assert.deepEqual(held, [false, false, false, true, false, true, false]);
    assert.deepEqual([job.mayBeInFinalStage, job.continuesUnattended], [false, false]);
    const downloading = new Job('upgrade', '2');
    downloading.route = FINALSTAGE;
    downloading.download = new UpgradeDownload();
    assert.equal(downloading.holdsFinalStage, true);
    downloading.fail('cancelled');
    assert.equal(downloading.holdsFinalStage, false, 'its download is over with it');
  });

  it('has fetched all when it has left the stage in which its route serves it, and resumes in one that continues', () => {
    for (const [route, stages, resumesAt] of [
      [FINALSTAGE, ['upgrade', 'finalstage'], 'finalstage'],
      [ONE_HOP, ['upgrade'], undefined],
      [DIY, ['diy'], undefined],
    ] as const) {
      const job = new Job('provision', '1');
      job.route = route;
      for (const stage of stages) {
        job.enter(stage);
        assert.equal(job.hasFetchedAll, false, `${route.name} in ${stage}`);
        assert.equal(job.resumableStage, stage === resumesAt ? stage : undefined, `${route.name} in ${stage}`);
        job.leave(stage);
      }
      assert.equal(job.hasFetchedAll, true, route.name);
    }
    const passedBy = new Job('finalstage', '1');
    passedBy.route = ONE_HOP;
    assert.equal(passedBy.resumableStage, undefined);
    const unknown = new Job('finalstage', '1');
    unknown.enter('finalstage');
    assert.equal(unknown.resumableStage, 'finalstage', 'only one route has it');
    unknown.leave('finalstage');
    assert.equal(unknown.hasFetchedAll, false);
  });

  it('counts percents of a stage and of the whole between nothing and all', () => {
    const job = new Job('upgrade', '1');
    job.enter('upgrade');
    job.advance('upgrade', 0.999);
    assert.deepEqual([job.percent, job.snapshot().stages.upgrade?.percent], [59, 99]);
    job.advance('upgrade', 7);
    assert.deepEqual([job.percent, job.snapshot().stages.upgrade?.percent], [60, 100]);
    job.advance('cloud', 0.5);
    assert.equal(job.percent, 60);
  });

  it('can be forgotten when no stage runs and no device may still be served', () => {
    const job = new Job('upgrade', '1');
    assert.equal(job.isForgettable, true);
    job.running = new AbortController();
    assert.equal(job.isForgettable, false);
    job.running = undefined;
    job.finalStage = new FinalStageSession();
    assert.equal(job.isForgettable, false);
    job.fail('cancelled');
    assert.equal(job.isForgettable, true);
  });

  describe('after a restart of ours', () => {
    function restored(job: Job): Job {
      const { id, lastStage } = job;
      return Job.restore({ id, lastStage, snapshot: structuredClone(job.snapshot()) });
    }

    it('is what it was', () => {
      const job = new Job('cloud', '1', new Date(0));
      job.enter('cloud', new Date(1000));
      job.learn(FACTS);
      job.found('cloud', { via: 'tls' });
      job.route = ONE_HOP;
      job.leave('cloud', new Date(2000));
      const again = restored(job);
      again.evidence.restore(job.evidence.all);
      assert.deepEqual(again.snapshot(), job.snapshot());
      assert.deepEqual([again.id, again.lastStage, again.percent, again.facts], [job.id, 'cloud', 20, FACTS]);
      assert.deepEqual(again.startedAt, new Date(0));
      assert.equal(again.isResuming('cloud'), false);
    });

    it('knows nothing that it did not know before', () => {
      const again = restored(new Job('cloud'));
      assert.equal(again.deviceid, undefined);
      assert.deepEqual(again.facts, {});
    });

    it('continues in the stage that the restart broke into, until it has left that', () => {
      const job = new Job('upgrade', '1');
      job.enter('upgrade');
      for (const [what, act, isResuming] of [
        ['restored', () => undefined, true],
        ['entered', (one: Job) => one.enter('upgrade'), true],
        ['left', (one: Job) => one.leave('upgrade'), false],
        ['failed', (one: Job) => one.fail('cancelled'), false],
        ['entered another', (one: Job) => one.enter('finalstage'), false],
      ] as const) {
        const again = restored(job);
        act(again);
        assert.equal(again.isResuming('upgrade'), isResuming, what);
        assert.equal(again.isResuming('finalstage'), false, what);
      }
    });

    it('has ended as it had', () => {
      const failed = new Job('upgrade', '1');
      failed.enter('upgrade');
      failed.fail('download-failed');
      const again = restored(failed);
      assert.deepEqual([again.stage, again.error, again.isResuming('upgrade')], ['failed', 'download-failed', false]);
      const done = new Job('finalstage', '1');
      done.enter('finalstage');
      done.leave('finalstage');
      assert.deepEqual([restored(done).stage, restored(done).isOpen], ['done', false]);
    });
  });
});
