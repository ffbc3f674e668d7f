import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { FirmwareStore } from '../../lib/firmware/store/firmware-store';
import { digestOf, makeFinalImage, makeUserImage } from '../../lib/image';
import { patched, rewritten } from '../image/helpers';
import { useHttpServers } from '../shared/http-server';
import { EVERY_NODE, idOf } from './every-node';
import { useEditor } from './suite';
import { wording } from '../../lib/wordings/wording';

const FINAL = makeFinalImage({ seed: 11 });
const SHA = digestOf(FINAL);

describe('editor: the form of a firmware', () => {
  const suite = useEditor(EVERY_NODE);
  const http = useHttpServers();
  let folder = '';
  let form: Locator;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sonota-form-'));
  });
  after(async () => {
    // Where no browser can be started the hooks before this one are skipped.
    if (folder !== '') await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    await suite.editor.openForm(idOf('sonota-ota-serve'));
    form = await suite.editor.openConfigForm('firmware');
  });
  afterEach(async function () {
    // The suite has opened a new page after a failure: nothing is open in that.
    if (this.currentTest?.state === 'failed') return;
    if (await suite.editor.page.locator('#node-config-dialog-cancel').isVisible())
      await suite.editor.cancelConfigForm();
    await suite.editor.cancelForm();
  });

  async function file(name: string, bytes: Buffer): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  }

  function box(role: string, state: string): Locator {
    return form.locator(`#sonota-examination-${role}[data-state="${state}"]`);
  }

  async function enter(role: string, text: string): Promise<void> {
    await suite.editor.enter(form.locator(`#node-config-input-${role}`), text);
  }

  it('examines what is typed, and draws where it goes', async () => {
    await enter('final', await file('good.bin', FINAL));
    const examined = box('final', 'examined');
    await examined.locator('[data-verdict="ok"], [data-verdict="warn"]').waitFor();
    assert.match(await examined.innerText(), new RegExp(`${FINAL.length} bytes[\\s\\S]*sha256 ${SHA}`));
    await examined.locator('summary').click();
    const picture = examined.locator('img');
    await picture.scrollIntoViewIfNeeded();
    const width = await picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
    assert.ok(width > 0, 'the picture is drawn');
    await enter('final', await file('page.bin', Buffer.from('<!DOCTYPE html><b>404</b>')));
    await examined.locator('[data-verdict="refuse"]').waitFor();
    assert.match(await examined.locator('[data-severity="refuse"]').innerText(), /web page/);
    await enter('final', join(folder, 'nowhere.bin'));
    await box('final', 'unreadable').waitFor();
  });

  it('stands for the pair of the catalog where both are empty, and asks for both where one is not', async () => {
    await box('user1', 'not-fetched').waitFor();
    assert.match(await box('user2', 'not-fetched').innerText(), /image_user2-0x81000\.bin/);
    await enter('user1', await file('user1.bin', makeUserImage({ slot: 1 })));
    await box('user1', 'examined').waitFor();
    await box('user2', 'missing').waitFor();
    await enter('user2', join(folder, 'user1.bin'));
    await box('user2', 'examined').locator('[data-verdict="refuse"]').waitFor();
    assert.match(await box('user2', 'examined').innerText(), /linked for user1/);
    await enter('user1', '');
    await enter('user2', '');
    await box('user1', 'not-fetched').waitFor();
  });

  it('in one hop hides the pair, and says as one types whether the image fits packed', async () => {
    const noise = makeFinalImage({ size: 480_000 });
    await enter('final', await file('noise.bin', noise));
    await box('final', 'examined').locator('[data-verdict="ok"], [data-verdict="warn"]').waitFor();
    assert.equal(await form.locator('#sonota-one-hop').isVisible(), false);
    await form.locator('#node-config-input-intermediate').selectOption('one-hop');
    await box('final', 'examined').locator('[data-verdict="refuse"]').waitFor();
    assert.match(await box('final', 'examined').innerText(), /packed one-hop/);
    assert.equal(await form.locator('#sonota-pair').isVisible(), false);
    assert.match(await form.locator('#sonota-one-hop').innerText(), /Experimental.*not run on a real device/s);
    const large = makeFinalImage({ size: 526_000, redundancy: 0.4 });
    await enter('final', await file('large.bin', large));
    await box('final', 'examined').locator('[data-verdict="ok"], [data-verdict="warn"]').waitFor();
    await form.locator('#node-config-input-intermediate').selectOption('');
    await box('final', 'examined').locator('[data-verdict="refuse"]').waitFor();
    await box('user1', 'not-fetched').waitFor();
    assert.ok(await form.locator('#sonota-pair').isVisible());
  });

  it('offers a mended copy, and takes it into its place', async () => {
    await enter('final', await file('dio.bin', rewritten(patched(FINAL, 2, 2))));
    await box('final', 'examined').locator('.sonota-mend').click();
    // The copy that was written just now differs from what is shown in its digest.
    await box('final', 'examined').getByText(SHA).waitFor();
    await box('final', 'examined').locator('[data-verdict="ok"], [data-verdict="warn"]').waitFor();
    assert.equal(await form.locator('#node-config-input-final').inputValue(), `store:${SHA}`);
    // The list and the place ask for themselves, and either may have its answer first.
    await form.locator(`.sonota-stored[data-sha256="${SHA}"] .sonota-remove`).click();
    await box('final', 'unreadable').waitFor();
    await form.locator('.sonota-stored').waitFor({ state: 'detached' });
  });

  it('downloads an address, keeps what came, and lets it be picked', async () => {
    const base = await http.serve((_, response) => response.end(FINAL));
    await enter('final', `${base}/final.bin`);
    await box('final', 'not-fetched').locator('.sonota-fetch').click();
    await box('final', 'unconfirmed').getByText(SHA).waitFor();
    await box('final', 'unconfirmed').locator('.sonota-confirm').click();
    await box('final', 'examined').waitFor();
    await enter('final', '');
    await box('final', 'missing').waitFor();
    await form.locator(`#sonota-pick-final option[value="store:${SHA}"]`).waitFor({ state: 'attached' });
    await form.locator('#sonota-pick-final').selectOption(`store:${SHA}`);
    await box('final', 'examined').waitFor();
    assert.equal(await form.locator('#sonota-pick-final').inputValue(), '', 'the picker is ready for another choice');
  });

  it('shows how much is kept, and removes what nothing uses once a person has agreed', async () => {
    const base = await http.serve((_, response) => response.end(makeFinalImage({ seed: 13, size: 400_000 })));
    await enter('final', `${base}/unused.bin`);
    await box('final', 'not-fetched').locator('.sonota-fetch').click();
    await box('final', 'unconfirmed').waitFor();
    const unused = form.locator('.sonota-stored', { hasText: `${base}/unused.bin` });
    await unused.waitFor();
    assert.match(await form.locator('.sonota-store-total').innerText(), /^Images: \d+, together \d+\.\d MB\.$/);
    const count = await form.locator('.sonota-stored').count();
    const offer = (images: number): Locator =>
      form.locator('.sonota-prune', { hasText: `Remove unused images: ${images} (` });
    // An image named in the form counts as used, though the form is not deployed.
    await enter('final', `store:${(await unused.getAttribute('data-sha256')) ?? ''}`);
    await box('final', 'examined').waitFor();
    await (count > 1 ? offer(count - 1) : form.locator('.sonota-pruning:empty')).waitFor({ state: 'attached' });
    await enter('final', '');
    await offer(count).click();
    await form.locator('.sonota-keep').click();
    assert.equal(await form.locator('.sonota-stored').count(), count, 'a person who says no keeps everything');
    await form.locator('.sonota-prune').click();
    await form.locator('.sonota-prune-now').click();
    await unused.waitFor({ state: 'detached' });
    assert.equal(await form.locator('.sonota-stored').count(), 0);
  });

  it('picks from the catalog what fits the place', async () => {
    const values = async (role: string): Promise<string[]> =>
      await form
        .locator(`#sonota-pick-${role} optgroup`)
        .first()
        .locator('option')
        .evaluateAll((options) => options.map((option) => (option as unknown as { value: string }).value));
    await form.locator('#sonota-pick-user1 optgroup option').first().waitFor({ state: 'attached' });
    assert.deepEqual(await values('user1'), ['catalog:finalstage-user1']);
    assert.deepEqual(await values('user2'), ['catalog:finalstage-user2']);
    assert.ok((await values('final')).includes('catalog:tasmota-lite-8.5.0'));
    const recommended = form.locator('#sonota-pick-final option', { hasText: '(recommended)' });
    assert.match((await recommended.textContent()) ?? '', /^Tasmota lite \S+ (\(\d+ bytes\) )?\(recommended\)$/);
    await form.locator('#sonota-pick-final').selectOption('catalog:tasmota-lite-8.5.0');
    await box('final', 'not-fetched').waitFor();
    assert.match(await box('final', 'not-fetched').innerText(), /without most sensors[\s\S]*GPL-3\.0/);
  });

  it('shows how far a download is, and stops it', async () => {
    const base = await http.serve((_, response) => {
      response.writeHead(200, { 'content-length': FINAL.length });
      response.write(FINAL.subarray(0, 5000));
    });
    await enter('final', `${base}/final.bin`);
    await box('final', 'not-fetched').locator('.sonota-fetch').click();
    await box('final', 'fetching').getByText(`5000 of ${FINAL.length} bytes`).waitFor();
    await box('final', 'fetching').locator('.sonota-cancel').click();
    await box('final', 'not-fetched').waitFor();
  });

  it('tries again what could not be fetched', async () => {
    let isThere = false;
    const base = await http.serve((_, response) => (isThere ? response.end(FINAL) : response.writeHead(404).end()));
    await enter('final', `${base}/later.bin`);
    await box('final', 'not-fetched').locator('.sonota-fetch').click();
    await box('final', 'unreadable').waitFor();
    isThere = true;
    await box('final', 'unreadable').locator('.sonota-again').press('Enter');
    await box('final', 'unconfirmed').waitFor();
  });

  it('keeps the digest of an address only once a person has confirmed it', async () => {
    const base = await http.serve((_, response) => response.end(FINAL));
    await enter('final', `${base}/typed.bin`);
    await box('final', 'not-fetched').locator('.sonota-fetch').click();
    await box('final', 'unconfirmed').waitFor();
    await save();
    assert.deepEqual(await digests(), {});
    form = await suite.editor.openConfigForm('firmware');
    await box('final', 'unconfirmed').locator('.sonota-confirm').click();
    await box('final', 'examined').waitFor();
    await save();
    assert.deepEqual(await digests(), { final: SHA });
    form = await suite.editor.openConfigForm('firmware');
    await enter('final', '');
    await box('final', 'missing').waitFor();
    await save();
  });

  async function save(): Promise<void> {
    await suite.editor.page.locator('#node-config-dialog-ok').click();
    await form.waitFor({ state: 'detached' });
  }

  it('keeps the digest of the examined file, and warns when it is another one later', async () => {
    const path = await file('mine.bin', FINAL);
    await enter('final', path);
    await box('final', 'examined').waitFor();
    await suite.editor.page.locator('#node-config-dialog-ok').click();
    await form.waitFor({ state: 'detached' });
    assert.deepEqual(await digests(), { final: SHA });
    await writeFile(path, makeFinalImage({ seed: 12 }));
    form = await suite.editor.openConfigForm('firmware');
    await box('final', 'examined').getByText('not the file that was examined last').waitFor();
    await suite.editor.cancelConfigForm();
    assert.deepEqual(await digests(), { final: SHA }, 'a form that is cancelled changes nothing');
    form = await suite.editor.openConfigForm('firmware');
    await enter('final', 'catalog:tasmota-lite-8.5.0');
    await box('final', 'not-fetched').waitFor();
    await suite.editor.page.locator('#node-config-dialog-ok').click();
    await form.waitFor({ state: 'detached' });
    assert.deepEqual(await digests(), {}, 'it belonged to the other file');
  });

  /** As the editor's own node holds them now. */
  async function digests(): Promise<unknown> {
    return await suite.editor.page.evaluate(`RED.nodes.node(${JSON.stringify(idOf('sonota-firmware'))}).digests`);
  }
});

describe('editor: the form of a firmware, after a download whose digest is not known', () => {
  const suite = useEditor(EVERY_NODE);
  const source = 'catalog:tasmota-lite-8.5.0';

  before(async () => {
    const store = new FirmwareStore(join(suite.red.userDir, 'sonota', 'firmware'));
    await store.keep(FINAL, source, wording('image-final'));
    await store.note(source, { sha256: SHA, isConfirmed: false });
  });

  it('shows the digest and asks; once it is confirmed the image may be used', async () => {
    await suite.editor.openForm(idOf('sonota-ota-serve'));
    let form = await suite.editor.openConfigForm('firmware');
    await suite.editor.enter(form.locator('#node-config-input-final'), source);
    const asked = form.locator('#sonota-examination-final[data-state="unconfirmed"]');
    await asked.getByText(SHA).waitFor();
    await asked.locator('.sonota-confirm').click();
    await form.locator('#sonota-examination-final[data-state="examined"]').waitFor();
    await suite.editor.cancelConfigForm();
    form = await suite.editor.openConfigForm('firmware');
    await suite.editor.enter(form.locator('#node-config-input-final'), source);
    await form.locator('#sonota-examination-final[data-state="examined"]').waitFor();
    await suite.editor.cancelConfigForm();
    await suite.editor.cancelForm();
  });
});
