import assert from 'node:assert/strict';
import files, { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { mock } from 'node:test';
import { Journal } from '../../lib/storage/journal';
import { watchDisk } from './disk-order';

const FORMAT = 'sonota-test/1';
const HEADER = '{"format":"sonota-test/1"}';
/** So much may be added to a small file before all of it is written again; bytes. */
const GROWTH = 256 * 1024;

describe('storage/journal', () => {
  let folder: string;
  let path: string;
  let journal: Journal;
  const told: string[] = [];
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'sonota-journal-')), 'own');
    path = join(folder, 'it.jsonl');
    journal = open();
    told.length = 0;
  });
  afterEach(async () => {
    mock.restoreAll();
    await rm(join(folder, '..'), { recursive: true });
  });

  function open(): Journal {
    return new Journal(folder, 'it.jsonl', FORMAT);
  }

  const content = (): Promise<string> => readFile(path, 'utf8');
  const read = (): unknown[] | undefined => open().read((text) => told.push(text));
  /** Adds a line; the whole is written as this one line, so that it can be told from an addition. */
  const add = (line: string): Promise<void> => journal.add(line, () => ['"whole"']);
  const notWhole = (): never => assert.fail('it needs no whole');

  /** The text of a file, made by hand. */
  async function lies(text: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(path, text);
  }

  it('starts with its format and the whole, for its owner alone, and adds a line a change', async () => {
    assert.equal(journal.path, path);
    assert.equal(journal.needsWhole, true);
    await journal.add('{"new":1}', () => ['{"whole":1}', '{"whole":2}']);
    assert.equal(journal.needsWhole, false);
    assert.equal(await content(), `${HEADER}\n{"whole":1}\n{"whole":2}\n`);
    const modes = await Promise.all([folder, path].map(async (one) => (await stat(one)).mode & 0o777));
    assert.deepEqual(modes, [0o700, 0o600]);
    for (const line of ['{"new":2}', '{"new":3}']) await journal.add(line, notWhole);
    assert.equal(await content(), `${HEADER}\n{"whole":1}\n{"whole":2}\n{"new":2}\n{"new":3}\n`);
    assert.deepEqual(read(), [{ whole: 1 }, { whole: 2 }, { new: 2 }, { new: 3 }]);
    assert.deepEqual([told, await readdir(folder)], [[], ['it.jsonl']]);
  });

  it('makes its folder before it writes there', async () => {
    const { mkdir: real } = files;
    mock.method(files, 'mkdir', async (...args: Parameters<typeof real>) => {
      await new Promise(setImmediate);
      return await real(...args);
    });
    await add('1');
    assert.equal(await content(), `${HEADER}\n"whole"\n`);
  });

  it('has a line on the disk when it is added', async () => {
    await add('1');
    const done = watchDisk();
    await journal.add('2', notWhole);
    assert.deepEqual(done, ['writeFile it.jsonl', 'datasync it.jsonl', 'close it.jsonl']);
  });

  it('writes all of it after a restart, whatever lies there', async () => {
    await add('1');
    journal = open();
    assert.deepEqual(
      journal.read((text) => told.push(text)),
      ['whole'],
    );
    assert.equal(journal.needsWhole, true);
    await add('2');
    assert.equal(await content(), `${HEADER}\n"whole"\n`);
  });

  it('adds up to 256 KiB to a small file before it writes all of it again', async () => {
    const line = `"${'ü'.repeat(1000)}"`;
    const length = Buffer.byteLength(line) + 1;
    await add(line);
    const start = (await stat(path)).size;
    const lines = Math.floor(GROWTH / length);
    for (let n = 0; n < lines; n++) await journal.add(line, notWhole);
    const rest = GROWTH - lines * length;
    await journal.add(`"${'x'.repeat(rest - 3)}"`, notWhole);
    assert.equal((await stat(path)).size, start + GROWTH);
    await add('1');
    assert.equal((await stat(path)).size, start);
    await journal.add(line, notWhole);
    assert.equal((await stat(path)).size, start + length, 'it counts from there');
  });

  it('adds twice the length of a large file', async () => {
    const line = `"${'x'.repeat(100_000)}"`;
    const length = line.length + 1;
    await journal.add('', () => [line, line, line]);
    const whole = (await stat(path)).size;
    for (let n = 0; n < 6; n++) await journal.add(line, notWhole);
    assert.equal((await stat(path)).size, whole + 6 * length);
    await add(line);
    assert.equal(await content(), `${HEADER}\n"whole"\n`);
  });

  it('writes all of it again where the file is not there any more', async () => {
    await add('1');
    await rm(path);
    await add('2');
    assert.equal(await content(), `${HEADER}\n"whole"\n`);
    await journal.add('3', notWhole);
  });

  it('writes all of it with the next line where one could not be added, or changes may have been lost', async () => {
    await add('1');
    await rm(path);
    await mkdir(join(path, 'full'), { recursive: true });
    await assert.rejects(add('2'), { code: 'EISDIR' });
    assert.equal(journal.needsWhole, true);
    await assert.rejects(add('3'), (error: NodeJS.ErrnoException) => /EISDIR|ENOTEMPTY|EEXIST/.test(error.code ?? ''));
    assert.equal(journal.needsWhole, true);
    await rm(path, { recursive: true });
    await add('4');
    assert.equal(await content(), `${HEADER}\n"whole"\n`);
    journal.mistrust();
    assert.equal(journal.needsWhole, true);
    await journal.add('5', () => ['"again"']);
    assert.equal(await content(), `${HEADER}\n"again"\n`);
  });

  it('closes the file to which it could not add, and writes all of it with the next line', async () => {
    await add('1');
    const full = new Set(['datasync it.jsonl']);
    const done = watchDisk((path) => (path.endsWith('.part') ? 'part' : basename(path)), full);
    await assert.rejects(journal.add('2', notWhole), /the disk is full/);
    assert.deepEqual(done.splice(0), ['writeFile it.jsonl', 'close it.jsonl']);
    await add('3');
    assert.equal(await content(), `${HEADER}\n"whole"\n`);
  });

  it('is gone when it is removed, also where nothing was written, and starts again then', async () => {
    await journal.remove();
    await add('1');
    await journal.remove();
    assert.deepEqual([await readdir(folder), journal.needsWhole], [[], true]);
    await add('2');
    assert.equal(await content(), `${HEADER}\n"whole"\n`);
  });

  it('is nothing to tell of where there is none, nor its folder', async () => {
    assert.equal(read(), undefined);
    await writeFile(folder, 'a file in its place');
    assert.equal(read(), undefined);
    assert.deepEqual(told, []);
  });

  it('stays where it is, and is not used, where it cannot be read', async () => {
    await mkdir(path, { recursive: true });
    assert.equal(read(), undefined);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^\S+it\.jsonl could not be read and is not used: EISDIR/);
    assert.deepEqual(await readdir(folder), [basename(path)]);
  });

  for (const [what, text] of [
    ['another format', '{"format":"sonota-test/2"}\n1\n'],
    ['no format', '{}\n1\n'],
    ['nothing', ''],
    ['null', 'null\n1\n'],
    ['a first line that was cut off', HEADER],
    ['no JSON', '{"format":\n1\n'],
  ]) {
    it(`is set aside where it holds ${what}`, async () => {
      await lies(text ?? '');
      assert.equal(read(), undefined);
      assert.deepEqual(told, [
        `${path} could not be read: it is no file of the format sonota-test/1. The file as it was is kept as ${path}.broken.`,
      ]);
      assert.deepEqual(await readdir(folder), ['it.jsonl.broken']);
      assert.equal(await readFile(`${path}.broken`, 'utf8'), text);
    });
  }

  it('is used without the line that a crash has cut off, which was never said to be there', async () => {
    await lies(`${HEADER}\n1\n2`);
    assert.deepEqual([read(), told, await readdir(folder)], [[1], [], ['it.jsonl']]);
  });

  for (const [what, damaged] of [
    ['a line', ['{"a":']],
    ['2 lines', ['{"a":', '']],
  ] as const) {
    it(`is used without ${what} that cannot be read, and copied first`, async () => {
      const text = [HEADER, '1', ...damaged, 'null', ''].join('\n');
      await lies(text);
      assert.deepEqual(read(), [1, null]);
      assert.deepEqual(told, [
        `${path} is used without ${what} of it that cannot be read. The file as it was is kept as ${path}.broken.`,
      ]);
      assert.deepEqual([await content(), await readFile(`${path}.broken`, 'utf8')], [text, text]);
    });
  }
});
