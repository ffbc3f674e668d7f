import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { EventEmitter, once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import helper from 'node-red-node-test-helper';
import { Catalog, type CatalogImage } from '../../lib/firmware/library/catalog';
import { ImageLibrary } from '../../lib/firmware/library/image-library';
import { FirmwareStore } from '../../lib/firmware/store/firmware-store';
import { explain } from '../../lib/errors';
import { digestOf, makeFinalImage, makeUserImage } from '../../lib/image';
import { addFirmwareRoutes } from '../../nodes/sonota-firmware/routes';
import { patched, rewritten } from '../image/helpers';
import { useHttpServers } from '../shared/http-server';
import { useAdminServer } from './admin-server';
import { wording } from '../../lib/wordings/wording';

const FINAL = makeFinalImage({ seed: 5 });
const SHA = digestOf(FINAL);
/** Bytes: half of the flash (docs/dev/esp8266-images.md). */
const FINAL_LIMIT = 524_288;
/** Bytes: the place of user1, and of user2. */
const SLOT_LIMIT = 471_040;

interface Answer {
  status: number;
  body: Record<string, unknown>;
  text: string;
}

describe('nodes/firmware routes', () => {
  const http = useHttpServers();
  let folder: string;
  let library: ImageLibrary;
  let asked: string[];
  let api: NodeAPI;
  let referrers: unknown[];

  useAdminServer();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-routes-'));
    asked = [];
    referrers = [];
    await useCatalog('http://127.0.0.1:1');
    await helper.load(
      [
        (RED: NodeAPI) =>
          addFirmwareRoutes(
            watched(RED),
            () => library,
            () => referrers,
          ),
      ],
      [],
    );
  });
  afterEach(async () => {
    await helper.unload();
    await rm(folder, { recursive: true });
  });

  /** Node-RED's own check of permissions is not part of the helper: this one notes what is asked for. */
  function watched(RED: NodeAPI): NodeAPI {
    api = RED;
    const needsPermission = (name: string) => (_: unknown, _response: unknown, next: () => void) => {
      asked.push(name);
      next();
    };
    return { _: RED._, httpAdmin: RED.httpAdmin, auth: { needsPermission } } as unknown as NodeAPI;
  }

  async function useCatalog(base: string): Promise<void> {
    const image = (name: string, sha256: string | null, road: CatalogImage['roads'][number]): CatalogImage => ({
      name,
      title: name,
      project: 'test',
      version: '1',
      licence: null,
      url: `${base}/${name}.bin`,
      size: null,
      sha256,
      digestSource: sha256 && 'this test',
      flashMode: null,
      roads: [road],
      notes: 'none',
    });
    const images = [
      image('user1', digestOf(makeUserImage({ slot: 1 })), 'cloud-user1'),
      image('user2', digestOf(makeUserImage({ slot: 2 })), 'cloud-user2'),
      image('known', SHA, 'finalstage'),
      { ...image('unknown', null, 'finalstage'), mirrorSha256: '0'.repeat(64), size: 5000 },
    ];
    library = new ImageLibrary(
      new FirmwareStore(join(folder, 'store')),
      new Catalog({ pair: { user1: 'user1', user2: 'user2' }, images }),
    );
  }

  async function call(method: 'get' | 'post' | 'delete', path: string, body?: object): Promise<Answer> {
    const sending = helper.request()[method](`/sonota/firmware/${path}`);
    const { status, body: json, text } = await (body ? sending.send(body) : sending);
    return { status, body: json as Record<string, unknown>, text };
  }

  async function examine(role: string, source: string): Promise<Record<string, unknown>> {
    const { status, body, text } = await call('post', 'examine', { role, source });
    assert.equal(status, 200, text);
    return body;
  }

  async function fetched(role: string, source: string): Promise<Record<string, unknown>[]> {
    const { status, text, type } = await helper.request().post('/sonota/firmware/fetch').send({ role, source });
    assert.deepEqual([status, type], [200, 'application/x-ndjson'], text);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('keeps a file that a person uploads, under its name, and refuses what can be no image', async () => {
    const upload = (query: string, bytes: Buffer): Promise<{ status: number; body: Record<string, unknown> }> =>
      Promise.resolve(
        helper
          .request()
          .post(`/sonota/firmware/upload?${query}`)
          .set('content-type', 'application/octet-stream')
          .send(bytes),
      );
    const kept = await upload(`role=final&name=${encodeURIComponent('C:\\fw\\mine.bin')}`, FINAL);
    assert.deepEqual([kept.status, kept.body], [200, { sha256: SHA }]);
    assert.equal((await examine('final', `store:${SHA}`))['state'], 'examined');
    const originOf = async (): Promise<unknown> => (await library.store.list())[0]?.origins.at(-1);
    assert.equal(await originOf(), 'mine.bin');
    for (const [name, origin] of [
      ['%20', 'uploaded file'],
      [`${'x'.repeat(100)}.bin`, 'x'.repeat(80)],
      ['/home/me/fw.bin%20', 'fw.bin'],
    ]) {
      await upload(`role=final&name=${name}`, FINAL);
      assert.equal(await originOf(), origin);
    }
    const page = await upload('role=final&name=page.bin', Buffer.from('<!doctype html><title>Log in</title>'));
    assert.deepEqual([page.status, page.body['code']], [422, 'image-web-page']);
    for (const size of [2 * 1024 * 1024 + 1, 3 * 1024 * 1024]) {
      const big = await upload('role=final&name=big.bin', Buffer.alloc(size));
      const said = explain('image-too-large', { what: wording('image-final'), size, limit: FINAL_LIMIT });
      assert.deepEqual([big.status, big.body], [422, { code: 'image-too-large', message: said }]);
    }
    const ofUser1 = await upload('role=user1&name=big.bin', Buffer.alloc(2 * 1024 * 1024 + 1));
    const values = { what: wording('image-user1'), size: 2 * 1024 * 1024 + 1, limit: SLOT_LIMIT };
    assert.deepEqual(ofUser1.body, { code: 'image-too-large', message: explain('image-too-large', values) });
    const pageOfUser2 = await upload('role=user2&name=page.bin', Buffer.from('<!doctype html><title>Log in</title>'));
    assert.ok(
      String(pageOfUser2.body['message']).includes(wording('image-user2').text),
      JSON.stringify(pageOfUser2.body),
    );
    // A client that does not state how much it sends is stopped, and told how much came by then.
    const origin = await http.serve(api.httpAdmin);
    const sending = httpRequest(`${origin}/sonota/firmware/upload?role=final&name=big.bin`, { method: 'POST' });
    sending.on('error', () => undefined).write(Buffer.alloc(2 * 1024 * 1024 + 1));
    const [answer] = (await once(sending, 'response')) as [AsyncIterable<Buffer>];
    let text = '';
    for await (const part of answer) text += part.toString('utf8');
    const { code, message } = JSON.parse(text) as { code: string; message: string };
    assert.deepEqual([code, /\b2097\d{3}\b/.test(message)], ['image-too-large', true], message);
    sending.destroy();
    assert.equal((await upload('role=other&name=x.bin', FINAL)).status, 400);
    assert.equal((await library.store.list()).length, 1);
    assert.ok(asked.includes('sonota.write'));
  });

  it('examines a file and gives back what the doctor says, but no byte of it', async () => {
    const path = join(folder, 'final.bin');
    await writeFile(path, FINAL);
    const inspection = await examine('final', path);
    assert.equal(inspection['state'], 'examined');
    assert.notEqual(inspection['verdict'], 'refuse');
    assert.equal(inspection['sha256'], SHA);
    assert.equal(inspection['size'], FINAL.length);
    assert.match(String(inspection['picture']), /^<svg/);
    assert.equal(inspection['title'], 'known', 'the catalog knows it by its digest');
    assert.deepEqual(Object.keys(inspection).sort(), [
      'findings',
      'identity',
      'picture',
      'sha256',
      'size',
      'state',
      'title',
      'verdict',
    ]);
    assert.deepEqual(asked, ['sonota.write'], 'to look into files takes the right to change flows');
  });

  it('gives nothing of a file away that is no image', async () => {
    const path = join(folder, 'secret.txt');
    await writeFile(path, 'password=swordfish\n'.repeat(20));
    for (const role of ['user1', 'final']) {
      const inspection = await examine(role, path);
      assert.equal(inspection['verdict'], 'refuse');
      assert.doesNotMatch(JSON.stringify(inspection), /swordfish/);
    }
  });

  it('says what cannot be read', async () => {
    const inspection = await examine('final', join(folder, 'nowhere.bin'));
    assert.equal(inspection['state'], 'unreadable');
    assert.equal(inspection['code'], 'image-unreadable');
    assert.match(String(inspection['message']), /there is no such file/);
    assert.equal((await examine('final', 'catalog:nothing'))['code'], 'firmware-missing');
    assert.equal((await examine('final', '/dev/zero'))['code'], 'image-unreadable');
  });

  it('fetches nothing that is only looked at', async () => {
    let requests = 0;
    const base = await http.serve((_, response) => {
      requests++;
      response.end(FINAL);
    });
    await useCatalog(base);
    for (const source of [`${base}/x.bin`, 'catalog:known', 'catalog:unknown']) {
      assert.equal((await examine('final', source))['state'], 'not-fetched');
    }
    assert.equal((await examine('user1', ''))['from'], `${base}/user1.bin`);
    assert.equal(requests, 0);
  });

  it('downloads with news of how far it is, then knows the image without the network', async () => {
    const base = await http.serve((_, response) => response.end(FINAL));
    await useCatalog(base);
    const sources = { 'catalog:known': 'examined', [`${base}/x.bin`]: 'unconfirmed' };
    for (const [source, state] of Object.entries(sources)) {
      const lines = await fetched('final', source);
      assert.ok(lines.length >= 2, 'there is news before the end');
      assert.deepEqual(Object.keys(lines[0] ?? {}), ['received', 'total']);
      assert.equal(lines.at(-1)?.['state'], state);
      assert.equal(lines.at(-1)?.['sha256'], SHA);
    }
    await http.stop();
    for (const [source, state] of Object.entries(sources)) {
      assert.equal((await examine('final', source))['state'], state);
    }
  });

  /** What a download reports in lines of JSON; `onFirst` is called with the first of them. */
  async function newsOf(source: string, onFirst: () => void): Promise<Record<string, unknown>[]> {
    let text = '';
    const collect = (answer: unknown, done: (error: Error | null, body: string) => void): void => {
      const response = answer as NodeJS.ReadableStream;
      response.on('data', (part: Buffer) => {
        if (text === '') onFirst();
        text += part.toString('utf8');
      });
      response.on('end', () => done(null, text));
    };
    const target = { role: 'final', source };
    await helper.request().post('/sonota/firmware/fetch').send(target).buffer(true).parse(collect).expect(200);
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('reports how far a download is five times a second, however many packets it comes in', async () => {
    for (const [what, later, size, times] of [
      ['too soon', 199, FINAL.length, 1],
      ['a fifth of a second later', 200, FINAL.length, 2],
      ['where the server states no size', 200, undefined, 2],
    ] as const) {
      let now = 1_800_000_000_000;
      let sendRest = (): void => undefined;
      const base = await http.serve((_, response) => {
        response.writeHead(200, size === undefined ? {} : { 'content-length': size });
        response.write(FINAL.subarray(0, 10_000));
        sendRest = () => response.end(FINAL.subarray(10_000));
      });
      const clock = mock.method(Date, 'now', () => now);
      try {
        const lines = await newsOf(`${base}/x.bin`, () => {
          now += later;
          sendRest();
        });
        const news = lines.slice(0, -1);
        assert.equal(lines.at(-1)?.['sha256'], SHA, what);
        assert.deepEqual(
          news.map(({ received: _, ...more }) => more),
          Array<object>(times).fill({ total: size ?? null }),
          what,
        );
        const received = news.map((line) => Number(line['received']));
        assert.ok(received.every((count, index) => count > (received[index - 1] ?? 0) && count <= FINAL.length));
      } finally {
        clock.mock.restore();
      }
    }
  });

  it('says why a download failed', async () => {
    const base = await http.serve((_, response) => response.writeHead(404).end());
    await useCatalog(base);
    const [last] = await fetched('final', 'catalog:known');
    assert.equal(last?.['code'], 'fetch-failed');
  });

  it('ends a download when its form is closed', async () => {
    const asked = new EventEmitter();
    const isBroken = once(asked, 'broken');
    const base = await http.serve((_, response) => {
      response.on('close', () => asked.emit('broken'));
      response.writeHead(200, { 'content-length': FINAL.length });
      response.write(FINAL.subarray(0, 1000));
    });
    const origin = await http.serve(api.httpAdmin);
    const headers = { 'content-type': 'application/json' };
    const form = httpRequest(`${origin}/sonota/firmware/fetch`, { method: 'POST', headers });
    form.on('error', () => undefined);
    form.end(JSON.stringify({ role: 'final', source: base }));
    const [answer] = (await once(form, 'response')) as [NodeJS.ReadableStream];
    const [news] = (await once(answer, 'data')) as [Buffer];
    assert.deepEqual(JSON.parse(news.toString('utf8')), { received: 1000, total: FINAL.length });
    form.destroy();
    await isBroken;
    assert.deepEqual(await library.store.list(), []);
  });

  it('asks for a digest that is not known, and takes the answer', async () => {
    const base = await http.serve((_, response) => response.end(FINAL));
    await useCatalog(base);
    const last = (await fetched('final', 'catalog:unknown')).at(-1);
    assert.equal(last?.['state'], 'unconfirmed');
    assert.equal(last?.['sha256'], SHA);
    assert.deepEqual([last?.['mirror'], last?.['expectedSize'], last?.['title']], ['different', 5000, 'unknown']);
    assert.equal((await examine('final', 'catalog:unknown'))['state'], 'unconfirmed');
    const wrong = await call('post', 'confirm', { name: 'unknown', sha256: '0'.repeat(64) });
    assert.equal(wrong.status, 422);
    assert.equal((await call('post', 'confirm', { name: 'unknown', sha256: SHA })).status, 200);
    assert.equal((await examine('final', 'catalog:unknown'))['state'], 'examined');
  });

  it('lists the catalog and what is kept, and removes it', async () => {
    await library.store.keep(FINAL, 'catalog:known', wording('image-final'));
    asked = [];
    const { body } = await call('get', 'images');
    assert.deepEqual(asked, ['sonota.read']);
    const { catalog, store } = body as { catalog: Record<string, unknown>[]; store: Record<string, unknown>[] };
    const here = Object.fromEntries(catalog.map(({ name, isHere }) => [name, isHere]));
    assert.deepEqual(here, { user1: false, user2: false, known: true, unknown: false });
    const [listed] = catalog;
    assert.deepEqual(listed, { ...library.catalog.images[0], isHere: false });
    const [kept, ...others] = store;
    const { addedAt, ...facts } = kept ?? {};
    assert.deepEqual(facts, { sha256: SHA, size: FINAL.length, origins: ['catalog:known'], isUsed: false });
    assert.ok(Date.parse(String(addedAt)) > 0);
    assert.deepEqual(others, []);
    assert.equal((await call('delete', `store/${SHA}`)).status, 200);
    assert.deepEqual(((await call('get', 'images')).body as { store: unknown[] }).store, []);
  });

  it('has an image of the catalog here that came by another way, or whose bytes are not confirmed yet', async () => {
    await library.store.keep(FINAL, 'a file', wording('image-final'));
    await library.store.keep(makeFinalImage({ seed: 23 }), 'catalog:unknown', wording('image-final'));
    const { catalog } = (await call('get', 'images')).body as { catalog: { name: string; isHere: boolean }[] };
    const here = catalog.filter(({ isHere }) => isHere).map(({ name }) => name);
    assert.deepEqual(here.sort(), ['known', 'unknown']);
  });

  /** What is listed as kept, by its origin. */
  async function isUsed(): Promise<Record<string, unknown>> {
    const { store } = (await call('get', 'images')).body as { store: { origins: string[]; isUsed: boolean }[] };
    return Object.fromEntries(store.map(({ origins, isUsed }) => [origins.at(-1), isUsed]));
  }

  it('knows what is used by digest, by name, by address and as the pair', async () => {
    const base = await http.serve((request, response) =>
      response.end(makeFinalImage({ seed: request.url?.length ?? 0 })),
    );
    const { store } = library;
    await store.keep(makeUserImage({ slot: 1 }), 'catalog:user1', wording('image-user1'));
    await store.keep(FINAL, 'catalog:known', wording('image-final'));
    const unknown = await store.keep(makeFinalImage({ seed: 21 }), 'catalog:unknown', wording('image-final'));
    await store.note('catalog:unknown', { sha256: unknown, isConfirmed: false });
    await fetched('final', `${base}/a`);
    const free = await store.keep(makeFinalImage({ seed: 22 }), 'free', wording('image-final'));
    const none = { 'catalog:known': false, 'catalog:unknown': false, [`${base}/a`]: false, free: false };
    assert.deepEqual(await isUsed(), { 'catalog:user1': true, ...none });
    for (const [referrer, origin] of [
      [{ func: `msg.firmware = 'store:${free.toUpperCase()}'` }, 'free'],
      [{ digests: { final: free } }, 'free'],
      [{ rules: [{ to: 'Catalog:known' }] }, 'catalog:known'],
      [['catalog:unknown'], 'catalog:unknown'],
      [{ final: ` ${base}/a ` }, `${base}/a`],
      [{ func: `msg.firmware = { final: '${base}/a' };` }, `${base}/a`],
    ] as const) {
      referrers = [referrer];
      assert.deepEqual(await isUsed(), { 'catalog:user1': true, ...none, [origin]: true });
    }
  });

  it('removes what a person agreed to, except for what came into use meanwhile, and nothing else', async () => {
    const { store } = library;
    const [agreed, inUse, other] = [
      await store.keep(makeFinalImage({ seed: 31 }), 'agreed', wording('image-final')),
      await store.keep(makeFinalImage({ seed: 32 }), 'in use meanwhile', wording('image-final')),
      await store.keep(makeFinalImage({ seed: 33 }), 'other', wording('image-final')),
    ];
    assert.deepEqual(await isUsed(), { agreed: false, 'in use meanwhile': false, other: false });
    referrers = [{ type: 'sonota-firmware', final: `store:${inUse}` }];
    asked = [];
    const { status, body } = await call('post', 'prune', { digests: [agreed, inUse, '../index', '0'.repeat(64)] });
    assert.deepEqual([status, body, asked], [200, { removed: [agreed] }, ['sonota.write']]);
    assert.deepEqual(await isUsed(), { 'in use meanwhile': true, other: false });
    assert.ok(await store.read(other));
  });

  it('keeps a mended copy beside the image that it was made of', async () => {
    const path = join(folder, 'dio.bin');
    const dio = rewritten(patched(FINAL, 2, 2));
    await writeFile(path, dio);
    const before = await examine('final', path);
    assert.equal(before['verdict'], 'refuse');
    const mends = (before['findings'] as { mend?: string }[]).flatMap(({ mend }) => mend ?? []);
    assert.deepEqual(mends, ['set-flash-mode-dout']);
    const { status, body, text } = await call('post', 'mend', { role: 'final', source: path, mends });
    assert.equal(status, 200, text);
    assert.equal(body['sha256'], SHA);
    assert.notEqual((await examine('final', `store:${SHA}`))['verdict'], 'refuse');
    assert.equal((await examine('final', path))['verdict'], 'refuse', 'the file itself is as it was');
  });

  it('hands on the digest that was seen before, and how the image gets into its place', async () => {
    const path = join(folder, 'final.bin');
    await writeFile(path, FINAL);
    const ask = async (more: object): Promise<Record<string, unknown>> =>
      (await call('post', 'examine', { role: 'final', source: path, ...more })).body;
    assert.equal((await ask({ digest: '0'.repeat(64) }))['sha256'], SHA);
    const base = await http.serve((_, response) => response.end(FINAL));
    await fetched('final', `${base}/x.bin`);
    const stateWith = async (digest: string): Promise<unknown> =>
      (await ask({ source: `${base}/x.bin`, digest }))['state'];
    assert.deepEqual([await stateWith(SHA), await stateWith('')], ['examined', 'unconfirmed']);
    await library.store.keep(makeFinalImage({ seed: 6 }), path, wording('image-final'));
    const whole = await ask({ intermediate: 'finalstage', digest: '' });
    const packed = await ask({ intermediate: 'one-hop' });
    assert.deepEqual([whole['state'], packed['state']], ['examined', 'examined']);
    assert.notDeepEqual(whole['picture'], packed['picture'], 'in one hop it lies elsewhere');
  });

  it('refuses a request without JSON', async () => {
    for (const path of ['examine', 'fetch', 'confirm', 'mend', 'prune']) {
      const { status, text } = await helper.request().post(`/sonota/firmware/${path}`).type('text').send('role=final');
      assert.equal(status, 400, `${path}: ${text}`);
    }
  });

  it('answers only what its own form asks', async () => {
    const long = `/${'x'.repeat(8191)}`;
    assert.equal((await call('post', 'examine', { role: 'final', source: long })).status, 200, 'no path is longer');
    const [noText, noRole] = ['a text is missing, or is too long', 'role must be one of user1, user2, final'];
    const cases: [path: string, body: object, message: string][] = [
      ['examine', { role: 'final', source: `${long}x` }, noText],
      ['examine', {}, noRole],
      ['examine', { role: 'boot', source: '/etc/hostname' }, noRole],
      ['examine', { role: 'final' }, noText],
      ['examine', { role: 'final', source: 'x'.repeat(10_000) }, noText],
      ['fetch', { role: 'final', source: 7 }, noText],
      ['mend', { role: 'final', source: 'x', mends: 'all' }, 'mends must be a list'],
      ['mend', { role: 'final', source: 'x', mends: ['erase'] }, 'there is no mend erase'],
      ['confirm', { name: 'known' }, noText],
      ['confirm', { sha256: SHA }, noText],
      ['prune', { digests: 'all' }, 'digests must be a list'],
      ['prune', { digests: [7] }, noText],
    ];
    for (const [path, body, message] of cases) {
      const answer = await call('post', path, body);
      const what = `${path} ${JSON.stringify(body).slice(0, 60)}`;
      assert.deepEqual([answer.status, answer.body], [400, { message }], what);
    }
    assert.equal((await call('delete', 'store/..%2f..%2fx')).status, 200, 'it names nothing that is kept');
  });
});
