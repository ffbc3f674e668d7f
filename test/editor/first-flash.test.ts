import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Locator } from 'playwright-core';
import { makeFinalImage, makeUserImage, digestOf } from '../../lib/image';
import { VirtualSonoff, type VirtualSonoffOptions } from '../../lib/virtual/virtual-sonoff';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { PrivateBus } from '../net/wifi/private-bus';
import { useHttpServers } from '../shared/http-server';
import { packageWithCatalog, type CatalogChange, type PackageCopy } from '../shared/package-copy';
import { isPictureMade, photographForDocs } from '../shared/photograph';
import { freePort } from '../shared/ports';
import { assertAccessible } from './axe';
import { EditorPage } from './editor-page';
import { photograph, photographAll } from './photograph';
import { useEditor } from './suite';

/** The numbers that this test is about: to a running flash, and to a Tasmota at home. */
const CLICKS_AT_MOST = 7;
const CLICKS_TO_HOME = 8;

const FLASH_LIMIT_MS = 120_000;
/** Of the emulated cloud, for a host as it is made. */
const IMAGE_PORT = 8080;

/** A person who counts: each press on the mouse, each field that is typed into, each choice among several things. */
class Newcomer {
  clicks = 0;
  fields = 0;
  decisions = 0;

  async click(where: Locator): Promise<void> {
    this.clicks += 1;
    await where.click();
  }

  async type(into: Locator, text: string): Promise<void> {
    this.fields += 1;
    await into.pressSequentially(text);
  }

  report(): string {
    return `${this.clicks} clicks, ${this.fields} typed fields, ${this.decisions} decisions`;
  }
}

describe('editor: the first flash of a newcomer', () => {
  const http = useHttpServers();
  let bus: PrivateBus | undefined;
  let manager: FakeNetworkManager | undefined;
  let copy: PackageCopy | undefined;

  const person = new Newcomer();
  let places = { apUrl: 0, finalStageUrl: 0, newFirmwareUrl: 0 };
  /** All images have been asked for. */
  let fetched: Promise<void> | undefined;

  const images: Record<string, Buffer> = {
    'finalstage-user1': makeUserImage({ slot: 1, size: 24_576 }),
    'finalstage-user2': makeUserImage({ slot: 2, size: 24_576 }),
    'tasmota-lite-11.1.0': makeFinalImage({ size: 40_960, text: 'Theo Arends' }),
  };

  before(async function () {
    bus = await PrivateBus.start();
    if (!bus) return this.skip();
    manager = await FakeNetworkManager.start();
    const device = manager.addWifi('wlan0');
    manager.connect(device, manager.addProfile('home', 'home', { autoconnect: true }));
    manager.accessPoints = [{ ssid: 'home', bssid: '5E:CF:7F:00:00:01', psk: 'a home password', signal: 90 }];
    device.joined = manager.accessPoints[0];
    places = { apUrl: await freePort(), finalStageUrl: await freePort(), newFirmwareUrl: await freePort() };
    const asked = new Set<string>();
    let isFetched = (): void => undefined;
    fetched = new Promise((resolve) => (isFetched = resolve));
    const base = await http.serve((request, response) => {
      const name = (request.url ?? '').slice(1);
      response.end(images[name]);
      if (asked.add(name).size === Object.keys(images).length) isFetched();
    });
    const changes = Object.entries(images).map(([name, bytes]): [string, CatalogChange] => {
      return [name, { url: `${base}/${name}`, sha256: digestOf(bytes), size: bytes.length }];
    });
    copy = await packageWithCatalog(Object.fromEntries(changes));
  });
  const suite = useEditor([], async () => ({
    packageFolder: copy?.folder,
    env: { DBUS_SYSTEM_BUS_ADDRESS: bus?.address ?? '' },
  }));
  after(async () => {
    await manager?.vanish();
    await bus?.stop();
    await copy?.remove();
  });

  it(`takes ${CLICKS_AT_MOST} clicks and one typed field from the palette to a running flash`, async function () {
    const { editor } = suite;
    const { page } = editor;
    const filter = page.locator('#red-ui-palette-search input');
    await person.click(filter);
    await filter.pressSequentially('sonoff');
    // Dragged onto the canvas.
    person.clicks += 1;
    await editor.dragFromPalette('sonota-flash');
    const node = (await editor.nodes()).find(({ type }) => type === 'sonota-flash');
    assert.ok(node);
    // A double click is two.
    person.clicks += 2;
    const form = await editor.openForm(node.id);
    const name = form.locator('#node-input-ssid');
    await editor.answer('/sonota/wifi/home');
    await editor.answer('/sonota/firmware/images');
    await photograph(page, 'flash-form');
    await photographForDocs('flash-form', page, page.locator('.red-ui-tray').last());
    assert.deepEqual(editor.complaints, []);
    assert.match(await form.locator('#node-input-image option:checked').innerText(), /^Tasmota .*\(recommended\)$/);
    const password = form.locator('#node-input-password');
    await form.locator('#node-input-password:focus').waitFor();
    assert.equal(await name.inputValue(), 'home');
    const asked = await form
      .locator('.sonota-form :is(input, select):visible')
      .evaluateAll((all) => all.map(({ id }) => id));
    assert.deepEqual(asked, ['node-input-ssid', 'node-input-password', 'node-input-image']);
    await assertAccessible(page, '#dialog-form', ['[id^="red-ui-trap"]', '[id^="node-input-btn-"]']);
    await person.type(password, 'a home password');
    await person.click(page.locator('#node-dialog-ok'));
    await form.waitFor({ state: 'detached' });
    const hosts = (await editor.nodes()).filter(({ type }) => type === 'sonota-host');
    assert.equal(hosts.length, 1, 'a host was made');
    // At the address of a device's access point some networks answer themselves, and here nobody may.
    for (const [property, port] of Object.entries(places)) {
      await editor.give(node.id, property, `http://127.0.0.1:${port}`);
    }
    person.clicks += 1;
    await editor.deploy();
    // Fetched in the background while the person looks for the button.
    await fetched;
    await person.click(editor.flowNode(node.id).locator('.red-ui-flow-node-button-button'));
    await page.locator('.red-ui-flow-node-status-label', { hasText: /^join ITEAD-… (10:00|9:[45]0)$/ }).waitFor();
    await board().locator('.sonota-card[data-hand="true"]').waitFor();
    await photographAll(suite.editor.page, 'sidebar-waiting', board());
    await photographEditor();
    await photographForDocs('sidebar-waiting', page, board().locator('.sonota-card'));
    console.log(`      running: ${person.report()}`);
    assert.ok(person.clicks <= CLICKS_AT_MOST, person.report());
    assert.equal(person.fields, 1);
    assert.equal(person.decisions, 0);
  });

  it(`takes ${CLICKS_TO_HOME} clicks and one typed field to "flashed and at home"`, async function () {
    this.timeout(FLASH_LIMIT_MS);
    const device = virtual();
    try {
      await device.start();
      const done = board().locator('.sonota-card[data-stage="done"]');
      const give = done.getByRole('button', { name: 'Give it my Wi-Fi' });
      await give.waitFor({ timeout: FLASH_LIMIT_MS });
      await done.getByText('Give Tasmota your Wi-Fi now?').waitFor();
      await assertAccessible(suite.editor.page, '.sonota-board');
      await photographAll(suite.editor.page, 'sidebar-ended', board());
      await person.click(give);
      await done.getByText('Tasmota is in your Wi-Fi.').waitFor({ timeout: FLASH_LIMIT_MS });
      const link = done.getByRole('link', { name: 'Open the page of the device' });
      assert.equal(await link.getAttribute('href'), `http://127.0.0.1:${places.newFirmwareUrl}`);
      assert.equal(device.state, 'new-at-home');
      await assertAccessible(suite.editor.page, '.sonota-board');
      await photographAll(suite.editor.page, 'sidebar-at-home', board());
      console.log(`      at home: ${person.report()}`);
      assert.ok(person.clicks <= CLICKS_TO_HOME, person.report());
    } finally {
      await device.stop();
    }
  });

  it('shows with Check now that this machine is ready', async () => {
    const browser = suite.editor.page.context().browser();
    assert.ok(browser);
    const editor = await EditorPage.open(browser, suite.red.url);
    const flash = await editor.openForm((await flashNode()).id);
    if (!(await flash.locator('#node-input-host').isVisible()))
      await flash.locator('#sonota-flash-more summary').click();
    const form = await editor.openConfigForm('host');
    await editor.enter(form.locator('#node-config-input-ssid'), 'home');
    await editor.enter(form.locator('#node-config-input-password'), 'a home password');
    await form.getByRole('button', { name: 'Check now' }).click();
    await form.locator('#sonota-host-checks table').waitFor();
    assert.match(await form.locator('.sonota-host-verdict').innerText(), /^Ready/);
    await photographForDocs('host-form', editor.page, editor.page.locator('.red-ui-tray').last());
    assert.deepEqual(editor.complaints, []);
    await editor.close();
  });

  it('takes an ESPHome from the machine in front of the person, and gives it the Wi-Fi in its portal', async function () {
    this.timeout(FLASH_LIMIT_MS);
    const { editor } = suite;
    const { page } = editor;
    const node = await flashNode();
    const form = await editor.openForm(node.id);
    await editor.answer('/sonota/firmware/images');
    const chooser = page.waitForEvent('filechooser');
    await form.getByRole('button', { name: 'Upload' }).press('Enter');
    const buffer = makeFinalImage({ size: 40_960, text: '_esphomelib', seed: 5 });
    await (await chooser).setFiles({ name: 'plug.bin', mimeType: 'application/octet-stream', buffer });
    await form
      .locator(`#node-input-image option[value="store:${digestOf(buffer)}"]:checked`)
      .waitFor({ state: 'attached' });
    await page.locator('#node-dialog-ok').click();
    await form.waitFor({ state: 'detached' });
    await editor.deploy();
    const device = virtual({ deviceid: '1000e5b0ee' });
    try {
      await editor.flowNode(node.id).locator('.red-ui-flow-node-button-button').click();
      await board().locator('.sonota-card[data-hand="true"]').waitFor();
      await device.start();
      const done = board().locator('.sonota-card[data-stage="done"]', { hasText: '1000e5b0ee' });
      await done.getByText('Give ESPHome your Wi-Fi now?').waitFor({ timeout: FLASH_LIMIT_MS });
      await photographAll(suite.editor.page, 'sidebar-esphome', board());
      await done.getByRole('button', { name: 'Give it my Wi-Fi' }).press('Enter');
      await done
        .getByText('ESPHome has your Wi-Fi. Home Assistant finds it there.')
        .waitFor({ timeout: FLASH_LIMIT_MS });
      await assertAccessible(page, '.sonota-board');
      while (device.state !== 'new-at-home') await once(device, 'state');
    } finally {
      await device.stop();
    }
  });

  it('counts down how long the Wi-Fi of the device stays open', async () => {
    const { editor } = suite;
    const node = await flashNode();
    // The one interface that every machine has. Its network neither answers nor fails: this machine keeps joining it.
    manager?.addWifi('lo');
    manager?.accessPoints.push({ ssid: 'ITEAD-1000a1b2c3', bssid: '5E:CF:7F:00:00:02', psk: '12345678', hangs: true });
    await editor.give(node.id, 'apUrl', '');
    const host = (await editor.nodes()).find(({ type }) => type === 'sonota-host')?.id ?? '';
    await editor.give(host, 'wifi', 'networkmanager');
    for (const which of ['wifiInterface', 'wifiUplink']) await editor.give(host, which, 'lo');
    await editor.page.evaluate(`RED.nodes.node('${node.id}').changed = true; RED.nodes.dirty(true)`);
    await editor.deploy();
    await editor.flowNode(node.id).locator('.red-ui-flow-node-button-button').click();
    const card = board().locator('.sonota-card[data-stage="provision"]');
    await card.getByText(/Its Wi-Fi closes in about (3:00|2:[0-5]\d)\./).waitFor();
    await photographAll(suite.editor.page, 'sidebar-countdown', board());
    await card.getByText(/Its Wi-Fi closes in about 2:[0-5]\d\./).waitFor();
    await card.getByRole('button', { name: /^Cancel the flash of/ }).press('Enter');
    await card.waitFor({ state: 'detached' });
  });

  /** For the docs: the whole editor, when the notice of the deploy is gone. */
  async function photographEditor(): Promise<void> {
    const { page } = suite.editor;
    if (!isPictureMade('node-red-5')) return;
    await page.locator('.red-ui-notification').waitFor({ state: 'detached' });
    await photographForDocs('node-red-5', page);
  }

  async function flashNode(): Promise<{ id: string }> {
    const node = (await suite.editor.nodes()).find(({ type }) => type === 'sonota-flash');
    assert.ok(node);
    return node;
  }

  function virtual(more: Partial<VirtualSonoffOptions> = {}): VirtualSonoff {
    return new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: places.apUrl,
      finalStagePort: places.finalStageUrl,
      finalStageHost: { address: '127.0.0.1', port: IMAGE_PORT },
      homeNetwork: { ssid: 'home', password: 'a home password' },
      newFirmware: { apAddress: '127.0.0.1', apPort: places.newFirmwareUrl, homePort: places.newFirmwareUrl },
      speed: 20,
      ...more,
    });
  }

  function board(): Locator {
    return suite.editor.page.getByRole('region', { name: 'Sonoff flashing' });
  }
});
