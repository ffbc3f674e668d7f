import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { placesOf, withoutQuotes, type FileSystem } from '../../lib/firmware/file-path';
import { readSource } from '../../lib/firmware/image-source';
import { ImageLibrary } from '../../lib/firmware/library/image-library';
import { assertRefused } from '../shared/refusal';

const SYSTEM: FileSystem = { platform: 'linux', home: '/home/me', userFolder: '/home/me/.node-red' };
const NEVER = new AbortController().signal;

describe('flash/file-path', () => {
  it('takes quotes off', () => {
    for (const given of ['"a b.bin"', "'a b.bin'", '“a b.bin”', '„a b.bin“', '«a b.bin»', '‘a b.bin’', ' "a b.bin" ']) {
      assert.equal(withoutQuotes(given), 'a b.bin', given);
    }
    for (const given of ['it"s', '"a', "a'", '\'a"']) assert.equal(withoutQuotes(given), given);
  });

  it('knows the folder of the user, and that of Node-RED', () => {
    assert.deepEqual(placesOf('~/x.bin', SYSTEM), { paths: [join('/home/me', 'x.bin')] });
    assert.deepEqual(placesOf('~', SYSTEM), { paths: [join('/home/me')] });
    assert.deepEqual(placesOf('/x.bin', SYSTEM), { paths: [resolve('/x.bin')] });
    assert.deepEqual(placesOf('a/x.bin', SYSTEM), {
      paths: [resolve('a/x.bin'), join('/home/me/.node-red', 'a/x.bin')],
    });
    assert.deepEqual(placesOf('a/x.bin', { ...SYSTEM, userFolder: undefined }), { paths: [resolve('a/x.bin')] });
    assert.deepEqual(placesOf('~x.bin', { ...SYSTEM, userFolder: undefined }), { paths: [resolve('~x.bin')] });
  });

  it('refuses paths of Windows on another system only', () => {
    for (const given of ['C:\\x.bin', 'c:/x.bin', '\\\\nas\\share\\x.bin']) {
      const places = placesOf(given, SYSTEM);
      assert.ok('reason' in places, given);
      assert.match(places.reason.text, /^there is no such file on the machine that runs Node-RED/);
    }
    for (const given of ['C:\\x.bin', '\\\\nas\\share\\x.bin']) {
      assert.ok('paths' in placesOf(given, { ...SYSTEM, platform: 'win32' }), given);
    }
  });

  it('says on which machine a file is looked for, and proposes http:// for what looks like an address', async () => {
    const read = (source: string): Promise<unknown> => readSource('final', source, { signal: NEVER });
    await assertRefused(read('/no/such.bin'), 'image-unreadable', /no such file on the machine that runs Node-RED\./);
    await assertRefused(read('"C:\\x.bin"'), 'image-unreadable', /from C:\\x\.bin: .* drive letter/);
    await assertRefused(read('\\\\nas\\x.bin'), 'image-unreadable', /mount/);
    for (const address of ['www.example.org/x.bin', 'ota.tasmota.com/tasmota/x.bin', 'nas.local:8080/x.bin']) {
      const words = new RegExp(`write http://${address.replaceAll('.', '\\.')}\\.`);
      await assertRefused(read(address), 'image-unreadable', words);
    }
  });

  it('finds files in quotes and in the user folder', async () => {
    const userFolder = await mkdtemp(join(tmpdir(), 'sonota-user-'));
    try {
      const library = ImageLibrary.at(join(userFolder, 'sonota'));
      await mkdir(join(userFolder, 'my images'));
      const path = join(userFolder, 'my images', 'x.bin');
      await writeFile(path, 'content');
      for (const source of [`"${path}"`, 'my images/x.bin', String(pathToFileURL(path))]) {
        const { bytes, source: found } = await readSource('final', source, { signal: NEVER, library });
        assert.deepEqual([String(bytes), found], ['content', path], source);
      }
      await assertRefused(
        readSource('final', '~/no such file of ours.bin', { signal: NEVER, library }),
        'image-unreadable',
        new RegExp(`from ${join(homedir(), 'no such file of ours.bin').replaceAll('.', '\\.')}:`),
      );
    } finally {
      await rm(userFolder, { recursive: true });
    }
  });
});
