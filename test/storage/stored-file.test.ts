import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { count, jsonObject, object, optional, salvagedList } from '../../lib/storage/schema';
import { readStored, storedText, type StoredFormat } from '../../lib/storage/stored-file';

interface Content {
  readonly list: readonly number[];
  readonly more?: Record<string, unknown> | undefined;
}
const FORMAT: StoredFormat<Content> = {
  format: 'sonota-test/1',
  schema: object<Content>({ list: salvagedList(count), more: optional(jsonObject) }),
};

describe('storage/stored-file', () => {
  let folder: string;
  let path: string;
  const told: string[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-stored-'));
    path = join(folder, 'it.json');
    told.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const stored = (format = FORMAT): Content | undefined => readStored(path, format, (text) => told.push(text));
  const aside = (): string => readFileSync(`${path}.broken`, 'utf8');

  it('is read as it was written, in one line that names its format', async () => {
    const content = { list: [1, 2], more: { a: [{ b: null }] } };
    const text = storedText(FORMAT, content);
    assert.equal(text, `{"format":"sonota-test/1","list":[1,2],"more":{"a":[{"b":null}]}}\n`);
    await writeFile(path, text);
    assert.deepEqual(stored(), content);
    assert.deepEqual([told, await readdir(folder)], [[], ['it.json']]);
  });

  it('is nothing to tell of where it is not there, nor its folder', async () => {
    assert.equal(stored(), undefined);
    await writeFile(join(folder, 'file'), '');
    path = join(folder, 'file', 'it.json');
    assert.equal(stored(), undefined);
    assert.deepEqual(told, []);
  });

  it('stays where it is, and is not used, where it cannot be read', async () => {
    await mkdir(path);
    assert.equal(stored(), undefined);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /it\.json could not be read and is not used: EISDIR/);
    assert.ok(existsSync(path));
  });

  for (const [what, text, why] of [
    ['no JSON', '{"format":', /it is not JSON/],
    ['another format', '{"format":"sonota-test/2","list":[]}', /it is no file of the format sonota-test\/1/],
    ['no format', '{"list":[]}', /it is no file of the format/],
    ['null', 'null', /it is no file of the format/],
    ['what its schema does not take', '{"format":"sonota-test/1","list":7}', /could not be read: it .*list/],
  ] as const) {
    it(`is set aside where it holds ${what}`, async () => {
      await writeFile(path, text);
      assert.equal(stored(), undefined);
      assert.deepEqual([existsSync(path), aside(), told.length], [false, text, 1]);
      assert.match(told[0] ?? '', why);
      assert.ok(told[0]?.endsWith(`The file as it was is kept as ${path}.broken.`), told[0]);
    });
  }

  for (const [list, what] of [
    ['1,"x",2', 'a part'],
    ['1,"x",2,-1', '2 parts'],
  ]) {
    it(`is used without ${what} that cannot be used, and copied first`, async () => {
      const text = `{"format":"sonota-test/1","list":[${list}]}`;
      await writeFile(path, text);
      assert.deepEqual(stored()?.list, [1, 2]);
      assert.deepEqual([readFileSync(path, 'utf8'), aside(), told.length], [text, text, 1]);
      assert.match(told[0] ?? '', new RegExp(`is used without ${what} of it: list\\.1 `));
    });
  }

  it('is not used either where it cannot be set aside', async () => {
    await writeFile(path, 'no JSON');
    await mkdir(join(`${path}.broken`, 'full'), { recursive: true });
    assert.equal(stored(), undefined);
    assert.deepEqual(told, [`${path} could not be read: it is not JSON.`]);
    assert.ok(existsSync(path));
  });

  it('may be of a time when files named no format', async () => {
    const unmarked = (content: unknown): unknown => ({ list: content });
    await writeFile(path, '[1,2]');
    assert.deepEqual(stored({ ...FORMAT, unmarked })?.list, [1, 2]);
    await writeFile(path, '{"format":"sonota-other/1"}');
    assert.equal(stored({ ...FORMAT, unmarked }), undefined);
  });

  it('changes no prototype, at any depth', async () => {
    await writeFile(path, '{"format":"sonota-test/1","list":[],"more":{"a":{"__proto__":{"b":1}},"c":2}}');
    const more = stored()?.more as { a: object };
    assert.deepEqual(more, { a: {}, c: 2 });
    assert.deepEqual(Object.getOwnPropertyNames(more.a), []);
  });
});
