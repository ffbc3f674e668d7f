import assert from 'node:assert/strict';
import files, { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { FollowingFile } from '../../lib/storage/following-file';
import { count, object } from '../../lib/storage/schema';
import { timers } from '../shared/left-behind';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const FORMAT = { format: 'sonota-test/1', schema: object<{ count: number }>({ count }) };

describe('flash/following-file', () => {
  let root: string;
  let folder: string;
  const told: string[] = [];
  const open = (): FollowingFile<{ count: number }> =>
    new FollowingFile({ folder, name: 'it.json' }, FORMAT, (text) => told.push(text));
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sonota-following-'));
    folder = join(root, 'own');
    told.length = 0;
  });
  afterEach(() => rm(root, { recursive: true }));

  it('writes what changes during a write, all of it in one go', async () => {
    const file = open();
    const written: number[] = [];
    const content = (count: number) => () => {
      written.push(count);
      if (count === 1) for (const next of [2, 3]) file.follow(content(next));
      return { count };
    };
    file.follow(content(0));
    file.follow(content(1));
    // The first write, then the one of what has changed meanwhile.
    for (let write = 1; write <= 2; write++) await file.settled();
    assert.deepEqual(written, [1, 3]);
    assert.deepEqual(open().read(), { count: 3 });
    assert.deepEqual(told, []);
  });

  it('is settled with what there was, though it changes again with each write', async () => {
    const file = open();
    let count = 0;
    let isOver = false;
    const changesAgain = (): { count: number } => {
      count += 1;
      if (!isOver) file.follow(changesAgain);
      return { count };
    };
    file.follow(changesAgain);
    await file.settled();
    isOver = true;
    assert.equal(open().read()?.count, 1);
    await file.settled();
  });

  it('is removed where there is nothing to keep', async () => {
    const file = open();
    file.follow(() => ({ count: 1 }));
    await file.settled();
    for (let times = 0; times < 2; times++) {
      file.follow(() => undefined);
      await file.settled();
      assert.deepEqual([await readdir(folder), told], [[], []]);
    }
  });

  it('reports once that it cannot be written, and is written as soon as it can', async () => {
    await writeFile(folder, 'a file in its place');
    const file = open();
    assert.equal(file.read(), undefined);
    for (const count of [1, 2]) {
      file.follow(() => ({ count }));
      await file.settled();
    }
    assert.equal(told.length, 1, told.join('\n'));
    await rm(folder);
    file.follow(() => ({ count: 3 }));
    await file.settled();
    assert.equal(await readFile(join(folder, 'it.json'), 'utf8'), '{"format":"sonota-test/1","count":3}\n');
    await rm(folder, { recursive: true });
    await writeFile(folder, 'a file in its place again');
    file.follow(() => ({ count: 4 }));
    await file.settled();
    assert.deepEqual(
      told.map((text) => text.replace(/(cannot be written): E[A-Z]+: .*/, '$1')),
      [1, 2].map(() => `${join(folder, 'it.json')} cannot be written`),
      'it could be in between',
    );
  });

  it('is for its owner alone', async () => {
    const file = open();
    file.follow(() => ({ count: 1 }));
    await file.settled();
    const modes = await Promise.all([folder, join(folder, 'it.json')].map(async (one) => (await stat(one)).mode));
    assert.deepEqual(
      modes.map((mode) => mode & 0o777),
      [0o700, 0o600],
    );
  });

  it('is for its process alone where it has no place: nothing is read, and no content asked for', async () => {
    const file = new FollowingFile<{ count: number }>(undefined, FORMAT, assert.fail);
    assert.equal(file.read(), undefined);
    file.follow(assert.fail);
    await file.settled();
    await file.settled(1000);
  });

  describe('with a disk that does not answer', () => {
    let goOn: () => void;
    beforeEach(() => {
      const { mkdir } = files;
      const waits = new Promise<void>((resolve) => (goOn = resolve));
      mock.method(files, 'mkdir', (...args: Parameters<typeof mkdir>) => waits.then(() => mkdir(...args)));
    });
    afterEach(timeGoesOn);
    afterEach(() => mock.restoreAll());

    it('is settled when the disk has had its time, and not before', async () => {
      timeStands(['setTimeout']);
      const file = open();
      file.follow(() => ({ count: 1 }));
      let isSettled = false;
      const settled = file.settled(2000).then(() => (isSettled = true));
      timePasses(1999);
      await new Promise(setImmediate);
      assert.equal(isSettled, false);
      timePasses(1);
      await settled;
      goOn();
      await file.settled();
      assert.deepEqual(open().read(), { count: 1 });
    });

    it('is settled before that where the disk answers, and leaves no timer', async () => {
      const file = open();
      file.follow(() => ({ count: 1 }));
      // The limit of the test itself is set only then.
      await Promise.resolve();
      const before = timers();
      const settled = file.settled(60_000);
      assert.equal(timers(), before + 1);
      goOn();
      await settled;
      assert.equal(timers(), before);
      assert.deepEqual(open().read(), { count: 1 });
    });
  });
});
