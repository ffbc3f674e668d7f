import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { makeFinalImage, makeUserImage, digestOf } from '../../lib/image';
import { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import { FakeNetworkManager } from '../net/wifi/fake-networkmanager';
import { PrivateBus } from '../net/wifi/private-bus';
import { useHttpServers } from '../shared/http-server';
import { packageWithCatalog, type CatalogChange, type PackageCopy } from '../shared/package-copy';
import { photographForDocs } from '../shared/photograph';
import { freePort } from '../shared/ports';
import { assertAccessible } from './axe';
import { useEditor } from './suite';

/** The numbers that this test is about: to a running flash, and to a Tasmota at home. */
const CLICKS_AT_MOST = 7;
const CLICKS_TO_HOME = 8;

const FLASH_LIMIT_MS = 120_000;
/** Of the emulated cloud, for a host as it is made. */
const IMAGE_PORT = 8080;

const IS_NODE_RED_5 = process.env['SONOTA_NODE_RED'] !== undefined;

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
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await photograph(`failed-${Date.now()}`);
  });
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
    await photograph('flash-form');
    await photographForDocs('flash-form', page, page.locator('.red-ui-tray').last());
    assert.deepEqual(editor.complaints, []);
    assert.match(await form.locator('#node-input-image option:checked').innerText(), /^Tasmota .*\(recommended\)$/);
    const password = form.locator('#node-input-password');
    await form.locator('#node-input-password:focus').waitFor();
    assert.equal(await name.inputValue(), 'home');
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
    await photographAll('sidebar-waiting', board());
    await photographForDocs('sidebar-waiting', page, board().locator('.sonota-card'));
    if (IS_NODE_RED_5) await photographForDocs('node-red-5', page);
    console.log(`      running: ${person.report()}`);
    assert.ok(person.clicks <= CLICKS_AT_MOST, person.report());
    assert.equal(person.fields, 1);
    assert.equal(person.decisions, 0);
  });

  it(`takes ${CLICKS_TO_HOME} clicks and one typed field to "flashed and at home"`, async function () {
    this.timeout(FLASH_LIMIT_MS);
    const device = new VirtualSonoff({
      apAddress: '127.0.0.1',
      apPort: places.apUrl,
      finalStagePort: places.finalStageUrl,
      finalStageHost: { address: '127.0.0.1', port: IMAGE_PORT },
      homeNetwork: { ssid: 'home', password: 'a home password' },
      newFirmware: { apAddress: '127.0.0.1', apPort: places.newFirmwareUrl, homePort: places.newFirmwareUrl },
      speed: 20,
    });
    try {
      await device.start();
      const done = board().locator('.sonota-card[data-stage="done"]');
      const give = done.getByRole('button', { name: 'Give it my Wi-Fi' });
      await give.waitFor({ timeout: FLASH_LIMIT_MS });
      await done.getByText('Give Tasmota your Wi-Fi now?').waitFor();
      await assertAccessible(suite.editor.page, '.sonota-board');
      await photographAll('sidebar-ended', board());
      await person.click(give);
      await done.getByText('Tasmota is in your Wi-Fi.').waitFor({ timeout: FLASH_LIMIT_MS });
      const link = done.getByRole('link', { name: 'Open the page of the device' });
      assert.equal(await link.getAttribute('href'), `http://127.0.0.1:${places.newFirmwareUrl}`);
      assert.equal(device.state, 'new-at-home');
      await assertAccessible(suite.editor.page, '.sonota-board');
      await photographAll('sidebar-at-home', board());
      console.log(`      at home: ${person.report()}`);
      assert.ok(person.clicks <= CLICKS_TO_HOME, person.report());
    } finally {
      await device.stop();
    }
  });

  function board(): Locator {
    return suite.editor.page.getByRole('region', { name: 'Sonoff flashing' });
  }

  /** On a desk and on a phone. */
  async function photographAll(name: string, what: Locator): Promise<void> {
    const { page } = suite.editor;
    if (process.env['SONOTA_SCREENSHOT'] === undefined) return;
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await what.waitFor();
      await photograph(`${name}-${width}`);
    }
    await page.setViewportSize({ width: 1400, height: 900 });
  }

  /** With SONOTA_SCREENSHOT set, for people to look at. */
  async function photograph(name: string): Promise<void> {
    const folder = process.env['SONOTA_SCREENSHOT'];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await suite.editor.page.screenshot({ path: join(folder, `${name}.png`) });
  }
});
