import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchAndInspect, inspect, keepMended, keepUploaded, type InspectionTarget } from '../../lib/firmware/inspection';
import { Catalog, type CatalogImage } from '../../lib/firmware/library/catalog';
import { ImageLibrary } from '../../lib/firmware/library/image-library';
import { FirmwareStore } from '../../lib/firmware/store/firmware-store';
import { digestOf, DIY_LIMIT, examine, makeFinalImage, makeUserImage, mend, type ImageTarget } from '../../lib/image';
import { wording } from '../../lib/wordings/wording';
import { patched, rewritten } from '../image/helpers';
import { useHttpServers } from '../shared/http-server';
import { assertRefused } from '../shared/refusal';

const FINAL = makeFinalImage({ seed: 5, size: 24_576 });
/** Fits the half of the flash that FinalStage writes, but not the place of an upgrade in DIY mode. */
const LARGE = makeFinalImage({ size: DIY_LIMIT + 4096 });
const [USER1, USER2] = [makeUserImage({ slot: 1 }), makeUserImage({ slot: 2 })];

describe('firmware/inspection', () => {
  let folder: string;
  let library: ImageLibrary;
  const { serve } = useHttpServers();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-inspection-'));
    const image = (name: string, bytes: Buffer, more: Partial<CatalogImage> = {}): CatalogImage => ({
      ...{ name, title: `the ${name}`, project: 'test', version: '1', licence: null, notes: 'none' },
      ...{ url: `http://192.0.2.1/${name}.bin`, size: bytes.length, sha256: digestOf(bytes), digestSource: 'this test' },
      ...{ flashMode: null, roads: ['finalstage'], ...more },
    });
    const mirrored = { sha256: null, digestSource: null, size: 5000, mirrorSha256: '0'.repeat(64) };
    const images = [image('user1', USER1), image('user2', USER2), image('known', FINAL), image('new', FINAL, mirrored)];
    const catalog = new Catalog({ pair: { user1: 'user1', user2: 'user2' }, images });
    library = new ImageLibrary(new FirmwareStore(join(folder, 'store')), catalog);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function file(bytes: Buffer): Promise<string> {
    const path = join(folder, 'image.bin');
    await writeFile(path, bytes);
    return path;
  }

  /** What the doctor says of an image for its place, but for the picture. */
  function said(bytes: Buffer, target: ImageTarget): object {
    const { verdict, findings, identity, sha256, size } = examine(bytes, target);
    return { verdict, findings, identity, sha256, size };
  }

  async function inspected(target: InspectionTarget): Promise<object> {
    const inspection = await inspect(library, target);
    if (!('picture' in inspection)) return inspection;
    const { picture, ...more } = inspection;
    assert.match(picture, /^<svg/);
    return more;
  }

  for (const [what, target, from, size, sha256] of [
    ['of an address', { role: 'final', source: 'http://192.0.2.1/x.bin' }, 'http://192.0.2.1/x.bin', null, null],
    [
      'of the catalog',
      { role: 'final', source: ' catalog:KNOWN ' },
      'http://192.0.2.1/known.bin',
      FINAL.length,
      digestOf(FINAL),
    ],
    [
      'of the catalog, of which no digest is known',
      { role: 'final', source: 'catalog:new' },
      'http://192.0.2.1/new.bin',
      5000,
      null,
    ],
    [
      'that stands in for an empty user2',
      { role: 'user2', source: ' ' },
      'http://192.0.2.1/user2.bin',
      USER2.length,
      digestOf(USER2),
    ],
  ] as const) {
    it(`says from where an image ${what} can be fetched, and what is known of it`, async () => {
      assert.deepEqual(await inspected(target), { state: 'not-fetched', from, size, sha256 });
    });
  }

  it('says why a source cannot be read', async () => {
    const source = join(folder, 'nowhere.bin');
    const { message, ...more } = (await inspect(library, { role: 'user1', source })) as { message: string };
    const values = { what: wording('image-user1'), source, reason: wording('no-file') };
    assert.deepEqual(more, { state: 'unreadable', code: 'image-unreadable', values });
    assert.match(message, /nowhere\.bin/);
  });

  it('says what the doctor says for the place of its role, or for another that is named', async () => {
    const source = await file(USER1);
    assert.deepEqual(await inspected({ role: 'user1', source }), {
      state: 'examined',
      ...said(USER1, 'cloud-user1'),
      title: 'the user1',
    });
    const own = makeFinalImage({ seed: 8, size: 24_576 });
    const place = { role: 'final', source: await file(own) } as const;
    assert.deepEqual(await inspected(place), { state: 'examined', ...said(own, 'finalstage') });
    assert.deepEqual(await inspected({ ...place, place: 'one-hop' }), { state: 'examined', ...said(own, 'one-hop') });
  });

  it('speaks in its picture the language that is given', async () => {
    const target = { role: 'final', source: await file(FINAL) } as const;
    const pictureOf = async (more: Partial<InspectionTarget>): Promise<string> =>
      ((await inspect(library, { ...target, ...more })) as { picture: string }).picture;
    assert.match(await pictureOf({}), /<title[^>]*>The flash before and after/);
    assert.match(await pictureOf({ speak: (name) => `spoken ${name}` }), /<title[^>]*>spoken title/);
  });

  it('says what speaks against a final image in DIY mode alone', async () => {
    const source = await file(LARGE);
    const { inDiyMode, ...more } = (await inspected({ role: 'final', source })) as { inDiyMode: { code: string }[] };
    assert.deepEqual(more, { state: 'examined', ...said(LARGE, 'finalstage') });
    const elsewhere = examine(LARGE, 'finalstage').findings.map(({ code, severity }) => `${code} ${severity}`);
    const alone = examine(LARGE, 'diy').findings.filter(
      ({ code, severity }) => !elsewhere.includes(`${code} ${severity}`),
    );
    assert.ok(alone.some(({ code }) => code === 'image-too-large'));
    assert.deepEqual(inDiyMode, alone);
    const inItsPlace = await inspected({ role: 'final', source, place: 'diy' });
    assert.deepEqual(inItsPlace, { state: 'examined', ...said(LARGE, 'diy') }, 'it is not said twice');
  });

  it('takes what a name of the catalog brought for unconfirmed, with what is known of it', async () => {
    await library.store.keep(FINAL, 'catalog:new', wording('image-final'));
    await library.store.note('catalog:new', { sha256: digestOf(FINAL), isConfirmed: false });
    const brought = { ...said(FINAL, 'finalstage'), title: 'the new', mirror: 'different', expectedSize: 5000 };
    const target = { role: 'final', source: 'catalog:new' } as const;
    assert.deepEqual(await inspected(target), { state: 'unconfirmed', ...brought });
    await library.confirm('new', digestOf(FINAL));
    assert.deepEqual(await inspected(target), { state: 'examined', ...brought });
  });

  it('takes what an address brings for unconfirmed until its digest is known', async () => {
    const source = await serve((_, response) => response.end(FINAL));
    const settings = { signal: new AbortController().signal };
    for (const [digest, state] of [
      [undefined, 'unconfirmed'],
      [digestOf(FINAL), 'examined'],
    ] as const) {
      const { picture: _, ...fetched } = (await fetchAndInspect(library, { role: 'final', source, digest }, settings)) as {
        picture: string;
      };
      assert.deepEqual(fetched, { state, ...said(FINAL, 'finalstage'), title: 'the known' });
      assert.deepEqual(await inspected({ role: 'final', source, digest }), fetched);
    }
  });

  it('keeps a mended copy under a name that says so, and nothing that cannot be mended', async () => {
    const { signal } = new AbortController();
    const image = rewritten(patched(FINAL, 2, 2));
    const source = await file(image);
    const target = { role: 'final', source } as const;
    const sha256 = await keepMended(library, target, ['set-flash-mode-dout'], signal);
    const mended = mend(image, ['set-flash-mode-dout']);
    assert.equal(sha256, mended.sha256);
    assert.deepEqual(await library.store.read(sha256), mended.bytes);
    const [kept, ...others] = await library.store.list();
    assert.deepEqual([kept?.origins, others], [[`mended copy of ${source}`], []]);
    const user1 = { role: 'user1', source: await file(USER1) } as const;
    await assertRefused(keepMended(library, user1, ['set-flash-mode-dout'], signal), 'image-invalid');
    const aborted = keepMended(library, target, ['set-flash-mode-dout'], AbortSignal.abort());
    await assertRefused(aborted, 'cancelled');
    assert.equal((await library.store.list()).length, 1);
  });

  it('keeps an uploaded file under its name, and nothing that is no image', async () => {
    assert.equal(await keepUploaded(library, 'final', 'mine.bin', FINAL), digestOf(FINAL));
    const [kept] = await library.store.list();
    assert.deepEqual([kept?.sha256, kept?.origins], [digestOf(FINAL), ['mine.bin']]);
    const page = Buffer.from('<!doctype html><title>Log in</title>');
    const { values } = await assertRefused(keepUploaded(library, 'user2', 'page.bin', page), 'image-web-page');
    assert.deepEqual(values['what'], wording('image-user2'));
    assert.equal((await library.store.list()).length, 1);
  });
});
