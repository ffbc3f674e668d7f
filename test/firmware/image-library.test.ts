import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalog, type CatalogImage } from '../../lib/firmware/library/catalog';
import { loadForFinalStage, loadImage } from '../../lib/firmware/firmware';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { ImageLibrary } from '../../lib/firmware/library/image-library';
import type { SourceOptions } from '../../lib/firmware/image-source';
import { FirmwareStore } from '../../lib/firmware/store/firmware-store';
import { digestOf, makeFinalImage, makeUserImage } from '../../lib/image';
import { useHttpServers } from '../shared/http-server';
import { assertRefused } from '../shared/refusal';
import { wording } from '../../lib/wordings/wording';

const FILES: Record<string, Buffer> = {
  'user1.bin': makeUserImage({ slot: 1 }),
  'user2.bin': makeUserImage({ slot: 2 }),
  'final.bin': makeFinalImage(),
};
const FINAL = FILES['final.bin'] as Buffer;
const SHA = digestOf(FINAL);
const PAGE = '<!DOCTYPE html><title>Sign in to the hotel</title>';

describe('flash/image-library', () => {
  const http = useHttpServers();
  let folder: string;
  let served: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-library-'));
    served = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  const files: RequestListener = (request, response) => {
    const name = (request.url ?? '').slice(1);
    served.push(name);
    const file = FILES[name];
    if (file) response.end(file);
    else response.writeHead(404).end();
  };

  function image(base: string, name: string, more: Partial<CatalogImage> = {}): CatalogImage {
    const file = FILES[`${name}.bin`] as Buffer;
    return {
      name,
      title: name,
      project: 'test',
      version: null,
      licence: null,
      url: `${base}/${name}.bin`,
      size: file.length,
      sha256: digestOf(file),
      digestSource: 'this test',
      flashMode: null,
      roads: ['finalstage'],
      notes: 'none',
      ...more,
    };
  }

  /** A fresh library over the same folder, as after a restart. */
  function libraryOf(base: string, more: Partial<CatalogImage> = {}): ImageLibrary {
    const images = [image(base, 'user1'), image(base, 'user2'), image(base, 'final', more)];
    return new ImageLibrary(
      new FirmwareStore(folder),
      new Catalog({ pair: { user1: 'user1', user2: 'user2' }, images }),
    );
  }

  function optionsOf(library: ImageLibrary, more: Partial<SourceOptions> = {}): SourceOptions {
    return { library, signal: new AbortController().signal, retryMs: 1, ...more };
  }

  describe('an image of the catalog', () => {
    it('is fetched once, with its progress, and then used without any network', async () => {
      const base = await http.serve(files);
      const told: [string, number, number | undefined][] = [];
      const onFetch: SourceOptions['onFetch'] = ({ role, received, total }) => told.push([role, received, total]);
      const first = await loadImage('final', 'catalog:final', optionsOf(libraryOf(base), { onFetch }));
      assert.deepEqual(first.bytes, FINAL);
      assert.equal(first.source, 'catalog:final');
      assert.deepEqual(told.at(-1), ['final', FINAL.length, FINAL.length]);
      await http.stop();
      const offline = await loadImage('final', ' Catalog:FINAL ', optionsOf(libraryOf(base)));
      assert.deepEqual(offline.bytes, FINAL);
      assert.equal(offline.source, 'catalog:final');
      assert.deepEqual(served, ['final.bin']);
    });

    it('stands in for an empty pair', async () => {
      const base = await http.serve(files);
      const library = libraryOf(base);
      const firmware = await loadFirmware({ user1: '', user2: undefined, final: FINAL }, optionsOf(library));
      assert.deepEqual(firmware.user1.bytes, FILES['user1.bin']);
      assert.deepEqual(firmware.user2.bytes, FILES['user2.bin']);
      await loadFirmware({ final: FINAL }, optionsOf(library));
      assert.deepEqual(served, ['user1.bin', 'user2.bin']);
    });

    it('is not fetched for a firmware that is refused anyway', async () => {
      const base = await http.serve(files);
      const cut = FINAL.subarray(0, 5000);
      await assert.rejects(loadFirmware({ final: cut }, optionsOf(libraryOf(base))));
      assert.deepEqual(served, []);
    });

    it('is refused with another digest than the published one, and not kept', async () => {
      const base = await http.serve(files);
      const library = libraryOf(base, { sha256: '0'.repeat(64) });
      const loading = loadImage('final', 'catalog:final', optionsOf(library));
      const error = await assertRefused(loading, 'digest-mismatch', /has the digest [\da-f]{64} instead of 0{64}/);
      const expected = '0'.repeat(64);
      const what = wording('image-final');
      assert.deepEqual(error.values, { what, source: `${base}/final.bin`, actual: SHA, expected });
      assert.deepEqual(await library.store.list(), []);
    });

    it('is called a web page where one came in its place, digest or not', async () => {
      const base = await http.serve((_, response) => response.end(PAGE));
      for (const sha256 of [SHA, null]) {
        const library = libraryOf(base, { sha256 });
        const error = await loadImage('final', 'catalog:final', optionsOf(library)).then(
          () => assert.fail('it was taken'),
          (thrown: Error) => thrown,
        );
        assert.match(error.message, /web page/);
        assert.deepEqual(await library.store.list(), []);
      }
    });

    it('asks a person where its digest is not known, remembers the answer, and downloads once', async () => {
      const base = await http.serve(files);
      const unknown = { sha256: null, digestSource: null };
      const library = libraryOf(base, unknown);
      const load = (one: ImageLibrary): Promise<unknown> => loadImage('final', 'catalog:final', optionsOf(one));
      const error = await assertRefused(load(library), 'digest-unconfirmed', new RegExp(SHA));
      assert.deepEqual(error.values, { what: wording('image-final'), digest: SHA });
      const again = await assertRefused(load(libraryOf(base, unknown)), 'digest-unconfirmed', new RegExp(SHA));
      assert.deepEqual(again.values, error.values);
      await assertRefused(library.confirm('final', '0'.repeat(64)), 'firmware-missing', /with the digest 0{64}/);
      await assertRefused(library.confirm('nobody', SHA), 'firmware-missing');
      await library.confirm('final', SHA);
      await load(library);
      await http.stop();
      await load(libraryOf(base, unknown));
      assert.deepEqual(served, ['final.bin']);
    });

    it('is fetched again where the kept one was damaged, and held to what was confirmed', async () => {
      const base = await http.serve(files);
      const library = libraryOf(base, { sha256: null, digestSource: null });
      const load = (): Promise<unknown> => loadImage('final', 'catalog:final', optionsOf(library));
      await assertRefused(load(), 'digest-unconfirmed');
      await library.confirm('final', SHA);
      await truncate(join(folder, `${SHA}.bin`), 100);
      await load();
      assert.equal(served.length, 2);
      await truncate(join(folder, `${SHA}.bin`), 100);
      FILES['final.bin'] = makeFinalImage({ seed: 77 });
      try {
        await assertRefused(load(), 'digest-mismatch');
      } finally {
        FILES['final.bin'] = FINAL;
      }
    });

    it('must be one that there is', async () => {
      const library = libraryOf('http://127.0.0.1:1');
      const loading = loadImage('final', 'catalog:nothing', optionsOf(library));
      await assertRefused(loading, 'firmware-missing', /the catalog has no nothing/);
    });

    it('leaves nothing behind when its download is cut for good, stalls, loops or is cancelled', async () => {
      const cancel = new AbortController();
      const base = await http.serve((request, response) => {
        const kind = (request.url ?? '').slice(1).split('/')[0];
        if (kind === 'loop') return void response.writeHead(302, { location: request.url }).end();
        response.writeHead(200, { 'content-length': FINAL.length });
        response.write(FINAL.subarray(0, 20_000), () => {
          if (kind === 'cut') response.destroy();
          if (kind === 'cancel') cancel.abort();
        });
      });
      const cases = {
        cut: 'fetch-failed',
        stall: 'fetch-stalled',
        loop: 'fetch-redirected',
        cancel: 'cancelled',
      } as const;
      for (const [kind, code] of Object.entries(cases)) {
        const library = libraryOf(`${base}/${kind}`);
        const stallMs = kind === 'stall' ? 50 : 60_000;
        const options = optionsOf(library, { signal: cancel.signal, stallMs });
        await assertRefused(loadImage('final', 'catalog:final', options), code);
        assert.deepEqual(await library.store.list(), []);
      }
    });
  });

  it('is not taken, and not kept, where the disk is full', async function () {
    const disk = join(folder, 'disk');
    await mkdir(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'tmpfs', disk], { stdio: 'pipe' });
    } catch {
      console.log('      skipped: no tiny file system can be mounted here');
      return this.skip();
    }
    try {
      const base = await http.serve(files);
      const { catalog } = libraryOf(base);
      const library = new ImageLibrary(new FirmwareStore(disk), catalog);
      const loading = loadImage('final', 'catalog:final', optionsOf(library));
      await assertRefused(loading, 'store-full', /no room left in \S+ for the final image/);
      assert.deepEqual(await library.store.list(), []);
      // An image that a person named by its address is not lost for want of room to keep it.
      const loaded = await loadImage('final', `${base}/final.bin`, optionsOf(library));
      assert.deepEqual(loaded.bytes, FINAL);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  describe('an image of the store', () => {
    it('is named by its digest', async () => {
      const library = libraryOf('http://127.0.0.1:1');
      await library.store.keep(FINAL, 'somewhere', wording('image-final'));
      for (const digest of [SHA, SHA.toUpperCase()]) {
        const loaded = await loadImage('final', `Store: ${digest} `, optionsOf(library));
        assert.deepEqual([loaded.bytes, loaded.source], [FINAL, `store:${digest}`]);
      }
      const other = `store:${'0'.repeat(64)}`;
      await assertRefused(loadImage('final', other, optionsOf(library)), 'firmware-missing', /is not in the store/);
    });
  });

  describe('an image at an address', () => {
    it('is fetched each time, and taken from here where the address cannot be reached', async () => {
      const base = await http.serve(files);
      const address = `${base}/final.bin?token=secret`;
      await http.stop();
      await assertRefused(loadImage('final', address, optionsOf(libraryOf(base))), 'fetch-failed');
      const again = await http.serve((_, response) => response.end(FINAL));
      const here = `${again}/final.bin?token=secret`;
      await loadImage('final', here, optionsOf(libraryOf(base)));
      await http.stop();
      const offline = await loadImage('final', here, optionsOf(libraryOf(base)));
      assert.deepEqual(offline.bytes, FINAL);
      assert.match(offline.source, /^http:\S+\/final\.bin \(as it was kept here\)$/);
      const other = here.replace('secret', 'other');
      await assertRefused(loadImage('final', other, optionsOf(libraryOf(base))), 'fetch-failed');
      assert.deepEqual(
        (await libraryOf(base).store.list()).map(({ sha256, origins }) => [sha256, origins]),
        [[SHA, [`${again}/final.bin`]]],
        'without what may be a secret',
      );
    });

    it('is taken from here also where its server stalls, but not where it redirects in a circle, nor once cancelled', async () => {
      const cancel = new AbortController();
      let answer: RequestListener = (_, response) => response.end(FINAL);
      const base = await http.serve((request, response) => answer(request, response));
      const library = libraryOf(base);
      await loadImage('final', base, optionsOf(library));
      answer = () => undefined;
      const kept = await loadImage('final', base, optionsOf(library, { stallMs: 20 }));
      assert.deepEqual([kept.bytes, kept.source], [FINAL, `${base}/ (as it was kept here)`]);
      answer = (_, response) => response.writeHead(302, { location: '/' }).end();
      await assertRefused(loadImage('final', base, optionsOf(library)), 'fetch-redirected');
      answer = () => cancel.abort();
      await assertRefused(loadImage('final', base, optionsOf(library, { signal: cancel.signal })), 'cancelled');
    });

    it('needs no network once it was examined', async () => {
      const base = await http.serve((_, response) => response.end(FINAL));
      await loadImage('final', base, optionsOf(libraryOf(base)));
      await http.stop();
      const loaded = await loadImage('final', base, optionsOf(libraryOf(base), { digest: SHA }));
      assert.deepEqual(loaded.bytes, FINAL);
    });

    it('is refused where it brings another one than was examined', async () => {
      const base = await http.serve((_, response) => response.end(FINAL));
      const options = optionsOf(libraryOf(base), { digest: '0'.repeat(64) });
      await assertRefused(loadImage('final', base, options), 'image-changed');
    });

    it('is not kept where it is no image', async () => {
      const base = await http.serve((_, response) => response.end(PAGE));
      const library = libraryOf(base);
      await assert.rejects(loadImage('final', base, optionsOf(library)));
      assert.deepEqual(await library.store.list(), []);
    });
  });

  it('refuses a file that changed on disk since it was examined', async () => {
    const path = join(folder, 'mine.bin');
    const options = optionsOf(libraryOf('http://127.0.0.1:1'));
    await writeFile(path, FINAL);
    const sources = { user1: FILES['user1.bin'], user2: FILES['user2.bin'], final: path, digests: { final: SHA } };
    assert.deepEqual((await loadFirmware(sources, options)).final.bytes, FINAL);
    await writeFile(path, makeFinalImage({ seed: 9 }));
    await assertRefused(loadFirmware(sources, options), 'image-changed', /final image changed since it was examined/);
    await assertRefused(loadForFinalStage(sources, options), 'image-changed');
  });

  describe('a flash that is resumed at FinalStage', () => {
    it('takes user2 where it is kept, and never goes to the network for it', async () => {
      const base = await http.serve(files);
      const library = libraryOf(base);
      const without = await loadForFinalStage({ final: FINAL }, optionsOf(library));
      assert.deepEqual(Object.keys(without), ['final']);
      await loadFirmware({ final: FINAL }, optionsOf(library));
      served.length = 0;
      const { user2 } = await loadForFinalStage({ final: FINAL }, optionsOf(library));
      assert.deepEqual([user2?.role, user2?.bytes, user2?.source], ['user2', FILES['user2.bin'], 'catalog:user2']);
      assert.deepEqual(served, []);
    });

    it('takes the user2 that is named, held to what was examined of it', async () => {
      const options = optionsOf(libraryOf('http://127.0.0.1:1'));
      const sources = { final: FINAL, user2: FILES['user2.bin']! };
      const { user2 } = await loadForFinalStage(sources, options);
      assert.deepEqual([user2?.role, user2?.bytes, user2?.source], ['user2', FILES['user2.bin'], 'message']);
      for (const role of ['user2', 'final'] as const) {
        const digests = { [role]: '0'.repeat(64) };
        const { values } = await assertRefused(loadForFinalStage({ ...sources, digests }, options), 'image-changed');
        assert.deepEqual(values, { what: wording(`image-${role}`) });
      }
    });

    it('goes without user2 where what is kept cannot be read', async () => {
      const library = libraryOf('http://127.0.0.1:1');
      await mkdir(join(folder, `${digestOf(FILES['user2.bin']!)}.bin`));
      assert.deepEqual(Object.keys(await loadForFinalStage({ final: FINAL }, optionsOf(library))), ['final']);
    });
  });
});
