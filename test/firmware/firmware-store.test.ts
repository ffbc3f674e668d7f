import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FirmwareStore } from '../../lib/firmware/store/firmware-store';
import { digestOf, makeFinalImage } from '../../lib/image';
import { assertRefused } from '../shared/refusal';
import { wording } from '../../lib/wordings/wording';
import { timeGoesOn, timePasses, timeStands } from '../shared/standing-time';

const [IMAGE, OTHER] = [makeFinalImage({ seed: 1 }), makeFinalImage({ seed: 2 })];
const SHA = digestOf(IMAGE);

describe('flash/store', () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sonota-store-'));
    folder = join(root, 'sonota', 'firmware');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('keeps an image under its digest, over a restart too', async () => {
    const before = new Date().toISOString();
    assert.equal(await new FirmwareStore(folder).keep(IMAGE, 'catalog:one', wording('image-final')), SHA);
    const after = new Date().toISOString();
    const next = new FirmwareStore(folder);
    assert.deepEqual(await next.read(SHA), IMAGE);
    const [entry, ...others] = await next.list();
    assert.deepEqual(others, []);
    assert.deepEqual(entry && { ...entry, addedAt: undefined }, {
      sha256: SHA,
      size: IMAGE.length,
      addedAt: undefined,
      origins: ['catalog:one'],
    });
    const addedAt = entry?.addedAt ?? '';
    assert.deepEqual([before, addedAt, after].sort(), [before, addedAt, after]);
    assert.deepEqual((await readdir(folder)).sort(), [`${SHA}.bin`, 'index.json'].sort());
  });

  it('keeps the same image once, with all its origins', async () => {
    const store = new FirmwareStore(folder);
    await Promise.all(['a', 'b', 'a', 'c'].map((origin) => store.keep(IMAGE, origin, wording('image-final'))));
    await store.keep(OTHER, 'd', wording('image-final'));
    assert.deepEqual((await store.list()).find(({ sha256 }) => sha256 === SHA)?.origins, ['b', 'a', 'c']);
    assert.equal((await store.list()).length, 2);
  });

  it('knows the last five origins of an image, and when it came first; lists the newest first', async () => {
    timeStands(['Date'], 1_700_000_000_000);
    try {
      const store = new FirmwareStore(folder);
      await store.keep(IMAGE, 'a', wording('image-final'));
      timePasses(1000);
      await store.keep(OTHER, 'x', wording('image-final'));
      timePasses(1000);
      for (const origin of ['b', 'c', 'd', 'e', 'f']) await store.keep(IMAGE, origin, wording('image-final'));
      assert.deepEqual(await store.list(), [
        { sha256: digestOf(OTHER), size: OTHER.length, addedAt: '2023-11-14T22:13:21.000Z', origins: ['x'] },
        {
          sha256: SHA,
          size: IMAGE.length,
          addedAt: '2023-11-14T22:13:20.000Z',
          origins: ['b', 'c', 'd', 'e', 'f'],
        },
      ]);
    } finally {
      timeGoesOn();
    }
  });

  it('keeps nothing of an image that it cannot note, and what was there before', async () => {
    const index = join(folder, 'index.json');
    const store = new FirmwareStore(folder);
    await store.keep(OTHER, 'before', wording('image-final'));
    const before = await store.list();
    await rm(index);
    await mkdir(join(index, 'in the way'), { recursive: true });
    await assertRefused(store.keep(IMAGE, 'now', wording('image-final')), 'store-failed');
    await assertRefused(store.keep(OTHER, 'now', wording('image-final')), 'store-failed');
    assert.deepEqual((await readdir(folder)).sort(), [`${digestOf(OTHER)}.bin`, 'index.json'].sort());
    assert.deepEqual([await store.read(digestOf(OTHER)), await store.list()], [OTHER, before]);
    await rm(index, { recursive: true });
    await store.keep(IMAGE, 'now', wording('image-final'));
    assert.deepEqual(await new FirmwareStore(folder).read(SHA), IMAGE, 'one that failed holds up no other');
  });

  it('is one for each folder, so that two nodes never write over each other', () => {
    assert.equal(FirmwareStore.at(folder), FirmwareStore.at(join(folder, '..', 'firmware')));
    assert.notEqual(FirmwareStore.at(folder), FirmwareStore.at(root));
  });

  it('removes an image and what was confirmed of it', async () => {
    const store = new FirmwareStore(folder);
    await store.keep(IMAGE, 'catalog:one', wording('image-final'));
    await store.note('catalog:one', { sha256: SHA, isConfirmed: true });
    const other = { sha256: digestOf(OTHER), isConfirmed: true };
    await store.note('catalog:two', other);
    await store.remove(SHA);
    assert.deepEqual(await store.list(), []);
    assert.equal(await store.known('catalog:one'), undefined);
    assert.deepEqual(await store.known('catalog:two'), other, 'nothing of another one');
    assert.equal(await store.read(SHA), undefined);
    await store.remove(SHA);
  });

  it('opens nothing outside its folder, whatever it is asked for', async () => {
    const store = new FirmwareStore(folder);
    await store.list();
    await writeFile(join(root, 'secret.bin'), IMAGE);
    for (const name of ['../../secret', '..', '', 'INDEX', SHA.toUpperCase()]) {
      assert.equal(await store.read(name), undefined);
      await store.remove(name);
    }
    assert.deepEqual(await readFile(join(root, 'secret.bin')), IMAGE);
  });

  it('throws an image away that is no longer what it was', async () => {
    const store = new FirmwareStore(folder);
    await store.keep(IMAGE, 'catalog:one', wording('image-final'));
    await writeFile(join(folder, `${SHA}.bin`), OTHER);
    assert.equal(await store.read(SHA), undefined);
    assert.deepEqual(await store.list(), []);
  });

  it('tidies up what a power cut left, and lives without its index', async () => {
    await new FirmwareStore(folder).keep(IMAGE, 'catalog:one', wording('image-final'));
    await writeFile(join(folder, `.${SHA}.bin.0a1b2c3d4e5f.part`), 'half');
    for (const broken of ['', '{', '[]', 'null', '{"images":{"x":{}},"sources":[1]}', '{"images":{"' + SHA + '":7}}']) {
      await writeFile(join(folder, 'index.json'), broken);
      const store = new FirmwareStore(folder);
      const told: string[] = [];
      store.onTrouble = (text) => told.push(text);
      assert.deepEqual(await store.list(), [{ sha256: SHA, size: IMAGE.length, addedAt: null, origins: [] }]);
      assert.equal(told.length, 1, broken);
      assert.ok(told[0]?.startsWith(join(folder, 'index.json')), told[0]);
    }
    assert.ok(!(await readdir(folder)).some((name) => name.endsWith('.part')));
  });

  it('says what is wrong with its folder, and tries again with the next call', async () => {
    await mkdir(join(root, 'sonota'));
    await writeFile(folder, 'a file in its place');
    const store = new FirmwareStore(folder);
    const { values } = await assertRefused(store.list(), 'store-failed', /a file in the place of the folder/);
    assert.deepEqual(values, { folder, reason: wording('folder-is-file') });
    await rm(folder);
    assert.deepEqual(await store.list(), []);
  });

  it('works in a temporary folder where Node-RED has none, which is gone when the process ends', () => {
    const script = `
      const { FirmwareStore } = require(${JSON.stringify(require.resolve('../../lib/firmware/store/firmware-store'))});
      const store = new FirmwareStore();
      store.keep(Buffer.from('an image'), 'x').then(async (sha256) => {
        console.log(JSON.stringify({ folder: store.folder, content: String(await store.read(sha256)) }));
      });`;
    const told = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    const { folder: temporary, content } = JSON.parse(told) as { folder: string; content: string };
    assert.equal(content, 'an image');
    assert.equal(existsSync(temporary), false);
  });

  describe('on a disk that is full', () => {
    let mounted = false;
    beforeEach(async function () {
      await mkdir(folder, { recursive: true });
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'pipe' });
        mounted = true;
      } catch {
        console.log('      skipped: no tiny file system can be mounted here');
        this.skip();
      }
    });
    afterEach(() => {
      if (mounted) execFileSync('umount', [folder]);
      mounted = false;
    });

    it('reports it, leaves nothing behind, and still keeps what fits', async () => {
      const store = new FirmwareStore(folder);
      const small = makeFinalImage({ size: 32768 });
      await store.keep(small, 'small', wording('image-final'));
      const big = makeFinalImage({ size: 400_000 });
      await assertRefused(
        store.keep(big, 'big', wording('image-final')),
        'store-full',
        /no room left in .* for the final image/,
      );
      assert.deepEqual((await readdir(folder)).sort(), [`${digestOf(small)}.bin`, 'index.json'].sort());
      assert.deepEqual(
        (await store.list()).map(({ origins }) => origins),
        [['small']],
      );
      await store.remove(digestOf(small));
      await store.keep(makeFinalImage({ size: 65536 }), 'next', wording('image-final'));
    });
  });
});
