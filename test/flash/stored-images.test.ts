import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StoredImages } from '../../lib/flash/stored/stored-images';
import { DIY, FINALSTAGE, ONE_HOP } from '../../lib/flash/routes';
import { checkForTarget, digestOf, makeFinalImage, makeUserImage } from '../../lib/image';

describe('flash/stored/stored-images', () => {
  let root: string;
  let folder: string;
  const imageOf = (seed: number) => {
    const bytes = makeFinalImage({ seed });
    return { bytes, sha256: digestOf(bytes) };
  };
  const [one, two] = [imageOf(1), imageOf(2)];
  const fileOf = ({ sha256 }: { sha256: string }): string => join(folder, `${sha256}.bin`);
  /** Another one for each time that a file is written: it is put in the place of the one before. */
  const inodeOf = async (image: { sha256: string }): Promise<number> => (await stat(fileOf(image))).ino;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sonota-stored-'));
    folder = join(root, 'images');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('writes each image once, for its owner alone', async () => {
    const images = new StoredImages(folder);
    await images.add([one]);
    const before = await inodeOf(one);
    await images.add([one, two]);
    assert.deepEqual([await inodeOf(one), (await stat(folder)).mode & 0o777], [before, 0o700]);
    assert.deepEqual(images.bytes(two.sha256), two.bytes);
  });

  it('writes one that it has read after a restart no second time, and one that it has removed again', async () => {
    await new StoredImages(folder).add([one, two]);
    const before = await inodeOf(one);
    const images = new StoredImages(folder);
    assert.deepEqual(images.bytes(one.sha256), one.bytes);
    await images.add([one]);
    assert.equal(await inodeOf(one), before);
    await images.retain(new Set([two.sha256]));
    assert.deepEqual(await readdir(folder), [`${two.sha256}.bin`]);
    await images.add([one]);
    assert.ok(existsSync(fileOf(one)));
    await images.remove();
    assert.ok(!existsSync(folder));
    await images.add([one]);
    assert.ok(existsSync(fileOf(one)));
  });

  it('writes an image that the disk did not take the next time, and all before it only once', async () => {
    const images = new StoredImages(folder);
    await mkdir(join(fileOf(two), 'full'), { recursive: true });
    await assert.rejects(images.add([one, two]));
    const before = await inodeOf(one);
    await rm(fileOf(two), { recursive: true });
    await images.add([one, two]);
    assert.equal(await inodeOf(one), before);
    assert.deepEqual(new StoredImages(folder).bytes(two.sha256), two.bytes);
  });

  it('writes an image again that a restart found damaged', async () => {
    await new StoredImages(folder).add([one]);
    await writeFile(fileOf(one), two.bytes);
    const images = new StoredImages(folder);
    assert.equal(images.bytes(one.sha256), undefined);
    await images.add([one]);
    assert.deepEqual(new StoredImages(folder).bytes(one.sha256), one.bytes);
  });

  it('has no folder and nothing to remove where nothing was written', async () => {
    const images = new StoredImages(folder);
    await images.retain(new Set());
    await images.remove();
    await images.add([]);
    await new StoredImages(folder).retain(new Set([one.sha256]));
    assert.ok(!existsSync(folder));
  });

  it('keeps what is needed, and removes all else once, and its folder where nothing is', async () => {
    const images = new StoredImages(folder);
    await images.add([one, two]);
    await writeFile(join(folder, 'cut off.tmp'), '');
    await images.retain(new Set([one.sha256]));
    assert.deepEqual(await readdir(folder), [`${one.sha256}.bin`]);
    await writeFile(join(folder, 'of a person'), '');
    await images.retain(new Set([one.sha256]));
    assert.ok(existsSync(join(folder, 'of a person')), 'there is no news');
    await images.add([two]);
    await images.retain(new Set([two.sha256]));
    assert.deepEqual(await readdir(folder), [`${two.sha256}.bin`]);
    await images.retain(new Set());
    assert.ok(!existsSync(folder));
  });

  it('finds no image that is not what it was, and the same bytes until something is written', async () => {
    const images = new StoredImages(folder);
    await images.add([one]);
    const reference = { sha256: one.sha256, source: 'a source' };
    const found = images.image('final', reference, undefined);
    const facts = checkForTarget(one.bytes, 'finalstage');
    assert.deepEqual(found, { role: 'final', bytes: one.bytes, sha256: one.sha256, facts, source: 'a source' });
    await writeFile(fileOf(one), two.bytes);
    assert.equal(images.bytes(one.sha256), found?.bytes);
    await images.add([]);
    assert.equal(images.bytes(one.sha256), undefined);
    assert.equal(images.image('final', reference, undefined), undefined);
    assert.equal(images.image('user1', { ...reference, sha256: two.sha256 }, undefined), undefined);
  });

  it('finds no image that its place does not take, though another place does', async () => {
    const images = new StoredImages(folder);
    await images.add([one]);
    const reference = { sha256: one.sha256, source: 'x' };
    const found = (): unknown[] =>
      (['final', 'user1'] as const).map((role) => images.image(role, reference, undefined)?.role);
    assert.deepEqual(found(), ['final', undefined]);
    assert.deepEqual(found(), ['final', undefined]);
  });

  it('examines an image for the place that its route has for it', async () => {
    const images = new StoredImages(folder);
    const pair = makeUserImage({ slot: 1, size: 8192 });
    const user1 = { bytes: pair, sha256: digestOf(pair) };
    await images.add([one, user1]);
    for (const [role, image, route, target] of [
      ['final', one, FINALSTAGE, 'finalstage'],
      ['final', one, DIY, 'diy'],
      ['user1', user1, ONE_HOP, 'cloud-user1'],
    ] as const) {
      const found = images.image(role, { sha256: image.sha256, source: 'x' }, route);
      assert.deepEqual(found?.facts, checkForTarget(image.bytes, target), target);
    }
  });

  it('removes of a folder what has the name of no image', async () => {
    const images = new StoredImages(folder);
    await images.add([one]);
    for (const name of [`x${one.sha256}.bin`, `${one.sha256}.bin.tmp`]) await writeFile(join(folder, name), '');
    await images.retain(new Set([one.sha256]));
    assert.deepEqual(await readdir(folder), [`${one.sha256}.bin`]);
  });
});
