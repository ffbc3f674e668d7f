import assert from 'node:assert/strict';
import { once } from 'node:events';
import { FinalStageSession } from '../../lib/flash/job/finalstage-session';
import { endStaleJobs } from '../../lib/flash/host/stale-jobs';
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

  it('is done by a host that listens, by the clock of its environment', async () => {
    const { host, around } = await openBench({}, { sweepMs: 10 });
    const job = jobIn(host.jobs, 'cloud', '1000a1b2c3');
    around.now = () => Date.now() + DAY_MS + 60_000;
    while (job.isOpen) await once(host.jobs, 'changed');
    assert.equal(job.error, 'job-expired');
  });
});
