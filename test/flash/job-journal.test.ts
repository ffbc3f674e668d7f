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

  it('writes of each kind what has changed, and the queue only where that has', () => {
    const lines = new JobLines();
    const { queue } = SOME;
    assert.equal(lines.update(NOTHING), '{"queue":{"isPaused":false,"order":[]}}');
    assert.equal(lines.update({ ...NOTHING, queue }), '{"queue":{"isPaused":true,"order":["e2","e1"]}}');
    assert.equal(lines.update({ ...NOTHING, jobs: SOME.jobs, queue }), JSON.stringify({ jobs: [JOB] }));
    assert.equal(lines.update({ ...NOTHING, tickets: SOME.tickets, queue }), JSON.stringify({ tickets: [PENDING] }));
    assert.equal(
      lines.update({ ...NOTHING, entries: new Map([['e1', { ...ENTRY, id: 'e1' }]]), queue }),
      JSON.stringify({ entries: [{ ...ENTRY, id: 'e1' }] }),
    );
    const news = { ...JOB, lastStage: 'newfirmware' } as const;
    const gone = { tickets: new Map([[PENDING.id, undefined]]), entries: new Map([['e1', undefined]]) };
    assert.equal(
      lines.update({ jobs: new Map([[JOB.id, news]]), ...gone, queue: NOTHING.queue }),
      JSON.stringify({ jobs: [news], queue: NOTHING.queue, gone: [PENDING.id, 'e1'] }),
    );
    assert.deepEqual(lines.whole(), [JSON.stringify({ jobs: [news] }), JSON.stringify({ queue: NOTHING.queue })]);
  });

  it('reads the newest of each, what is gone of whatever kind, and the entries in their order', () => {
    const entry = (id: string, round = 1): object => ({ id, round });
    const content = contentOf([
      { queue: { isPaused: true, order: ['c', 'a'] }, entries: [entry('x'), entry('a'), entry('y'), entry('c')] },
      { jobs: [{ id: 'j', n: 1 }, { id: 'k' }], tickets: [{ id: 't' }, { id: 'u' }] },
      'no line',
      { jobs: [{ id: 'j', n: 2 }], entries: [entry('a', 2)], gone: ['k', 't'] },
    ]);
    assert.deepEqual(content, {
      jobs: [{ id: 'j', n: 2 }],
      tickets: [{ id: 'u' }],
      queue: { isPaused: true, entries: [entry('c'), entry('a', 2), entry('x'), entry('y')] },
    });
    assert.deepEqual(contentOf([{ entries: [entry('a')], gone: ['a'] }, { queue: 7 }]), {
      jobs: [],
      tickets: [],
      queue: { isPaused: false, entries: [] },
    });
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
    delete (one as { more?: number }).more;
    assert.deepEqual([...differences.since([one, two])], [['1', one]]);
    assert.equal(differences.since([one, two]).size, 0);
    assert.deepEqual([...differences.since([two])], [['1', undefined]]);
    assert.deepEqual([...differences.since([one, two]).keys()], ['1']);
  });
});
