import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { JobFile } from '../../lib/flash/stored/job-file';
import type { JobChanges } from '../../lib/flash/stored/job-journal';
import { digestOf, makeFinalImage } from '../../lib/image';

const NOTHING: JobChanges = {
  ...{ jobs: new Map(), tickets: new Map(), entries: new Map() },
  queue: { isPaused: false, order: [] },
};

describe('flash/stored/job-file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'sonota-job-file-')), 'jobs');
    await mkdir(folder);
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  it('removes what a crash has left of its own writes, and nothing else', async () => {
    const others = ['.other.jsonl.1a2b', 'host.txt', 'other.jsonl'];
    for (const name of ['.host.jsonl.1a2b', '.host.json.3c4d', ...others]) await writeFile(join(folder, name), '');
    assert.equal(new JobFile(folder, 'host').read(assert.fail), undefined);
    assert.deepEqual((await readdir(folder)).sort(), [...others].sort());
  });

  it('has a name of its own for a host whose id no file can have', async () => {
    const names: string[] = [];
    for (const id of ['ha_1-b', '../up', 'a/b', 'x'.repeat(65)]) {
      const file = new JobFile(folder, id);
      await file.write(NOTHING, [], new Set());
      names.push(file.path.slice(folder.length + 1));
    }
    assert.equal(names[0], 'ha_1-b.jsonl');
    for (const name of names.slice(1)) assert.match(name, /^[\da-f]{64}\.jsonl$/);
    assert.equal(new Set(names).size, names.length);
    assert.deepEqual((await readdir(folder)).sort(), [...names].sort());
  });

  it('holds an image until the disk has taken it, and no longer', async () => {
    const bytes = makeFinalImage({ seed: 3 });
    const image = { bytes, sha256: digestOf(bytes) };
    const file = new JobFile(folder, 'host');
    let isFull = true;
    const { images } = file;
    const real = images.add.bind(images);
    const asked: number[] = [];
    mock.method(images, 'add', async (wanted: Parameters<typeof real>[0]) => {
      asked.push(wanted.length);
      if (isFull) throw new Error('the disk is full');
      await real(wanted);
    });
    const needed = new Set([image.sha256]);
    await assert.rejects(file.write(NOTHING, [image], needed), /the disk is full/);
    isFull = false;
    await file.write(NOTHING, [], needed);
    await file.write(NOTHING, [], needed);
    assert.deepEqual(asked, [1, 1, 0]);
    assert.deepEqual(new JobFile(folder, 'host').images.bytes(image.sha256), bytes);
  });
});
