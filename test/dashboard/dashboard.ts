import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { assertAccessible } from '../editor/axe';
import { browserOrSkip } from '../editor/browser';
import { EditorPage } from '../editor/editor-page';
import { example } from '../shared/examples';
import { freePort } from '../shared/ports';
import { startNodeRed, type RunningNodeRed } from '../shared/node-red';
import { photographForDocs } from '../shared/photograph';
import { RUNTIMES } from './runtimes';

const LIMIT_MS = 60_000;
const NAME = '35 - Flash from a dashboard';
const { SONOTA_DASHBOARD: palette } = process.env;

for (const [version, runtime] of Object.entries(RUNTIMES)) {
  describe(`dashboard: ${NAME}, on Node-RED ${version}`, function () {
    this.timeout(2 * LIMIT_MS);
    let browser: Browser | undefined;
    let red: RunningNodeRed | undefined;
    let ports: Record<string, number> = {};

    /** The example; its host for real devices is at ports that no other program has. */
    function flow(): ReturnType<typeof example> {
      const own = { ...ports, finalStagePort: ports['httpPort'] };
      return example(NAME).map((node) => (node['name'] === 'My host' ? { ...node, ...own } : node));
    }

    /** The example after a user has changed the nodes of a type. */
    function changed(type: string, settings: Record<string, unknown>): ReturnType<typeof example> {
      return flow().map((node) => (node.type === type ? { ...node, ...settings } : node));
    }

    before(async function () {
      browser = await browserOrSkip(
        this,
        palette === undefined && 'FlowFuse Dashboard could not be installed',
        runtime === undefined && `no Node-RED ${version}`,
      );
      ports = { httpsPort: await freePort(), legacyPort: await freePort(), httpPort: await freePort() };
      red = await startNodeRed({ flow: flow(), palettes: [palette as string], ...(runtime && { runtime }) });
    });

    after(async () => {
      await browser?.close();
      await red?.stop();
    });

    it('is properly configured in the editor, and starts without a warning', async () => {
      assert.ok(browser && red);
      const editor = await EditorPage.open(browser, red.url);
      await editor.page.locator('.red-ui-flow-node').first().waitFor();
      for (const node of await editor.nodes()) {
        assert.notEqual(node.valid, false, `${node.type}: ${String(node.validationErrors)}`);
      }
      assert.deepEqual(editor.complaints, []);
      await editor.close();
      const told = red.log.filter(
        (line) => /\[(error|warn)\]/.test(line) && !/unencrypted credentials|Projects disabled/.test(line),
      );
      assert.deepEqual(told, []);
    });

    for (const width of [1280, 390]) {
      it(`leads from a button to "done", ${width} pixels wide`, async () => {
        assert.ok(browser && red);
        const page = await browser.newPage({ viewport: { width, height: 900 } });
        const complaints = complaintsOf(page);
        await page.goto(`${red.url}/dashboard/flash`);
        const now = page.locator('.sonota-now');
        await page.getByRole('button', { name: 'Rehearse' }).click();
        const found = page.getByRole('button', { name: /^Flash 10[\da-f]{8}/ });
        await found.waitFor({ timeout: LIMIT_MS });
        await now.getByText(/^Press "Flash 10[\da-f]{8}" below\.$/).waitFor();
        await found.getByText(/^Rehearsal: /).waitFor();
        await found.click();
        // A device that is being flashed is not offered.
        await found.waitFor({ state: 'detached' });
        await now.locator('li[aria-current=step]', { hasText: 'FinalStage' }).waitFor({ timeout: LIMIT_MS });
        await page.locator('canvas').first().waitFor();
        await photographForDocs(`dashboard-${width}`, page);
        await page.locator('.sonota-now[data-stage=done]').waitFor({ timeout: LIMIT_MS });
        await now.getByText('The new firmware is installed.').waitFor();
        assert.equal(await now.locator('li.done').count(), 5);
        await found.waitFor({ state: 'detached' });
        await page
          .locator('.v-data-table tr', { hasText: /10[\da-f]{8} \(rehearsal\)/ })
          .filter({ hasText: 'done' })
          .first()
          .waitFor();
        const wider = await page.evaluate<string[]>(WIDER_THAN_THE_PAGE);
        assert.deepEqual(wider, [], 'nothing hangs over the edge');
        await assertAccessible(page, '.sonota-now');
        assert.deepEqual(complaints, []);
        await page.close();
      });
    }

    it('shows the steps of one hop where the firmware goes so', async () => {
      assert.ok(browser && red);
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const complaints = complaintsOf(page);
      await page.goto(`${red.url}/dashboard/flash`);
      await red.deploy(changed('sonota-firmware', { intermediate: 'one-hop' }));
      await page.reload();
      await page.getByRole('button', { name: 'Rehearse' }).click();
      const found = page.getByRole('button', { name: /^Flash 10[\da-f]{8}/ });
      await found.waitFor({ timeout: LIMIT_MS });
      await page.evaluate(NOTE_STEPS);
      await found.click();
      await page.locator('.sonota-now[data-stage=done]').waitFor({ timeout: LIMIT_MS });
      const steps = await page.evaluate<string[]>('steps');
      assert.deepEqual(steps.slice(-2), ['Upgrade', 'New firmware'], steps.join());
      assert.equal(await page.locator('.sonota-now li.done').count(), 5);
      assert.deepEqual(complaints, []);
      await page.close();
    });

    it('says why a flash failed, and what to do', async () => {
      assert.ok(browser && red);
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      const complaints = complaintsOf(page);
      await page.goto(`${red.url}/dashboard/flash`);
      await red.deploy(changed('sonota-firmware', { final: '' }));
      await page.reload();
      await page.getByRole('button', { name: 'Rehearse' }).click();
      const found = page.getByRole('button', { name: /^Flash 10[\da-f]{8}/ });
      await found.waitFor({ timeout: LIMIT_MS });
      await found.click();
      await page.locator('.sonota-now[data-stage=failed]').waitFor({ timeout: LIMIT_MS });
      await page.locator('.sonota-now-failed').getByText('Name its file or address in the firmware node.').waitFor();
      assert.deepEqual(complaints, []);
      await page.close();
    });
  });
}

/** The parts of the page that are cut off at its right, as a person sees it. */
const WIDER_THAN_THE_PAGE = `
  [...document.querySelectorAll('.nrdb-ui-page, .nrdb-ui-page *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && element.checkVisibility())
    .map((element) => element.tagName + '.' + element.className)
`;

/** Keeps in the page which steps were the present one: a virtual device is through some of them in no time. */
const NOTE_STEPS = `
  globalThis.steps = [];
  new MutationObserver(() => {
    const step = document.querySelector('.sonota-now li[aria-current=step] > :last-child')?.textContent;
    if (step && step !== steps.at(-1)) steps.push(step);
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
`;

function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  return complaints;
}
