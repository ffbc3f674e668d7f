import assert from 'node:assert/strict';
import type { QueueEntry } from '../../lib/flash/job/queue-entry';
import { EntryList } from '../../lib/flash/queue/entry-list';
import { LostWatch } from '../../lib/flash/queue/lost-watch';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const MINUTE = 60_000;

describe('flash/queue/lost-watch', () => {
  let list: EntryList;
  let held: Set<QueueEntry>;
  let lost: [entry: QueueEntry, minutes: number][];
  let watch: LostWatch;

  beforeEach(() => {
    list = new EntryList();
    held = new Set();
    lost = [];
    watch = new LostWatch(
      () => list.in('running'),
      (entry) => held.has(entry),
      (entry, minutes) => {
        lost.push([entry, minutes]);
        entry.state = 'failed';
      },
    );
  });
  afterEach(() => watch.stop());

  function running(): QueueEntry {
    const entry = list.add({}, undefined, undefined);
    entry.state = 'running';
    return entry;
  }

  it('gives up a message that no node has held for fifteen minutes on end', () => {
    const entry = running();
    watch.look(0);
    watch.look(15 * MINUTE - 1);
    assert.equal(lost.length, 0);
    watch.look(15 * MINUTE);
    assert.deepEqual(lost, [[entry, 15]]);
    watch.look(40 * MINUTE);
    assert.equal(lost.length, 1);
  });

  it('counts again from when a node let it go, and what is held never', () => {
    const entry = running();
    const other = running();
    held.add(other);
    watch.look(0);
    held.add(entry);
    watch.look(14 * MINUTE);
    held.delete(entry);
    watch.look(20 * MINUTE);
    watch.look(34 * MINUTE);
    assert.equal(lost.length, 0);
    watch.look(35 * MINUTE);
    assert.deepEqual(
      lost.map(([one]) => one),
      [entry],
    );
  });

  it('counts from its start what is in work again as soon as it was given up', () => {
    const entry = running();
    watch = new LostWatch(
      () => list.in('running'),
      () => false,
      (one, minutes) => {
        lost.push([one, minutes]);
        // As the queue does, which starts the next one then.
        if (lost.length === 1) watch.look(15 * MINUTE);
      },
    );
    watch.look(0);
    watch.look(15 * MINUTE);
    watch.look(30 * MINUTE - 1);
    assert.deepEqual(lost, [[entry, 15]]);
    watch.look(30 * MINUTE);
    assert.equal(lost.length, 2);
  });

  it('counts a second attempt from its own start', () => {
    const entry = running();
    watch.look(0);
    entry.state = 'waiting';
    watch.look(10 * MINUTE);
    entry.state = 'running';
    watch.look(14 * MINUTE);
    watch.look(16 * MINUTE);
    assert.equal(lost.length, 0);
    watch.look(29 * MINUTE);
    assert.equal(lost.length, 1);
  });

  it('looks every five seconds while something is in work', () => {
    timeStands(['setInterval']);
    try {
      const entry = running();
      let looks = 0;
      const isHeld = (): boolean => Boolean((looks += 1));
      watch = new LostWatch(() => list.in('running'), isHeld, assert.fail);
      watch.look();
      watch.look();
      assert.equal(looks, 2);
      timePasses(4999);
      assert.equal(looks, 2);
      timePasses(1);
      assert.equal(looks, 3);
      timePasses(5000);
      assert.equal(looks, 4);
      watch.stop();
      timePasses(60_000);
      assert.equal(looks, 4);
      watch.look();
      entry.state = 'done';
      timePasses(60_000);
      assert.deepEqual([looks, watch['timer']], [5, undefined], 'nothing is in work');
    } finally {
      timeGoesOn();
    }
  });

  it('holds no process up', () => {
    running();
    watch.look(0);
    assert.equal(watch['timer']?.hasRef(), false);
  });
});
