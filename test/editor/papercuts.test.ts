import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { assertAccessible } from './axe';
import { useEditor } from './suite';

const WIFI = { ssid: 'home', password: 'a home password' };
const AT = { z: 'tab', name: '', host: 'host' };

/** A set-up that leads nowhere, and an upgrade without a device; none of them has a Catch node. */
function flow(apUrl: string): Flow {
  const firmware = { user1: 'rehearsal:', user2: 'rehearsal:', final: 'rehearsal:' };
  const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: 0 };
  const inject = {
    type: 'inject',
    z: 'tab',
    name: '',
    repeat: '',
    crontab: '',
    once: false,
    onceDelay: 0.1,
    topic: '',
  };
  return [
    { id: 'tab', type: 'tab', label: 'Papercuts' },
    { id: 'host', type: 'sonota-host', name: 'Host', bind: '127.0.0.1', address: '127.0.0.1', ssid: '', ...ports },
    { id: 'firmware', type: 'sonota-firmware', name: '', ...firmware },
    {
      ...{ id: 'provision', type: 'sonota-provision', ...AT, url: apUrl, deviceid: '', method: '', timeout: '' },
      ...{ x: 400, y: 160, wires: [[], [], []] },
    },
    {
      ...{ id: 'serve', type: 'sonota-ota-serve', ...AT, firmware: 'firmware', timeout: '', force: false },
      ...{ x: 400, y: 240, wires: [[], []] },
    },
    {
      ...{ ...inject, id: 'set-up', x: 140, y: 160, wires: [['provision']] },
      props: Object.entries(WIFI).map(([p, v]) => ({ p, v, vt: 'str' })),
    },
    { ...inject, id: 'upgrade', props: [], x: 140, y: 240, wires: [['serve']] },
  ];
}

describe('editor: what used to be dead ends', () => {
  let apPort = 0;
  const nodes: Flow[number][] = [];
  before(async () => {
    apPort = await freePort();
    nodes.push(...flow(`http://127.0.0.1:${apPort}`));
  });
  const suite = useEditor(nodes);

  const board = (): Locator => suite.editor.page.getByRole('region', { name: 'Sonoff flashing' });
  const notice = (text: string | RegExp): Locator =>
    suite.editor.page.locator('.red-ui-notification', { hasText: text });
  const statusOf = (id: string, text: string | RegExp): Locator =>
    suite.editor.flowNode(id).locator('.red-ui-flow-node-status-label', { hasText: text });

  it('call a person who has left the page by its title, until they are back', async () => {
    const { page } = suite.editor;
    const title = await page.title();
    // As where a browser may not notify on the desktop, and with another tab of the sidebar in front.
    await page.evaluate(`Object.defineProperty(Notification, 'permission', { get: () => 'denied' })`);
    await suite.editor.showSidebar('debug');
    await setHidden(true);
    await cancelAll();
    await suite.red.inject('set-up');
    await page.waitForFunction(`document.title.startsWith('● Hold the button')`);
    await setHidden(false);
    await page.waitForFunction(`document.title === ${JSON.stringify(title)}`);
  });

  it('notify on the desktop where the browser may', async () => {
    const { page } = suite.editor;
    await cancelAll();
    await page.evaluate(`
      window.sonotaNotices = [];
      window.Notification = class { constructor(title, { body }) { window.sonotaNotices.push(body); } };
      window.Notification.permission = 'granted';
    `);
    await setHidden(true);
    await suite.red.inject('set-up');
    await page.waitForFunction(`window.sonotaNotices.some((body) => body.startsWith('Hold the button'))`);
    await setHidden(false);
  });

  it('let no wait continue unseen behind a deploy', async () => {
    const { editor } = suite;
    await coverBoard();
    await editor.give('serve', 'name', 'renamed');
    await editor.page.evaluate(`RED.nodes.node('serve').changed = true; RED.nodes.dirty(true)`);
    await editor.deploy();
    const told = notice(/started at .* still waits for a device/);
    await told.waitFor();
    await assertAccessible(editor.page, '.red-ui-notification');
    await told.getByRole('button', { name: 'Cancel the wait' }).press('Enter');
    await statusOf('provision', 'cancelled').waitFor();
    await editor.invoke('sonota:show-flashing-tab');
    await board().getByText('No flash yet.').waitFor();
  });

  it('log an error that no Catch node takes as a sentence, in the sidebar too', async () => {
    const from = suite.red.log.length;
    await suite.editor.showSidebar('debug');
    await suite.red.inject('upgrade');
    const line = await suite.red.logged(/\[error\]/, 20_000, from);
    assert.match(
      line,
      /\[error\] \[sonota-ota-serve:[^\]]*\] No device is ready: none has connected to this machine\./,
    );
    assert.doesNotMatch(line, /FlashError|none\.$/);
    await suite.editor.page.locator('.red-ui-debug-msg', { hasText: 'No device is ready' }).first().waitFor();
    await suite.editor.invoke('sonota:show-flashing-tab');
    await board().getByText('No flash yet.').waitFor();
  });

  it('give a new flash node a host of its own, not that of a rehearsal', async () => {
    const { editor } = suite;
    await editor.page.locator('#red-ui-palette-search input').pressSequentially('flash sonoff');
    await editor.dragFromPalette('sonota-flash');
    const flash = (await editor.nodes()).find(({ type }) => type === 'sonota-flash');
    assert.ok(flash);
    const form = await editor.openForm(flash.id);
    assert.notEqual(await form.locator('#node-input-host').inputValue(), 'host');
    await editor.page.locator('#node-dialog-ok').click();
    await form.waitFor({ state: 'detached' });
    const hosts = (await editor.nodes()).filter(({ type }) => type === 'sonota-host');
    assert.equal(hosts.length, 2);
    const again = await editor.openForm(flash.id);
    assert.equal(await again.locator('#node-input-host').inputValue(), hosts.find(({ id }) => id !== 'host')?.id);
    await editor.page.locator('#node-dialog-cancel').click();
    await again.waitFor({ state: 'detached' });
  });

  it('say of an output that is not wired what to wire, under the node and in the sidebar', async () => {
    const device = new VirtualSonoff({ apAddress: '127.0.0.1', apPort, homeNetwork: WIFI, speed: 20 });
    try {
      await device.start();
      await suite.red.inject('set-up');
      await statusOf('provision', 'output-not-wired').waitFor();
      const card = board().locator('.sonota-card[data-hand="true"]');
      await card.getByText('Wire output 1 of the node: the device is ready, but nothing takes it on.').waitFor();
      await assertAccessible(suite.editor.page, '.sonota-board');
    } finally {
      await device.stop();
    }
  });

  /** Node-RED 5 has two sidebars: only a tab of the same one covers ours. */
  async function coverBoard(): Promise<void> {
    for (const tab of ['debug', 'help', 'info', 'context', 'config']) {
      if (!(await board().isVisible())) return;
      await suite.editor.page.evaluate(`RED.sidebar.show('${tab}')`);
    }
    await board().waitFor({ state: 'hidden' });
  }

  /** As another editor would. */
  async function cancelAll(): Promise<void> {
    const { hosts } = (await suite.red.request('GET', '/sonota/overview')) as {
      hosts: { id: string; jobs: { id: string }[] }[];
    };
    for (const { id: host, jobs } of hosts) {
      for (const { id } of jobs) await suite.red.request('POST', `/sonota/host/${host}/jobs/${id}/cancel`);
    }
  }

  /** As the browser does where another window covers the page. */
  async function setHidden(isHidden: boolean): Promise<void> {
    await suite.editor.page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
  }
});
