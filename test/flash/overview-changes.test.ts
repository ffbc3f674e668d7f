import assert from 'node:assert/strict';
import { OverviewJournal, type ShownHost } from '../../lib/flash/overview/overview-changes';

describe('flash/overview/overview-changes', () => {
  const shown = (more: Partial<Record<keyof ShownHost, unknown>> = {}): ShownHost =>
    ({ id: 'host', name: 'My host', isListening: true, jobs: [{ id: 'a', percent: 1 }], ...more }) as ShownHost;
  /** Without what is undefined. */
  const plain = (one: unknown): unknown => JSON.parse(JSON.stringify(one));

  it('has all of it for one that knows nothing, then what has changed since, for each who asks', () => {
    const journal = new OverviewJournal();
    const first = journal.since(undefined, [shown()]);
    const { jobs, ...host } = shown();
    const whole = [{ ...host, order: ['a'], jobs }];
    assert.deepEqual(plain(first.hosts), whole);
    assert.deepEqual(plain(journal.since(first.at, [shown()]).hosts), [{ id: 'host', jobs: [] }]);
    const renamed = journal.since(first.at, [shown({ name: 'Other' })]);
    assert.deepEqual(plain(renamed.hosts), [{ ...host, name: 'Other', jobs: [] }]);
    const more = shown({ name: 'Other', jobs: [{ id: 'b' }, { id: 'a', percent: 1 }] });
    const added = [{ id: 'host', order: ['b', 'a'], jobs: [{ id: 'b' }] }];
    assert.deepEqual(plain(journal.since(renamed.at, [more]).hosts), added);
    assert.deepEqual(plain(journal.since(renamed.at, [more]).hosts), added, 'the answer may have been lost');
    const { jobs: _jobs, ...other } = more;
    assert.deepEqual(plain(journal.since(first.at, [more]).hosts), [
      { ...other, order: ['b', 'a'], jobs: [{ id: 'b' }] },
    ]);
    assert.deepEqual(plain(new OverviewJournal().since(first.at, [shown()]).hosts), whole, 'of another run');
    for (const at of ['', 'x', `${first.at.split('.')[0]}.x`]) {
      assert.deepEqual(plain(journal.since(at, [more]).hosts), [{ ...other, order: ['b', 'a'], jobs: more.jobs }], at);
    }
  });

  it('has what comes back after it was gone, and hosts apart', () => {
    const journal = new OverviewJournal();
    const { at } = journal.since(undefined, [shown(), shown({ id: 'other' })]);
    const gone = journal.since(at, [shown({ jobs: [] })]);
    assert.deepEqual(plain(gone.hosts), [{ id: 'host', order: [], jobs: [] }]);
    const back = plain(journal.since(gone.at, [shown(), shown({ id: 'other' })]).hosts);
    assert.deepEqual(back, [
      { id: 'host', order: ['a'], jobs: [{ id: 'a', percent: 1 }] },
      { ...shown({ id: 'other' }), order: ['a'] },
    ]);
  });
});
