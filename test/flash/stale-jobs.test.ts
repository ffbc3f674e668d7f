import assert from 'node:assert/strict';
import { once } from 'node:events';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { endStaleJobs, endUnwatchedVisits, forgetSurplusJobs } from '../../lib/flash/host/stale-jobs';
import type { Job } from '../../lib/flash/job/job';
import { JobRegistry } from '../../lib/flash/job/job-registry';
import { UpgradeDownload } from '../../lib/flash/job/upgrade-download';
import { closeBenches, openBench } from './bench';

const DAY_MS = 24 * 60 * 60_000;
const SEEN = { kind: 'registered', peer: '192.0.2.7', via: 'tls' } as const;

describe('flash/stale jobs', () => {
  afterEach(closeBenches);

  /** A job in this stage, whose device was seen now. */
  function jobIn(jobs: JobRegistry, stage: 'provision' | 'cloud' | 'upgrade' | 'finalstage', deviceid: string): Job {
    const job = jobs.jobFor(stage, deviceid);
    job.enter(stage);
    job.evidence.add(SEEN, Date.now());
    return job;
  }

  for (const stage of ['provision', 'cloud'] as const) {
    it(`ends one that stopped in ${stage}, 24 h after the device was seen last`, () => {
      const jobs = new JobRegistry();
      const job = jobIn(jobs, stage, '1000a1b2c3');
      const seenAt = job.evidence.all.at(-1)?.at ?? 0;
      endStaleJobs(jobs, () => false, DAY_MS, seenAt + DAY_MS - 1);
      assert.equal(job.isOpen, true);
      endStaleJobs(jobs, () => false, DAY_MS, seenAt + DAY_MS);
      assert.deepEqual([job.stage, job.error], ['failed', 'job-expired']);
    });
  }

  it('ends none that a stage continues, whose device is connected, or that was sent an upgrade', () => {
    const jobs = new JobRegistry();
    const running = jobIn(jobs, 'cloud', '1000000001');
    running.running = new AbortController();
    jobIn(jobs, 'cloud', '1000000002');
    jobIn(jobs, 'cloud', '1000000003').evidence.add({ kind: 'upgrade-sent', version: '9', session: 1 });
    jobIn(jobs, 'cloud', '1000000004').download = new UpgradeDownload();
    jobIn(jobs, 'cloud', '1000000005').finalStage = new FinalStageSession();
    jobIn(jobs, 'upgrade', '1000000006');
    jobIn(jobs, 'finalstage', '1000000007');
    endStaleJobs(jobs, (deviceid) => deviceid === '1000000002', DAY_MS, Date.now() + 2 * DAY_MS);
    assert.deepEqual(new Set(jobs.all().map(({ isOpen }) => isOpen)), new Set([true]));
  });

  it('counts from the start of a job of which nothing was seen, whether or not its device is known', () => {
    const jobs = new JobRegistry();
    const startedAt = Date.now();
    const both = [undefined, '1000a1b2c3'].map((deviceid) => jobs.jobFor('provision', deviceid));
    const isConnected = (deviceid: string): boolean => deviceid !== '1000a1b2c3';
    endStaleJobs(jobs, isConnected, DAY_MS, startedAt + DAY_MS - 1);
    assert.deepEqual(
      both.map(({ isOpen }) => isOpen),
      [true, true],
    );
    endStaleJobs(jobs, isConnected, DAY_MS, Date.now() + DAY_MS);
    assert.deepEqual(
      both.map(({ error }) => error),
      ['job-expired', 'job-expired'],
    );
  });

  it('leaves of those that devices started unasked the 200 that were seen last, and all that a person has set up', () => {
    const jobs = new JobRegistry();
    const idOf = (count: number): string => `20${String(count).padStart(8, '0')}`;
    const add = (stage: 'provision' | 'cloud', deviceid: string, at: number): Job => {
      const job = jobs.jobFor(stage, deviceid);
      job.enter(stage);
      job.evidence.add(SEEN, at);
      return job;
    };
    const setUp = add('provision', '1000000001', 1);
    setUp.leave('provision');
    add('cloud', '1000000002', 1);
    add('cloud', '1000000003', 1).running = new AbortController();
    add('cloud', '1000000004', 1).fail('device-timeout');
    for (let count = 0; count < 200; count += 1) add('cloud', idOf(count), 1000 - count);
    const ids = (): unknown[] => jobs.all().map(({ deviceid }) => deviceid);
    const isConnected = (deviceid: string): boolean => deviceid === '1000000002';
    const before = ids();
    forgetSurplusJobs(jobs, isConnected);
    assert.deepEqual(ids(), before);
    for (let count = 200; count < 203; count += 1) add('cloud', idOf(count), 1000 - count);
    add('cloud', '3000000001', 2000);
    forgetSurplusJobs(jobs, isConnected);
    assert.deepEqual(
      ids(),
      [...before, '3000000001'].filter((id) => id !== idOf(199)),
      'those that were seen longest ago are gone',
    );
  });

  it('ends the stay in FinalStage that no stage has watched for longer than a person may need', () => {
    const jobs = new JobRegistry();
    const [left, recent, watched] = [1000, 1001, 1000].map((since, index) => {
      const job = jobIn(jobs, 'finalstage', `100000000${index}`);
      job.finalStage = new FinalStageSession(new Date(since));
      return job;
    }) as [Job, Job, Job];
    watched.running = new AbortController();
    endUnwatchedVisits(jobs, 500, 1501);
    assert.deepEqual(
      [left, recent, watched].map(({ finalStage, isOpen }) => [finalStage?.since.getTime(), isOpen]),
      [
        [undefined, true],
        [1001, true],
        [1000, true],
      ],
    );
  });

  it('is done by a host that listens, by the clock of its environment', async () => {
    const { host, around } = await openBench({}, { sweepMs: 10 });
    const job = jobIn(host.jobs, 'cloud', '1000a1b2c3');
    around.now = () => Date.now() + DAY_MS + 60_000;
    while (job.isOpen) await once(host.jobs, 'changed');
    assert.equal(job.error, 'job-expired');
  });
});
