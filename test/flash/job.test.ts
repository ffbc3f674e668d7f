import assert from 'node:assert/strict';
import { FlashError } from '../../lib/errors';
import { Job } from '../../lib/flash/job/job';
import { JobBook } from '../../lib/flash/job/job-book';
import { percentOfJob, STAGES } from '../../lib/flash/job/stages';

describe('flash/job', () => {
  it('has one percent over all stages, which never falls', () => {
    const job = new Job('provision', '1', new Date(0));
    const seen: number[] = [];
    for (const stage of STAGES.filter((one) => one !== 'newfirmware')) {
      job.enter(stage, new Date(1000));
      for (const fraction of [0.5, 0.2, 0.999, -1]) {
        job.advance(stage, fraction);
        seen.push(job.percent);
      }
      assert.ok(job.percent < percentOfJob(stage, 1));
      job.leave(stage, new Date(2000));
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

  it('goes on after a failure, and begins anew after its end or at an earlier stage', () => {
    const jobs = new JobBook();
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
    job.intermediate = 'one-hop';
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

  it('that is done stays done while somebody looks for the new firmware, and whatever comes of that', () => {
    const jobs = new JobBook();
    const job = jobs.jobFor('finalstage', '1');
    job.enter('finalstage');
    job.leave('finalstage');
    assert.equal(jobs.jobFor('newfirmware', '1'), job);
    job.enter('newfirmware');
    assert.deepEqual([job.stage, job.percent, job.isOpen], ['done', 100, false]);
    job.fail('new-firmware-silent');
    assert.deepEqual(
      [job.stage, job.error, job.snapshot().stages.newfirmware?.['error']],
      ['done', undefined, 'new-firmware-silent'],
    );
    job.enter('newfirmware');
    job.leave('newfirmware');
    assert.deepEqual([job.stage, job.percent], ['done', 100]);
    assert.notEqual(jobs.jobFor('provision', '1'), job);
  });

  it('is not ended by a look for the new firmware while another stage is at work', () => {
    const jobs = new JobBook();
    const job = jobs.jobFor('finalstage', '1');
    job.enter('finalstage');
    job.running = new AbortController();
    assert.throws(
      () => jobs.jobFor('newfirmware', '1'),
      (error) => error instanceof FlashError && error.code === 'device-busy',
    );
  });

  it('is not overtaken while a later stage of its device runs', () => {
    const jobs = new JobBook();
    const job = jobs.jobFor('finalstage', '1');
    job.enter('finalstage');
    job.running = new AbortController();
    assert.throws(
      () => jobs.jobFor('provision', '1'),
      (error) => error instanceof FlashError && error.code === 'device-busy',
    );
  });
});
