import assert from 'node:assert/strict';
import { Job } from '../../lib/flash/job/job';
import { countdownEndOf, waitEndOf } from '../../lib/flash/run/wait-end';

describe('flash/run/wait-end', () => {
  /** A job whose stage has waited since 5000 for at most 60 s. */
  function waiting(stage: 'provision' | 'cloud' = 'cloud'): Job {
    const job = new Job(stage);
    job.running = new AbortController();
    job.lastReport = { name: 'wait-for-device', values: {} };
    job.evidence.add({ kind: 'stage', stage, event: 'began', seconds: 60 }, 5000);
    return job;
  }

  it('is when the time limit of the stage is over that waits now', () => {
    const job = waiting();
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'over' }, 6000);
    assert.deepEqual([waitEndOf(job), countdownEndOf(job)], [new Date(65_000), new Date(65_000)]);
    job.evidence.add({ kind: 'stage', stage: 'cloud', event: 'began', seconds: 1 }, 7000);
    assert.deepEqual(waitEndOf(job), new Date(8000));
  });

  for (const [what, change] of [
    ['that has said nothing', (job: Job) => (job.lastReport = undefined)],
    ['in which nothing runs', (job: Job) => (job.running = undefined)],
    ['that works', (job: Job) => (job.lastReport = { name: 'send-wifi', values: { deviceid: '1' } })],
    ['in another stage than the one that was observed', (job: Job) => job.enter('upgrade')],
  ] as const) {
    it(`is not known of a job ${what}`, () => {
      const job = waiting();
      change(job);
      assert.deepEqual([waitEndOf(job), countdownEndOf(job)], [undefined, undefined]);
    });
  }

  it('is not known of a job that was not observed from the start', () => {
    const job = new Job('cloud');
    job.running = new AbortController();
    job.lastReport = { name: 'wait-for-device', values: {} };
    assert.equal(waitEndOf(job), undefined);
  });

  it('is when the device closes its network, as long as that is open and before the time limit', () => {
    const job = waiting('provision');
    job.evidence.add({ kind: 'ap-looked', result: 'silent', joined: true }, 6000);
    const closes = 186_000;
    assert.deepEqual(countdownEndOf(job, 6000), new Date(65_000), 'the time limit comes before');
    job.evidence.add({ kind: 'stage', stage: 'provision', event: 'began', seconds: 600 }, 5000);
    job.evidence.add({ kind: 'ap-looked', result: 'silent', joined: true }, 6000);
    assert.deepEqual(countdownEndOf(job, closes - 1), new Date(closes));
    assert.deepEqual(countdownEndOf(job, closes), new Date(605_000));
    job.lastReport = { name: 'send-wifi', values: { deviceid: '1' } };
    assert.equal(countdownEndOf(job, 6000), undefined, 'it does not wait');
  });
});
