import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SETTLED_MS, UnchangedFiles } from '../../lib/firmware/unchanged-files';

describe('firmware/unchanged-files', () => {
  let folder: string;
  let path: string;
  /** All that is written in a test has been there for long. */
  const later = (): number => Date.now() + 2 * SETTLED_MS;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-unchanged-'));
    path = join(folder, 'image.bin');
    await writeFile(path, 'one');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const read = async (files: UnchangedFiles, at = path): Promise<Buffer> =>
    files.read(at, await stat(at, { bigint: true }));

  it('gives the same bytes until the file has changed, however it was', async () => {
    const files = new UnchangedFiles(later);
    const one = await read(files);
    assert.equal(one.toString(), 'one');
    assert.equal(await read(files), one);
    const { atime, mtime } = await stat(path);
    await writeFile(path, 'two');
    await utimes(path, atime, mtime);
    const two = await read(files);
    assert.equal(two.toString(), 'two', 'as long, and with the time of before');
    assert.equal(await read(files), two);
    await writeFile(`${path}.new`, 'three');
    await rename(`${path}.new`, path);
    assert.equal((await read(files)).toString(), 'three');
  });

  it('reads a file again that may have changed since without a trace', async () => {
    const files = new UnchangedFiles();
    const one = await read(files);
    assert.notEqual(await read(files), one);
  });

  it('trusts the times of a file that has not changed for more than 3 s', async () => {
    const { mtimeMs, ctimeMs } = await stat(path, { bigint: true });
    const changedAt = Math.max(Number(mtimeMs), Number(ctimeMs));
    for (const [sinceMs, isTrusted] of [
      [3000, false],
      [3001, true],
    ] as const) {
      const files = new UnchangedFiles(() => changedAt + sinceMs);
      const one = await read(files);
      assert.equal((await read(files)) === one, isTrusted, `${sinceMs} ms`);
    }
  });

  it('remembers none that changes while it is read', async () => {
    const files = new UnchangedFiles(later);
    const before = await stat(path, { bigint: true });
    await writeFile(path, 'two');
    assert.equal((await files.read(path, before)).toString(), 'two');
    await writeFile(path, 'six');
    assert.equal((await read(files)).toString(), 'six');
    assert.equal((await files.read(path, before)).toString(), 'six', 'not what was there then');
  });

  it('remembers so many files and no more', async () => {
    const files = new UnchangedFiles(later);
    for (let count = 0; count < 25; count++) {
      const other = join(folder, `${count}.bin`);
      await writeFile(other, `${count}`);
      assert.equal((await read(files, other)).toString(), `${count}`);
    }
    assert.equal(files['known'].size, 20);
  });

  it('fails as the file system does', async () => {
    const files = new UnchangedFiles(later);
    const before = await stat(path, { bigint: true });
    await rm(path);
    await assert.rejects(files.read(path, before), { code: 'ENOENT' });
  });
});
