import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
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

  it('shows the table of the host as it is deployed, by the keyboard alone', async () => {
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

  it('tells the outcome to a screen reader', async () => {
    const form = await openHost();
    assert.equal(await form.getByRole('status').getAttribute('id'), 'sonota-host-checks');
    await closeForms();
  });

  it('says so where the host is not deployed yet', async () => {
    await suite.editor.openForm(idOf('sonota-provision'));
    await suite.editor.page.locator('#node-input-btn-host-add').click();
    const form = suite.editor.page.locator('#node-config-dialog-edit-form');
    await form.getByRole('button', { name: 'Check now' }).click();
    await form.locator('#sonota-host-checks', { hasText: 'not deployed yet' }).waitFor();
    await closeForms();
  });
});
