import assert from 'node:assert/strict';
import { EVERY_NODE, idOf } from './every-node';
import { useEditor } from './suite';
import { Untranslated } from '../shared/untranslated';

describe('editor: a German editor of an English Node-RED', () => {
  const suite = useEditor(EVERY_NODE);

  before(async function () {
    await suite.editor.speak('de');
  });

  it('shows the verdicts of "Check now" in German', async () => {
    const { editor } = suite;
    await editor.openForm(idOf('sonota-provision'));
    const form = await editor.openConfigForm('host');
    await form.getByRole('button', { name: 'Jetzt prüfen' }).click();
    await form.locator('#sonota-host-checks table').waitFor();
    assert.match(await form.locator('.sonota-host-verdict').innerText(), /^Bereit, mit \d Warnungen; die erste: /);
    await assertGerman(await form.locator('#sonota-host-checks').innerText());
    await editor.cancelConfigForm();
    await editor.cancelForm();
  });

  it('shows what an examination finds, and why an upload is refused, in German', async () => {
    const { editor } = suite;
    await editor.openForm(idOf('sonota-ota-serve'));
    const form = await editor.openConfigForm('firmware');
    const final = form.locator('#sonota-examination-final');
    await editor.enter(form.locator('#node-config-input-final'), '/nowhere/at/all.bin');
    await final.and(form.locator('[data-state="unreadable"]')).waitFor();
    assert.match(await final.innerText(), /lesen/);
    await assertGerman(await final.innerText());
    await editor.enter(form.locator('#node-config-input-final'), 'rehearsal:final');
    await final.and(form.locator('[data-state="examined"]')).waitFor();
    const picture = await final.locator('img').getAttribute('src');
    assert.match(decodeURIComponent(picture ?? ''), />Nachher</);
    await assertGerman(`${await final.innerText()} ${decodeURIComponent(picture ?? '')}`);
    const file = { name: 'page.bin', mimeType: 'application/octet-stream', buffer: Buffer.from('<!doctype html>') };
    await form.locator('input[type=file]').last().setInputFiles(file);
    const notice = editor.page.locator('.red-ui-notification', { hasText: 'Webseite' });
    await notice.waitFor();
    await assertGerman(await notice.innerText());
    // The browser logs each answer that is an error.
    assert.equal(editor.complaints.splice(0).filter((text) => !text.includes('422')).length, 0);
    await editor.cancelConfigForm();
    await editor.cancelForm();
  });

  async function assertGerman(text: string): Promise<void> {
    assert.deepEqual(new Untranslated('de').inText(text), []);
  }
});
