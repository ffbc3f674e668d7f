import assert from 'node:assert/strict';
import { contentOf, JobLines, type JobChanges } from '../../lib/flash/stored/job-journal';
import { Differences } from '../../lib/storage/differences';
import { jobFileContent } from '../../lib/flash/stored/job-schema';
import { read } from '../../lib/storage/schema';
import { mutationsOf } from '../shared/mutations';
import { ENTRY, JOB, PENDING } from './stored-samples';

const NOTHING: JobChanges = {
  jobs: new Map(),
  tickets: new Map(),
  entries: new Map(),
  queue: { isPaused: false, order: [] },
};
const SOME: JobChanges = {
  jobs: new Map([[JOB.id, JOB]]),
  tickets: new Map([[PENDING.id, PENDING]]),
  entries: new Map([
    ['e1', { ...ENTRY, id: 'e1' }],
    ['e2', { ...ENTRY, id: 'e2' }],
  ]),
  queue: { isPaused: true, order: ['e2', 'e1'] },
};

describe('flash/stored/job-journal', () => {
  const said = (...lines: (string | undefined)[]): ReturnType<typeof contentOf> =>
    contentOf(lines.flatMap((line) => (line === undefined ? [] : [JSON.parse(line) as unknown])));

  it('says in its lines, and in the whole, what there is', () => {
    const lines = new JobLines();
    const line = lines.update(SOME);
    assert.deepEqual(said(line), said(...lines.whole()));
    const { jobs, tickets, queue } = said(line);
    assert.deepEqual(jobs, JSON.parse(JSON.stringify([JOB])));
    assert.deepEqual(tickets, JSON.parse(JSON.stringify([PENDING])));
    const { isPaused, entries } = queue as { isPaused: boolean; entries: { id: string }[] };
    assert.deepEqual([isPaused, entries.map(({ id }) => id)], [true, ['e2', 'e1']]);
  });

  it('has no line where nothing has changed', () => {
    const lines = new JobLines();
    lines.update(SOME);
    assert.equal(lines.update(SOME), undefined);
    assert.equal(lines.update({ ...NOTHING, queue: SOME.queue }), undefined);
    assert.equal(lines.update({ ...NOTHING, jobs: new Map([['x', undefined]]), queue: SOME.queue }), undefined);
  });

  it('forgets what is gone, and takes what comes again as new', () => {
    const lines = new JobLines();
    const all = [lines.update(SOME)];
    all.push(lines.update({ ...NOTHING, jobs: new Map([[JOB.id, undefined]]), entries: new Map([['e1', undefined]]) }));
    assert.deepEqual([said(...all)['jobs'], lines.hasJob(JOB.id), lines.jobIds()], [[], false, []]);
    assert.deepEqual(said(...all), said(...lines.whole()));
    all.push(lines.update({ ...NOTHING, jobs: SOME.jobs }));
    assert.equal((said(...all)['jobs'] as unknown[]).length, 1);
    assert.deepEqual(said(...all), said(...lines.whole()));
  });

  it('reads whatever a line holds without a fault, as what can be checked', () => {
    const lines = new JobLines();
    const line = JSON.parse(lines.update(SOME) ?? '') as object;
    const odd = [...mutationsOf({ ...line, gone: ['x'] })].map(({ value }) => [value]);
    for (const some of [...odd, [null], [7], ['x'], [[]], [{}], []]) {
      const { value } = read(jobFileContent, contentOf(some));
      assert.ok(value, JSON.stringify(some));
    }
  });
});

describe('storage/differences', () => {
  it('reports what came, what has changed in itself, and what is gone', () => {
    const differences = new Differences<{ id: string; state: number; more?: number }>();
    const [one, two] = [
      { id: '1', state: 1 },
      { id: '2', state: 1 },
    ];
    assert.deepEqual([...differences.since([one, two]).keys()], ['1', '2']);
    assert.equal(differences.since([one, two]).size, 0);
    two.state = 2;
    assert.deepEqual([...differences.since([one, two])], [['2', two]]);
    Object.assign(one, { more: 1 });
    assert.deepEqual([...differences.since([one, two]).keys()], ['1']);
    assert.deepEqual([...differences.since([two])], [['1', undefined]]);
    assert.deepEqual([...differences.since([one, two]).keys()], ['1']);
  });
});
