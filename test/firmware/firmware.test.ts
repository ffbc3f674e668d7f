import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { loadImage, requireWhole, type ImageSource } from '../../lib/firmware/firmware';
import { loadFirmware } from '../../lib/flash/routes/load-firmware';
import { digestOf, FINAL_LIMIT, makeFinalImage, makeUserImage, USER_LIMIT } from '../../lib/image';
import { wording } from '../../lib/wordings/wording';
import { useHttpServers } from '../shared/http-server';
import { assertRefused } from '../shared/refusal';

const USER1 = makeUserImage({ slot: 1 });
const USER2 = makeUserImage({ slot: 2 });
const FINAL = makeFinalImage();
const NEVER = new AbortController().signal;

describe('firmware', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-firmware-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function file(name: string, content: Buffer | string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  }

  describe('what is missing', () => {
    const all = { user1: USER1, user2: USER2, final: FINAL };

    it('is the pair where both are empty; the remedy names its files and full digests', async () => {
      for (const empty of ['', '  ', undefined]) {
        const error = await assertRefused(
          loadFirmware({ ...all, user1: empty, user2: empty }, { signal: NEVER }),
          'firmware-missing',
          /no FinalStage pair \(user1, user2\)\./,
        );
        assert.match(error.message, /image_user1-0x01000\.bin \(sha256 64b37459[0-9a-f]{56}\)/);
        assert.match(error.message, /image_user2-0x81000\.bin \(sha256 fec3fc4f[0-9a-f]{56}\)/);
      }
    });

    it('is named one by one otherwise', async () => {
      for (const role of ['user1', 'user2', 'final'] as const) {
        const sources = { ...all, [role]: '' };
        await assertRefused(
          loadFirmware(sources, { signal: NEVER }),
          'firmware-missing',
          new RegExp(`no ${role} image`),
        );
      }
      await assertRefused(loadImage('final', undefined, { signal: NEVER }), 'firmware-missing', /no final image/);
    });

    it('is named in the order of the form, before anything is read', async () => {
      for (const [sources, what] of [
        [{ user1: '/no/such.bin', user2: '', final: '' }, 'no-user2'],
        [{ user1: '', user2: '/no/such.bin', final: '' }, 'no-user1'],
        [{ user1: '/no/such.bin', user2: '/no/such.bin', final: ' ' }, 'no-final'],
      ] as const) {
        const { values } = await assertRefused(loadFirmware(sources, { signal: NEVER }), 'firmware-missing');
        assert.deepEqual(values, { what: wording(what) });
      }
    });

    it('is named in the same order where images are there', async () => {
      const { user1, user2, final } = await loadFirmware(all, { signal: NEVER });
      for (const [firmware, what] of [
        [{}, 'no-user1'],
        [{ user2, final }, 'no-user1'],
        [{ user1 }, 'no-user2'],
        [{ user1, user2 }, 'no-final'],
      ] as const) {
        assert.throws(() => requireWhole(firmware), { code: 'firmware-missing', values: { what: wording(what) } });
      }
      assert.deepEqual(requireWhole({ user1, user2, final }), { user1, user2, final });
    });

    it('is also what a catalog would know', async () => {
      for (const source of ['catalog:tasmota-lite', 'store:00ff']) {
        await assertRefused(
          loadImage('final', source, { signal: NEVER }),
          'firmware-missing',
          /\(\w+:\S+ is not known/,
        );
      }
    });
  });

  describe('from files', () => {
    it('loads all three, absolute or relative to the working directory', async () => {
      const firmware = await loadFirmware(
        {
          user1: await file('user1.bin', USER1),
          user2: relative(process.cwd(), await file('user2.bin', USER2)),
          final: ` ${await file('final.bin', FINAL)}\n`,
        },
        { signal: NEVER },
      );
      assert.deepEqual(firmware.user1.bytes, USER1);
      assert.deepEqual(firmware.user2.bytes, USER2);
      assert.deepEqual(firmware.final.bytes, FINAL);
      assert.equal(firmware.user1.facts.slot, 1);
      assert.equal(firmware.user2.source, join(folder, 'user2.bin'));
      assert.equal(firmware.final.sha256, firmware.final.facts.sha256);
      assert.equal(firmware.final.role, 'final');
    });

    it('says why a file cannot be read', async () => {
      const cases: [path: string, words: RegExp][] = [
        [join(folder, 'nowhere.bin'), /from \S+nowhere\.bin: there is no such file/],
        [folder, /it is a folder/],
        ['/dev/zero', /it is not a regular file/],
        ['a\0b', /zero byte/],
        ['x'.repeat(5000), /too long/],
        [join(folder, 'circle.bin'), /links lead in a circle/],
        [join(await file('no-folder', FINAL), 'final.bin'), /there is no such file/],
      ];
      await symlink('circle.bin', join(folder, 'circle.bin'));
      for (const [path, words] of cases) {
        const { values } = await assertRefused(loadImage('user1', path, { signal: NEVER }), 'image-unreadable', words);
        const { what, source, reason, ...more } = values;
        assert.deepEqual([what, source, more], [wording('image-user1'), resolve(path), {}]);
        assert.match(reason?.text ?? '', new RegExp(words.source.replace(/^.*: /, '')));
      }
    });

    it('ends where it is cancelled while a file is read', async () => {
      const cancel = new AbortController();
      const loading = loadImage('final', await file('slow.bin', FINAL), { signal: cancel.signal });
      cancel.abort();
      await assertRefused(loading, 'cancelled');
    });

    it('says so where it has no permission', async function () {
      if (process.getuid?.() === 0) this.skip(); // root may read everything
      const path = await file('secret.bin', USER1);
      await chmod(path, 0);
      await assertRefused(loadImage('user1', path, { signal: NEVER }), 'image-unreadable', /no permission/);
    });

    it('does not read a huge file', async () => {
      const path = await file('huge.bin', '');
      await truncate(path, 3 * 1024 ** 4);
      await assertRefused(
        loadImage('final', path, { signal: NEVER }),
        'image-too-large',
        /3298534883328 bytes; at most/,
      );
    });

    it('examines what it read', async () => {
      const [user1, user2] = [await file('u1.bin', USER1), await file('u2.bin', USER2)];
      const sources = { user1: user2, user2: user1, final: FINAL };
      await assertRefused(loadFirmware(sources, { signal: NEVER }), 'image-wrong-slot', /as user1 is linked for user2/);
      const empty = await file('empty.bin', '');
      await assertRefused(loadImage('final', empty, { signal: NEVER }), 'image-invalid', /empty/);
    });
  });

  describe('from messages', () => {
    it('takes a Buffer, a Uint8Array, one of another realm, and the JSON form', async () => {
      const foreign = runInNewContext('Uint8Array.from(bytes)', { bytes: [...FINAL] }) as Uint8Array;
      const json = JSON.parse(JSON.stringify(FINAL)) as ImageSource;
      for (const source of [FINAL, new Uint8Array(FINAL), foreign, json]) {
        const image = await loadImage('final', source, { signal: NEVER });
        assert(Buffer.isBuffer(image.bytes));
        assert.deepEqual(image.bytes, FINAL);
        assert.equal(image.source, 'message');
      }
    });

    it('keeps its own copy', async () => {
      // One whose content is not shared with another job.
      const sent = makeFinalImage({ seed: 4711 });
      const whole = Buffer.from(sent);
      const image = await loadImage('final', sent, { signal: NEVER });
      sent.fill(0);
      assert.deepEqual(image.bytes, whole);
    });

    it('refuses anything else', async () => {
      const others: unknown[] = [
        42,
        true,
        {},
        [],
        { type: 'Buffer', data: 'x' },
        { type: 'Buffer', data: [256] },
        { type: 'Buffer', data: [null] },
        new Uint16Array(8),
      ];
      for (const other of others) {
        const source = other as ImageSource;
        await assertRefused(loadImage('final', source, { signal: NEVER }), 'image-unreadable', /neither a path/);
      }
      const huge = Buffer.alloc(2 * 1024 * 1024 + 1);
      const size = huge.length;
      for (const [role, limit] of [
        ['final', FINAL_LIMIT],
        ['user1', USER_LIMIT],
        ['user2', USER_LIMIT],
      ] as const) {
        const { values } = await assertRefused(loadImage(role, huge, { signal: NEVER }), 'image-too-large');
        assert.deepEqual(values, { what: wording(`image-${role}`), size, limit });
      }
      const json = { type: 'Buffer', data: Array<number>(2 * 1024 * 1024 + 1).fill(0) } as const;
      await assertRefused(loadImage('final', json, { signal: NEVER }), 'image-too-large', /2097153 bytes/);
    });
  });

  describe('from an address', () => {
    const { serve, stop } = useHttpServers();

    it('loads the body, follows redirects, and shows neither password nor query', async () => {
      const seen: { url: string | undefined; authorization: string | undefined }[] = [];
      const base = await serve((request, response) => {
        seen.push({ url: request.url, authorization: request.headers.authorization });
        if (request.url === '/real.bin') response.end(FINAL);
        else response.writeHead(302, { location: '/real.bin' }).end();
      });
      const address = `${base.replace('//', '//me:pass%20word@')}/final.bin?token=secret`;
      const image = await loadImage('final', address, { signal: NEVER });
      assert.deepEqual(image.bytes, FINAL);
      assert.equal(image.source, `${base}/final.bin`);
      const authorization = `Basic ${Buffer.from('me:pass word').toString('base64')}`;
      assert.deepEqual(seen, [
        { url: '/final.bin?token=secret', authorization },
        { url: '/real.bin', authorization },
      ]);
    });

    it('sends credentials to no other origin', async () => {
      let leaked: string | undefined;
      const other = await serve((request, response) => {
        leaked = request.headers.authorization ?? 'none';
        response.end(FINAL);
      });
      const location = `${other}/final.bin`;
      const base = await serve((_, response) => response.writeHead(301, { location }).end());
      await loadImage('final', base.replace('//', '//me:word@'), { signal: NEVER });
      assert.equal(leaked, 'none');
    });

    it('is refused where a person must vouch for it and has not', async () => {
      const final = await serve((_, response) => response.end(FINAL));
      const sources = { user1: USER1, user2: USER2, final, mustBeConfirmed: ['final'] } as const;
      const options = { signal: NEVER };
      const { values } = await assertRefused(loadFirmware(sources, options), 'digest-unconfirmed');
      assert.deepEqual(values, { what: wording('image-final'), digest: digestOf(FINAL) });
      const digests = { final: digestOf(FINAL) };
      assert.deepEqual((await loadFirmware({ ...sources, digests }, options)).final.bytes, FINAL);
      const other = { ...sources, mustBeConfirmed: ['user1'], digests: { user1: digestOf(USER1) } } as const;
      assert.deepEqual((await loadFirmware(other, options)).final.bytes, FINAL);
    });

    it('says what the server answered', async () => {
      const base = await serve((_, response) => response.writeHead(404).end('<html>no</html>'));
      const error = await assertRefused(
        loadImage('user1', `${base}/x.bin?key=secret`, { signal: NEVER }),
        'fetch-failed',
        /user1 image could not be fetched from http:\S+\/x\.bin: the server answered 404 Not Found/,
      );
      assert.doesNotMatch(JSON.stringify(error.values), /secret/);
    });

    it('names a web page that came in the place of the image', async () => {
      const base = await serve((_, response) => response.end('<!DOCTYPE html><title>Sign in</title>'));
      await assertRefused(loadImage('final', base, { signal: NEVER }), 'image-web-page', /web page/);
    });

    it('gives up on redirects without end, to nowhere, and to other schemes', async () => {
      let requests = 0;
      const base = await serve((request, response) => {
        requests++;
        if (request.url === '/loop') response.writeHead(302, { location: '/loop' });
        else if (request.url === '/none') response.writeHead(302);
        else response.writeHead(302, { location: 'file:///etc/hostname' });
        response.end();
      });
      const load = (path: string): Promise<unknown> => loadImage('final', base + path, { signal: NEVER });
      await assertRefused(load('/loop'), 'fetch-redirected', /redirects more than 5 times/);
      assert.equal(requests, 6);
      await assertRefused(load('/none'), 'fetch-failed', /redirects to nowhere/);
      await assertRefused(load('/file'), 'fetch-failed', /only http and https .* not file/);
    });

    it('gives up on a server that stalls, before its header and in its body', async () => {
      const base = await serve((request, response) => {
        if (request.url !== '/body') return;
        response.writeHead(200, { 'content-length': FINAL.length });
        response.write(FINAL.subarray(0, 1000));
      });
      for (const path of ['/header', '/body']) {
        const loading = loadImage('final', base + path, { signal: NEVER, limitMs: 100 });
        await assertRefused(loading, 'fetch-stalled', /\d+ bytes came, and no more/);
      }
    });

    it('ends immediately when it is cancelled', async () => {
      const cancel = new AbortController();
      const base = await serve(() => cancel.abort());
      await assertRefused(loadImage('final', base, { signal: cancel.signal }), 'cancelled', /cancelled/);
      // Every road looks at the signal, also where there is nothing to wait for.
      await assertRefused(loadImage('final', FINAL, { signal: cancel.signal }), 'cancelled', /cancelled/);
    });

    it('refuses a body that is cut off again and again', async () => {
      const options = { signal: NEVER, retryMs: 1 };
      const base = await serve((_, response) => {
        response.writeHead(200, { 'content-length': FINAL.length });
        response.write(FINAL.subarray(0, 20000), () => response.destroy());
      });
      await assertRefused(loadImage('final', base, options), 'fetch-failed', /connection broke off/);
      const chunked = await serve((_, response) => {
        response.write(FINAL.subarray(0, 20000), () => response.destroy());
      });
      await assertRefused(loadImage('final', chunked, options), 'fetch-failed', /connection broke off/);
    });

    it('does not read a body that is too long, announced or not', async () => {
      const base = await serve((request, response) => {
        if (request.url === '/announced') response.writeHead(200, { 'content-length': 1e9 });
        const send = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65536)));
        };
        response.on('drain', send);
        send();
      });
      for (const path of ['/announced', '/endless']) {
        const loading = loadImage('final', base + path, { signal: NEVER, limitMs: 600_000 });
        await assertRefused(loading, 'fetch-failed', /longer than 2097152 bytes/);
      }
    });

    it('says why nothing answers', async () => {
      const base = await serve(() => undefined);
      await stop();
      await assertRefused(loadImage('final', base, { signal: NEVER }), 'fetch-failed', /nothing listens there/);
      await assertRefused(loadImage('final', 'http://', { signal: NEVER }), 'fetch-failed', /that is no address/);
      await assertRefused(
        loadImage('final', 'ftp://127.0.0.1/final.bin', { signal: NEVER }),
        'fetch-failed',
        /only http and https addresses can be fetched, not ftp/,
      );
    });
  });
});
