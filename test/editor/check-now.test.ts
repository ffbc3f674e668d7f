import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { freePort, occupy } from '../shared/ports';
import { EVERY_NODE, idOf } from './every-node';
import { useEditor } from './suite';

describe('editor: Check now in the form of a host', () => {
  const suite = useEditor(EVERY_NODE);

  async function openHost(): Promise<Locator> {
    await suite.editor.openForm(idOf('sonota-provision'));
    return await suite.editor.openConfigForm('host');
  }

  async function closeForms(): Promise<void> {
    await suite.editor.cancelConfigForm();
    await suite.editor.cancelForm();
  }

  it('shows the table of the host as it stands in the form, by the keyboard alone', async () => {
    const form = await openHost();
    const button = form.getByRole('button', { name: 'Check now' });
    await button.focus();
    await button.press('Enter');
    const table = form.locator('#sonota-host-checks table');
    await table.waitFor();
    assert.deepEqual(await table.locator('th').allInnerTexts(), ['Found', 'What to do']);
    assert.match(await form.locator('.sonota-host-verdict').innerText(), /^Ready, with 4 warnings; the first: /);
    const rows = await table.locator('tbody tr').allInnerTexts();
    assert.ok(
      rows.some((text) => /is open for devices that speak TLS/.test(text)),
      rows.join('\n'),
    );
    assert.ok(rows.some((text) => /only a virtual Sonoff/.test(text) && /for a rehearsal/.test(text)));
    const signs = await table.locator('tbody [role=img]').evaluateAll((all) => all.map((one) => one.ariaLabel));
    assert.equal(signs.length, rows.length);
    assert.deepEqual([...new Set(signs)].sort(), ['in order', 'warning']);
    assert.doesNotMatch(await form.locator('#sonota-host-checks').innerText(), /sonota-host[.:]/, 'a text is a key');
    await button.press('Space');
    await table.waitFor();
    assert.equal(await table.locator('tbody tr').count(), rows.length, 'it can be pressed again');
    await closeForms();
  });

  it('announces the outcome to a screen reader', async () => {
    const form = await openHost();
    assert.equal(await form.getByRole('status').getAttribute('id'), 'sonota-host-checks');
    await closeForms();
  });

  it('covers what is in the form, saved or not', async () => {
    const form = await openHost();
    const port = await freePort();
    const holder = await occupy(port);
    try {
      await suite.editor.enter(form.locator('#node-config-input-httpPort'), String(port));
      await form.getByRole('button', { name: 'Check now' }).click();
      await form.locator('#sonota-host-checks', { hasText: String(port) }).waitFor();
      assert.match(await form.locator('.sonota-host-verdict').innerText(), /^Not ready/);
      await suite.editor.enter(form.locator('#node-config-input-httpPort'), '0');
      await suite.editor.enter(form.locator('#node-config-input-password'), 'a home password');
      await form.getByRole('button', { name: 'Check now' }).click();
      await form.locator('#sonota-host-checks', { hasText: 'Name and password of the home Wi-Fi are known' }).waitFor();
      assert.match(await form.locator('.sonota-host-verdict').innerText(), /^Ready, with 3 warnings; the first: /);
    } finally {
      await holder.release();
      await closeForms();
    }
  });

  it('checks a host that is not deployed yet', async () => {
    await suite.editor.openForm(idOf('sonota-provision'));
    await suite.editor.page.locator('#node-input-btn-host-add').click();
    const form = suite.editor.page.locator('#node-config-dialog-edit-form');
    for (const name of ['httpsPort', 'legacyPort', 'httpPort']) {
      await suite.editor.enter(form.locator(`#node-config-input-${name}`), String(await freePort()));
    }
    await form.getByRole('button', { name: 'Check now' }).click();
    await form.locator('#sonota-host-checks table').waitFor();
    await closeForms();
  });
});
