import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { mock } from 'node:test';
import { JobFile } from '../../lib/flash/stored/job-file';
import type { JobChanges } from '../../lib/flash/stored/job-journal';
import { digestOf, makeFinalImage } from '../../lib/image';
import { watchDisk } from '../storage/disk-order';
import { ENTRY, JOB, PENDING } from './stored-samples';

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
  afterEach(async () => {
    mock.restoreAll();
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  it('removes what a crash has left of its own writes, and nothing else', async () => {
    const others = ['.other.jsonl.1a2b', 'host.txt', 'other.jsonl'];
    for (const name of ['.host.jsonl.1a2b', '.host.json.3c4d', ...others]) await writeFile(join(folder, name), '');
    assert.equal(new JobFile(folder, 'host').read(assert.fail), undefined);
    assert.deepEqual((await readdir(folder)).sort(), [...others].sort());
  });

  const all = (): JobChanges => ({
    jobs: new Map([[JOB.id, JOB]]),
    tickets: new Map([[PENDING.id, PENDING]]),
    entries: new Map([[ENTRY.id, ENTRY]]),
    queue: { isPaused: true, order: [ENTRY.id] },
  });
  const content = { jobs: [JOB], tickets: [PENDING], queue: { isPaused: true, entries: [ENTRY] } };
  const path = (name: string): string => join(folder, name);
  const former = JSON.stringify({ format: 'sonota-jobs/1', ...content, jobs: [] });

  it('gives back what was written, and writes nothing where nothing has changed', async () => {
    const file = new JobFile(folder, 'host');
    assert.deepEqual([file.jobIds(), file.hasJob(JOB.id)], [[], false]);
    await file.write(all(), [], new Set());
    assert.deepEqual([file.jobIds(), file.hasJob(JOB.id), file.hasJob('other')], [[JOB.id], true, false]);
    assert.equal(file.path, path('host.jsonl'));
    assert.deepEqual(new JobFile(folder, 'host').read(assert.fail), content);
    const before = await readFile(file.path, 'utf8');
    await file.write(all(), [], new Set());
    assert.equal(await readFile(file.path, 'utf8'), before);
    await file.write({ ...NOTHING, queue: { isPaused: false, order: [ENTRY.id] } }, [], new Set());
    const added = (await readFile(file.path, 'utf8')).slice(before.length);
    assert.equal(added, `{"queue":{"isPaused":false,"order":["${ENTRY.id}"]}}\n`);
    const again = new JobFile(folder, 'host');
    assert.deepEqual(again.read(assert.fail)?.queue, { isPaused: false, entries: [ENTRY] });
  });

  it('writes a file at its first write, though nothing has changed then', async () => {
    await writeFile(path('host.jsonl'), 'of an earlier run');
    const file = new JobFile(folder, 'host');
    file['lines'].update(NOTHING);
    await file.write(NOTHING, [], new Set());
    assert.deepEqual((await readFile(file.path, 'utf8')).split('\n'), [
      '{"format":"sonota-jobs/2"}',
      '{"queue":{"isPaused":false,"order":[]}}',
      '',
    ]);
  });

  it('uses the rest of a file of which a part is wrong, and keeps a copy', async () => {
    const file = new JobFile(folder, 'host');
    const wrong = { ...JOB, id: 'wrong', lastStage: 'soldering' } as unknown as typeof JOB;
    await file.write({ ...all(), jobs: new Map([JOB, wrong].map((job) => [job.id, job])) }, [], new Set());
    const told: string[] = [];
    assert.deepEqual(
      new JobFile(folder, 'host').read((text) => told.push(text)),
      content,
    );
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^\S+host\.jsonl is used without a part of it: jobs\.1\.lastStage /);
    assert.deepEqual((await readdir(folder)).sort(), ['host.jsonl', 'host.jsonl.broken']);
  });

  it('reads the file of the former version first, and puts it away with the first write', async () => {
    await new JobFile(folder, 'host').write(all(), [], new Set());
    await writeFile(path('host.json'), former);
    const file = new JobFile(folder, 'host');
    assert.deepEqual(file.read(assert.fail), { ...content, jobs: [] });
    assert.deepEqual((await readdir(folder)).sort(), ['host.json', 'host.jsonl']);
    const done = watchDisk((path) => (path.endsWith('.part') ? 'part' : basename(path)));
    await file.write(all(), [], new Set());
    assert.deepEqual(done, [
      ...['writeFile part', 'sync part', 'close part', 'rename part to host.jsonl', 'sync jobs', 'close jobs'],
      ...['rename host.json to host.json.old', 'sync jobs', 'close jobs'],
    ]);
    assert.deepEqual((await readdir(folder)).sort(), ['host.json.old', 'host.jsonl']);
    assert.equal(await readFile(path('host.json.old'), 'utf8'), former);
    assert.deepEqual(new JobFile(folder, 'host').read(assert.fail), content);
  });

  it('removes with a write the images that are needed no more', async () => {
    const [one, two] = [1, 2].map((seed) => {
      const bytes = makeFinalImage({ seed });
      return { bytes, sha256: digestOf(bytes) };
    });
    assert.ok(one && two);
    const file = new JobFile(folder, 'host');
    await file.write(all(), [one, two], new Set([one.sha256, two.sha256]));
    await file.write(NOTHING, [], new Set([two.sha256]));
    assert.deepEqual(await readdir(path('host.images')), [`${two.sha256}.bin`]);
  });

  it('removes all that is of its host, and nothing else', async () => {
    const bytes = makeFinalImage({ seed: 3 });
    const file = new JobFile(folder, 'host');
    await file.write(all(), [{ bytes, sha256: digestOf(bytes) }], new Set([digestOf(bytes)]));
    for (const name of ['host.json', 'host.json.old', 'other.jsonl']) await writeFile(path(name), former);
    await file.remove();
    assert.deepEqual(await readdir(folder), ['other.jsonl']);
    await new JobFile(folder, 'host').remove();
    assert.deepEqual(await readdir(folder), ['other.jsonl'], 'nothing is there any more');
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

  it('has an image before it is named, and removes one only when none is named any more', async () => {
    const [one, two] = [1, 2].map((seed) => {
      const bytes = makeFinalImage({ seed });
      return { bytes, sha256: digestOf(bytes) };
    });
    assert.ok(one && two);
    const images = async (): Promise<string[]> => (await readdir(path('host.images'))).sort();
    const file = new JobFile(folder, 'host');
    await file.write(all(), [one], new Set([one.sha256]));
    await rm(path('host.jsonl'));
    await mkdir(path('host.jsonl/full'), { recursive: true });
    await assert.rejects(file.write(NOTHING, [two], new Set([two.sha256])), { code: 'EISDIR' });
    assert.deepEqual(await images(), [`${one.sha256}.bin`, `${two.sha256}.bin`].sort());
    await rm(path('host.jsonl'), { recursive: true });
    await file.write(NOTHING, [], new Set([two.sha256]));
    assert.deepEqual(await images(), [`${two.sha256}.bin`]);
    assert.deepEqual(new JobFile(folder, 'host').read(assert.fail)?.jobs, [JOB], 'it is all there');
  });

  it('puts the file of the former version away only when its jobs are in the other one', async () => {
    await mkdir(path('host.jsonl/full'), { recursive: true });
    await writeFile(path('host.json'), former);
    const file = new JobFile(folder, 'host');
    await assert.rejects(file.write(all(), [], new Set()));
    assert.deepEqual((await readdir(folder)).sort(), ['host.json', 'host.jsonl']);
    await rm(path('host.jsonl'), { recursive: true });
    await file.write(NOTHING, [], new Set());
    assert.deepEqual((await readdir(folder)).sort(), ['host.json.old', 'host.jsonl']);
  });

  it('names no image that the disk did not take, and says with the next write all that it could not', async () => {
    const bytes = makeFinalImage({ seed: 3 });
    const image = { bytes, sha256: digestOf(bytes) };
    const file = new JobFile(folder, 'host');
    await file.write(NOTHING, [], new Set());
    const before = await readFile(file.path, 'utf8');
    await writeFile(path('host.images'), 'a file in its place');
    await assert.rejects(file.write(all(), [image], new Set([image.sha256])), { code: 'EEXIST' });
    assert.equal(await readFile(file.path, 'utf8'), before);
    await rm(path('host.images'));
    const { queue } = all();
    await file.write({ ...NOTHING, queue }, [], new Set([image.sha256]));
    assert.deepEqual(new JobFile(folder, 'host').read(assert.fail), content);
    assert.deepEqual(await readdir(path('host.images')), [`${image.sha256}.bin`]);
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
