import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { makeFinalImage } from '../../lib/image';
import { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { assertAccessible } from '../editor/axe';
import { browserOrSkip } from '../editor/browser';
import { EditorPage } from '../editor/editor-page';
import { photographAll } from '../editor/photograph';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { RUNTIMES } from './runtimes';

const { SONOTA_THEMES: themes } = process.env;
const AT = { z: 'tab', x: 200 };
const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };
const images = { user1: 'rehearsal:user1', user2: 'rehearsal:user2', final: 'rehearsal:final' };

const WIFI = { ssid: 'home', password: 'a home password' };
const NAMED = [
  { deviceid: '1000c0ffee', name: 'Hall', manufacturer: 'Sonoff', model: 'BASICR3', sw_version: '3.6.0' },
  { deviceid: '1000decade', name: 'Heater', manufacturer: 'Sonoff', model: 'S31', sw_version: '3.5.0' },
];
/** Long enough for a transfer to be seen. */
const BLOCK_PAUSE_MS = 10;
const FLASH_LIMIT_MS = 60_000;
/** The light themes are tested in test/editor; they are here for people to look at, too. */
const THEMES = process.env['SONOTA_LOOK'] === undefined ? ['dark'] : ['dark', 'light'];

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
  { id: 'discover', type: 'sonota-discover', ...AT, y: 400, host: 'host', wires: [[], []] },
  {
    ...{ id: 'name', type: 'inject', z: 'tab', x: 60, y: 400, repeat: '', crontab: '', once: false },
    ...{ props: [{ p: 'devices', v: JSON.stringify(NAMED), vt: 'json' }], wires: [['discover']] },
  },
];

interface Places {
  readonly apPort: number;
  readonly finalStagePort: number;
  readonly newPort: number;
  /** Of an image that is a Tasmota by its mark. */
  readonly tasmota: string;
}

/** The whole flash of a Tasmota at a virtual device. */
function flashOf({ apPort, finalStagePort, newPort, tasmota }: Places): Flow {
  const [apUrl, finalStageUrl, newFirmwareUrl] = [apPort, finalStagePort, newPort].map(
    (port) => `http://127.0.0.1:${port}`,
  );
  return [
    { id: 'tasmota', type: 'sonota-firmware', name: 'Tasmota', ...images, final: tasmota, digests: {} },
    {
      ...{ id: 'flash', type: 'sonota-flash', ...AT, y: 500, name: '', host: 'host', firmware: 'tasmota' },
      ...{ ssid: WIFI.ssid, image: '', intermediate: '', deviceid: '', timeout: '', force: false },
      ...{ apUrl, finalStageUrl, newFirmwareUrl, wires: [[], []] },
    },
  ];
}

for (const [version, runtime] of Object.entries(RUNTIMES)) for (const theme of THEMES) inTheme(theme, version, runtime);

function inTheme(theme: string, version: string, runtime: { node: string; folder: string } | undefined): void {
  describe(`in the ${theme}, on Node-RED ${version}`, () => {
    let browser: Browser | undefined;
    let red: RunningNodeRed | undefined;
    let editor: EditorPage;
    let folder = '';
    let device: VirtualSonoff;
    const board = (): Locator => editor.page.getByRole('region', { name: 'Sonoff flashing' });
    const card = (stage: string): Locator => board().locator(`.sonota-card[data-stage="${stage}"]`);
    const look = (name: string, what = board()): Promise<void> =>
      photographAll(editor.page, `${theme}-${version}-${name}`, what);

    before(async function () {
      const isDark = theme === 'dark';
      const hasOwn = version !== '4.1';
      browser = await browserOrSkip(
        this,
        runtime === undefined && `no Node-RED ${version}`,
        isDark && !hasOwn && themes === undefined && 'no dark theme could be installed',
      );
      folder = await mkdtemp(join(tmpdir(), 'sonota-dark-'));
      const [apPort, finalStagePort, newPort] = [await freePort(), await freePort(), await freePort()];
      const tasmota = join(folder, 'tasmota.bin');
      await writeFile(tasmota, makeFinalImage({ size: 400_000, text: 'Theo Arends' }));
      device = new VirtualSonoff({
        ...{ apAddress: '127.0.0.1', apPort, finalStagePort, homeNetwork: WIFI, speed: 10 },
        newFirmware: { apAddress: '127.0.0.1', apPort: newPort, homePort: newPort },
        behaviours: { blockPauseMs: BLOCK_PAUSE_MS },
      });
      const editorTheme = {
        tours: false,
        projects: { enabled: false },
        ...(isDark && !hasOwn ? { theme: 'dark' } : {}),
      };
      red = await startNodeRed({
        flow: [...FLOW, ...flashOf({ apPort, finalStagePort, newPort, tasmota })],
        credentials: { flash: { password: WIFI.password } },
        settings: { editorTheme },
        palettes: isDark && !hasOwn ? [themes as string] : [],
        ...(runtime && { runtime }),
      });
      editor = await EditorPage.open(browser, red.url);
      if (hasOwn) await editor.page.evaluate(`RED.settings.setLocal("view-dark-theme", "${theme}")`);
      await editor.page.reload();
    });

    after(async () => {
      await device?.stop();
      await browser?.close();
      await red?.stop();
      if (folder !== '') await rm(folder, { recursive: true });
    });

    it('the sidebar can be read: known Sonoffs, a flash that waits for a person, and what a second press says', async () => {
      assert.ok(red);
      await editor.invoke('sonota:show-flashing-tab');
      await board().waitFor();
      await isOf(theme, board());
      await red.inject('name');
      await board()
        .getByRole('row', { name: /Heater/ })
        .waitFor();
      await look('sonoffs');
      await assertAccessible(editor.page, '.sonota-board');
      const button = editor.flowNode('flash').locator('.red-ui-flow-node-button-button');
      await button.click();
      await board().locator('.sonota-card[data-hand="true"]').waitFor();
      await look('first-wait');
      await assertAccessible(editor.page, '.sonota-board');
      await button.click();
      const notice = editor.page.locator('.red-ui-notification', { hasText: 'Already waiting' });
      await look('second-press', notice);
      await assertAccessible(editor.page, '.red-ui-notification');
      await notice.getByRole('button', { name: 'Keep waiting' }).click();
    });

    it('the sidebar can be read: a flash that runs, and one that is done, with its next step', async function () {
      this.timeout(FLASH_LIMIT_MS * 2);
      await device.start();
      await card('finalstage').getByText('Final image:').waitFor({ timeout: FLASH_LIMIT_MS });
      await card('finalstage').getByText('About a minute to the end.').waitFor({ timeout: FLASH_LIMIT_MS });
      await look('running');
      await assertAccessible(editor.page, '.sonota-board');
      await card('done').getByText('Give Tasmota your Wi-Fi now?').waitFor({ timeout: FLASH_LIMIT_MS });
      await look('done');
      await assertAccessible(editor.page, '.sonota-board');
    });

    it('the sidebar can be read: a flash that failed, and the queue', async () => {
      assert.ok(red);
      await red.inject('ask', { deviceids: ['1000aaaa01', '1000aaaa02'] });
      await card('failed').nth(1).waitFor();
      await look('failed');
      await board().evaluate((one) => one.scrollTo(0, one.scrollHeight));
      await assertAccessible(editor.page, '.sonota-board');
      await board().evaluate((one) => one.scrollTo(0, 0));
      await assertAccessible(editor.page, '.sonota-board');
      assert.deepEqual(editor.complaints, []);
    });

    it('the form of the whole flash can be read', async () => {
      const form = await editor.openForm('flash');
      await look('form-flash', form);
      await assertAccessible(editor.page, '#dialog-form', ['[id^=red-ui-trap]', '[id^=node-input-btn-]']);
      await editor.cancelForm();
    });

    it('the table of Check now can be read', async () => {
      await editor.openForm('cloud');
      const form = await editor.openConfigForm('host');
      await form.getByRole('button', { name: 'Check now' }).click();
      await form.locator('#sonota-host-checks table').waitFor();
      await look('form-host', form);
      await assertAccessible(editor.page, '#sonota-host-checks');
      await editor.cancelConfigForm();
      await editor.cancelForm();
    });

    it('what is said of an image can be read', async () => {
      await editor.openForm('serve');
      const form = await editor.openConfigForm('firmware');
      await form.locator('.fa-exclamation-triangle').first().waitFor();
      await form.locator('details summary').first().click();
      await look('form-firmware', form);
      // Hidden fields that keep the browser from filling in passwords are the editor's own.
      await assertAccessible(editor.page, '#node-config-dialog-edit-form', ['[id^=red-ui-trap]']);
      await editor.cancelConfigForm();
      await editor.cancelForm();
    });
  });
}

async function isOf(theme: string, place: Locator): Promise<void> {
  const colour = await place.evaluate((one) => getComputedStyle(one).backgroundColor);
  const [red = 255, green = 255, blue = 255] = (/\d+, \d+, \d+/.exec(colour)?.[0] ?? '').split(',').map(Number);
  assert.equal(Math.max(red, green, blue) < 100, theme === 'dark', `it is not ${theme}: ${colour}`);
}
