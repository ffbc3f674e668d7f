import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FollowingFile } from '../../lib/storage/following-file';
import { count, object } from '../../lib/storage/schema';

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
    file.follow(() => undefined);
    await file.settled();
    assert.deepEqual(await readdir(folder), []);
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
  });
});
