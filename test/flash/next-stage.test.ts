import assert from 'node:assert/strict';
import { nextStage } from '../../lib/flash/job/next-stage';
import type { JobSnapshot } from '../../lib/flash/job/job';
import type { StageName } from '../../lib/flash/routes';

describe('flash/next-stage', () => {
  /** All stages that follow on the set-up. */
  function course(job: Pick<JobSnapshot, 'intermediate' | 'stage'>): StageName[] {
    const stages: StageName[] = ['provision'];
    for (;;) {
      const next = nextStage(stages.at(-1) as StageName, job);
      if (next === undefined) return stages;
      stages.push(next);
    }
  }

  it('goes through FinalStage unless the flash is in one hop', () => {
    assert.deepEqual(course({ stage: 'provision' }), ['provision', 'cloud', 'upgrade', 'finalstage']);
    const known = { stage: 'upgrade', intermediate: 'finalstage' } as const;
    assert.deepEqual(course(known), ['provision', 'cloud', 'upgrade', 'finalstage']);
  });

  it('looks for the new firmware in its place where the flash is in one hop', () => {
    const job = { stage: 'upgrade', intermediate: 'one-hop' } as const;
    assert.deepEqual(course(job), ['provision', 'cloud', 'upgrade', 'newfirmware']);
  });

  it('flashes in DIY mode in the place of the cloud, once that is the route', () => {
    const job = { stage: 'provision', intermediate: 'diy' } as const;
    assert.deepEqual(course(job), ['provision', 'diy', 'newfirmware']);
  });

  it('has nothing behind a stage that is none of its route', () => {
    assert.equal(nextStage('diy', { stage: 'diy' }), undefined);
    assert.equal(nextStage('finalstage', { stage: 'finalstage', intermediate: 'one-hop' }), undefined);
    assert.equal(nextStage('newfirmware', { stage: 'newfirmware', intermediate: 'finalstage' }), undefined);
  });

  it('ends where the job is done', () => {
    for (const stage of ['provision', 'upgrade', 'finalstage'] as const) {
      assert.equal(nextStage(stage, { stage: 'done' }), undefined, stage);
    }
  });
});
