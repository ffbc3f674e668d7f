import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { mock } from 'node:test';
import { removeLeftovers, syncFolder, writeAtomically } from '../../lib/storage/atomic-file';
import { watchDisk } from './disk-order';

describe('storage/atomic-file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-atomic-'));
  });
  afterEach(async () => {
    mock.restoreAll();
    await rm(folder, { recursive: true });
  });
  const path = (name: string): string => join(folder, name);

  it('writes text and bytes, for their owner alone, in the place of what was there', async () => {
    await writeFile(path('it'), 'of before, and longer', { mode: 0o644 });
    for (const content of ['ü', Buffer.from([1, 2, 3])]) {
      await writeAtomically(folder, 'it', content);
      assert.deepEqual(await readFile(path('it')), Buffer.from(content));
      assert.equal((await stat(path('it'))).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(folder), ['it']);
    }
  });

  it('takes its name when every byte is on the disk, and has its name there at last', async () => {
    const nameOf = (path: string): string => basename(path).replace(/^\.it\.[\da-f]{12}\.part$/, 'part');
    const done = watchDisk(nameOf);
    await writeAtomically(folder, 'it', 'content');
    const own = basename(folder);
    assert.deepEqual(done, [
      ...['writeFile part', 'sync part', 'close part'],
      'rename part to it',
      ...[`sync ${own}`, `close ${own}`],
    ]);
  });

  it('leaves nothing behind where it cannot be written, closed what it had opened, and what was there as it was', async () => {
    await mkdir(path('folder/full'), { recursive: true });
    const done = watchDisk((path) => (path.endsWith('.part') ? 'part' : basename(path)));
    await assert.rejects(writeAtomically(folder, 'folder', 'content'), (error: NodeJS.ErrnoException) => {
      return ['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '');
    });
    assert.deepEqual(done, ['writeFile part', 'sync part', 'close part']);
    await assert.rejects(writeAtomically(folder, 'it', 7 as unknown as string), TypeError);
    assert.deepEqual(done.slice(3), ['close part']);
    await assert.rejects(writeAtomically(path('none'), 'it', ''), { code: 'ENOENT', syscall: 'open' });
    assert.deepEqual((await readdir(folder, { recursive: true })).sort(), ['folder', join('folder', 'full')]);
  });

  it('is one of those that write the same name at the same time, whole', async () => {
    const contents = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(10_000));
    await Promise.all(contents.map((content) => writeAtomically(folder, 'it', content)));
    assert.ok(contents.includes(await readFile(path('it'), 'utf8')));
    assert.deepEqual(await readdir(folder), ['it']);
  });

  it('removes what a crash has left of unfinished writes, and nothing else', async () => {
    const kept = ['.a.partial', '.part', 'a.b', 'a.part', 'part'];
    for (const name of [...kept, '.a.part', '.a.b.0123456789ab.part']) await writeFile(path(name), '');
    await removeLeftovers(folder);
    assert.deepEqual((await readdir(folder)).sort(), kept);
  });

  it('needs no folder that can be synced', async () => {
    await syncFolder(path('none'));
  });
});
