import assert from 'node:assert/strict';
import type { Browser, Locator } from 'playwright-core';
import { assertAccessible } from '../editor/axe';
import { browserOrSkip } from '../editor/browser';
import { EditorPage } from '../editor/editor-page';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { RUNTIMES } from './runtimes';

const { SONOTA_THEMES: themes } = process.env;
const AT = { z: 'tab', x: 200 };
const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };
const images = { user1: 'rehearsal:user1', user2: 'rehearsal:user2', final: 'rehearsal:final' };

/** Two devices that do not come, one of which is waited for. */
const FLOW: Flow = [
  { id: 'tab', type: 'tab', label: 'Dark' },
  { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: 'home', ...ports },
  { id: 'firmware', type: 'sonota-firmware', name: 'Rehearsal', ...images, digests: {} },
  {
    id: 'queue',
    type: 'sonota-queue',
    ...AT,
    y: 100,
    host: 'host',
    atOnce: '1',
    attempts: '1',
    wires: [['cloud'], [], []],
  },
  {
    id: 'cloud',
    type: 'sonota-cloud-emulator',
    ...AT,
    y: 200,
    host: 'host',
    every: false,
    timeout: '1',
    wires: [[], []],
  },
  { id: 'serve', type: 'sonota-ota-serve', ...AT, y: 300, host: 'host', firmware: 'firmware', wires: [[], []] },
  {
    id: 'ask',
    type: 'inject',
    z: 'tab',
    x: 60,
    y: 100,
    props: [],
    repeat: '',
    crontab: '',
    once: false,
    wires: [['queue']],
  },
];

for (const [version, runtime] of Object.entries(RUNTIMES)) {
  describe(`in the dark, on Node-RED ${version}`, () => {
    let browser: Browser | undefined;
    let red: RunningNodeRed | undefined;
    let editor: EditorPage;

    before(async function () {
      const hasOwn = version !== '4.1';
      browser = await browserOrSkip(
        this,
        runtime === undefined && `no Node-RED ${version}`,
        !hasOwn && themes === undefined && 'no dark theme could be installed',
      );
      const editorTheme = { tours: false, projects: { enabled: false }, ...(hasOwn ? {} : { theme: 'dark' }) };
      red = await startNodeRed({
        flow: FLOW,
        settings: { editorTheme },
        palettes: hasOwn ? [] : [themes as string],
        ...(runtime && { runtime }),
      });
      editor = await EditorPage.open(browser, red.url);
      if (hasOwn) await editor.page.evaluate('RED.settings.setLocal("view-dark-theme", "dark")');
      await editor.page.reload();
    });

    after(async () => {
      await browser?.close();
      await red?.stop();
    });

    it('the sidebar can be read: a flash that failed, and the queue', async () => {
      assert.ok(red);
      await editor.invoke('sonota:show-flashing-tab');
      const board = editor.page.getByRole('region', { name: 'Sonoff flashing' });
      await board.waitFor();
      await isDark(board);
      await red.inject('ask', { deviceids: ['1000aaaa01', '1000aaaa02'] });
      await board.locator('.sonota-card[data-stage=failed]').nth(1).waitFor();
      await board.evaluate((one) => one.scrollTo(0, one.scrollHeight));
      await assertAccessible(editor.page, '.sonota-board');
      await board.evaluate((one) => one.scrollTo(0, 0));
      await assertAccessible(editor.page, '.sonota-board');
      assert.deepEqual(editor.complaints, []);
    });

    it('the table of Check now can be read', async () => {
      await editor.openForm('cloud');
      const form = await editor.openConfigForm('host');
      await form.getByRole('button', { name: 'Check now' }).click();
      await form.locator('#sonota-host-checks table').waitFor();
      await assertAccessible(editor.page, '#sonota-host-checks');
      await editor.cancelConfigForm();
      await editor.cancelForm();
    });

    it('what is said of an image can be read', async () => {
      await editor.openForm('serve');
      const form = await editor.openConfigForm('firmware');
      await form.locator('.fa-exclamation-triangle').first().waitFor();
      await form.locator('details summary').first().click();
      // Hidden fields that keep the browser from filling in passwords are the editor's own.
      await assertAccessible(editor.page, '#node-config-dialog-edit-form', ['[id^=red-ui-trap]']);
      await editor.cancelConfigForm();
      await editor.cancelForm();
    });
  });
}

async function isDark(place: Locator): Promise<void> {
  const colour = await place.evaluate((one) => getComputedStyle(one).backgroundColor);
  const [red = 255, green = 255, blue = 255] = (/\d+, \d+, \d+/.exec(colour)?.[0] ?? '').split(',').map(Number);
  assert.ok(Math.max(red, green, blue) < 100, `it is not dark: ${colour}`);
}
