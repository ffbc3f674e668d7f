import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import type { Locator } from 'playwright-core';
import { canBeHome } from '../../lib/net/home-network';
import { assertAccessible } from './axe';
import { CONFIG_TYPES, EVERY_NODE, idOf, VISIBLE_TYPES } from './every-node';
import { useEditor } from './suite';

/** Per field: what the form must refuse, and what it must take. The empty field is always taken. */
interface Entries {
  bad: string[];
  good: string[];
}

const PORT: Entries = { bad: ['70000', '-1', '80.5', 'http'], good: ['0', '8443', '65535', '${PORT}'] };
const POSITIVE: Entries = { bad: ['0', '-5', 'soon'], good: ['600', '0.5', '${LIMIT}'] };
const IPV4: Entries = {
  bad: ['home', '192.168.1', '192.168.1.256', '1.2.3.4.5', '::1'],
  good: ['192.168.1.20', '${IP}'],
};
const URL: Entries = {
  bad: ['10.10.7.1', 'https://10.10.7.1', 'http://'],
  good: ['http://10.10.7.1', 'http://127.0.0.1:10080'],
};
const IMAGE: Entries = {
  bad: ['/data/tasmota.bin.gz', 'ftp://host/x.bin', 'store:abc', 'catalog:'],
  good: [
    '/data/tasmota.bin',
    'C:\\fw\\tasmota.bin',
    'https://host/x.bin',
    `store:${'0a'.repeat(32)}`,
    'catalog:tasmota',
  ],
};

const TOPIC: Entries = {
  bad: ['sonota/#', '/sonota', 'a b', 'sonota/+/x'],
  good: ['sonota', 'sonota/garage', '${TOPIC}'],
};

const DEVICE_ID: Entries = { bad: ['1000', 'my sonoff!'], good: ['1000a1b2c3', 'ITEAD-1000A1B2C3'] };

const SSID: Entries = {
  bad: ['a'.repeat(32), 'ä'.repeat(16), ' home', 'home '],
  good: ['a'.repeat(31), 'ä'.repeat(15)],
};

const FIELDS: Record<string, Record<string, Entries>> = {
  'sonota-host': {
    httpsPort: PORT,
    legacyPort: PORT,
    httpPort: PORT,
    address: IPV4,
    bind: IPV4,
    ssid: SSID,
  },
  'sonota-firmware': { user1: IMAGE, user2: IMAGE, final: IMAGE },
  'sonota-wifi': {
    timeout: POSITIVE,
    stay: POSITIVE,
    address: { bad: ['192.168.4.2', '192.168.4.2/40', 'mine/24'], good: ['192.168.4.2/24', '${IP}'] },
  },
  'sonota-flash': {
    ssid: SSID,
    deviceid: DEVICE_ID,
    timeout: POSITIVE,
    apUrl: URL,
    finalStageUrl: URL,
    newFirmwareUrl: URL,
  },
  'sonota-provision': { url: URL, timeout: POSITIVE, deviceid: DEVICE_ID },
  'sonota-cloud-emulator': { timeout: POSITIVE },
  'sonota-ota-serve': { timeout: POSITIVE },
  'sonota-finalstage-watch': { url: URL, timeout: POSITIVE },
  'sonota-diy-flash': { address: URL, timeout: POSITIVE },
  'sonota-new-firmware': { url: URL, timeout: POSITIVE },
  'sonota-home-assistant': { topic: TOPIC, prefix: TOPIC },
  'sonota-tasmota-setup': {
    url: URL,
    address: {
      bad: ['my plug', 'https://plug', 'http://plug/cm'],
      good: ['plug.lan', '192.168.1.20:81', 'http://plug'],
    },
    topic: { bad: ['my plug', 'home/plug', 'plug;'], good: ['plug_1', 'sonoff_{deviceid}', '${TOPIC}'] },
    template: { bad: ['Basic', '{"NAME":"x"}'], good: ['8', 'keep', '{"NAME":"x","GPIO":[1],"FLAG":0,"BASE":18}'] },
    mqttPort: PORT,
    timeout: POSITIVE,
  },
  'sonota-virtual-device': {
    apPort: PORT,
    homePort: PORT,
    newApPort: PORT,
    apAddress: IPV4,
    speed: POSITIVE,
    deviceid: DEVICE_ID,
  },
};

/** The editor's own additions to a form: traps for password managers, and the buttons beside a config node. */
const OF_THE_EDITOR = ['[id^="red-ui-trap"]', '[id^="node-input-btn-"]', '[id^="node-config-input-btn-"]'];

/** The height of a row in a form. */
const ROW_PX = 34;

const NOT_IN_FORMS = ['id', 'type', 'x', 'y', 'z', 'wires', 'version', 'finalStagePort'];

describe('editor: forms', () => {
  const suite = useEditor(EVERY_NODE);

  for (const type of Object.keys(VISIBLE_TYPES)) {
    it(`opens and checks the form of ${type}`, async () => {
      const form = await suite.editor.openForm(idOf(type));
      for (const summary of await form.locator('details:not([open]) > summary').all()) await summary.click();
      await assertReadable(form);
      await assertAccessible(suite.editor.page, '#dialog-form', OF_THE_EDITOR);
      await assertChecks(form, 'node-input', FIELDS[type] ?? {});
      await suite.editor.cancelForm();
    });
  }

  for (const type of CONFIG_TYPES) {
    it(`opens and checks the form of ${type}`, async () => {
      await suite.editor.openForm(idOf('sonota-ota-serve'));
      const form = await suite.editor.openConfigForm(type.replace('sonota-', ''));
      await assertReadable(form);
      await assertAccessible(suite.editor.page, '#node-config-dialog-edit-form', OF_THE_EDITOR);
      await assertChecks(form, 'node-config-input', FIELDS[type] ?? {});
      await suite.editor.cancelConfigForm();
      await suite.editor.cancelForm();
    });
  }

  it('has a field for each property, save the port that FinalStage has built in', async () => {
    for (const node of EVERY_NODE.filter(({ type }) => type in FIELDS)) {
      const isConfig = node.type === 'sonota-host' || node.type === 'sonota-firmware';
      await suite.editor.openForm(isConfig ? idOf('sonota-ota-serve') : node.id);
      if (isConfig) await suite.editor.openConfigForm(node.type.replace('sonota-', ''));
      const prefix = isConfig ? 'node-config-input' : 'node-input';
      for (const property of Object.keys(node).filter((name) => !NOT_IN_FORMS.includes(name))) {
        assert.equal(await suite.editor.page.locator(`#${prefix}-${property}`).count(), 1, `${node.type}: ${property}`);
      }
      if (isConfig) await suite.editor.cancelConfigForm();
      await suite.editor.cancelForm();
    }
  });

  it('refuses a stage without a host', async () => {
    const form = await suite.editor.openForm(idOf('sonota-provision'));
    await form.locator('#node-input-host').selectOption('_ADD_');
    await waitForClass(form.locator('#node-input-host'), true);
    await suite.editor.cancelForm();
  });

  it('takes the only host there is for a new flash, but that of a rehearsal, and asks for three things', async () => {
    const [id, hostId] = [idOf('sonota-flash'), idOf('sonota-host')];
    await suite.editor.give(id, 'host', '');
    await suite.editor.flowNode(id).locator('.red-ui-flow-node-button-button').click();
    const notice = suite.editor.page.locator('.red-ui-notification', { hasText: 'Open the node first' });
    await notice.waitFor();
    const rehearsing = await suite.editor.openForm(id);
    assert.equal(await rehearsing.locator('#node-input-host').inputValue(), '_ADD_', 'no device reaches this host');
    await suite.editor.cancelForm();
    await suite.editor.give(hostId, 'bind', '');
    const form = await suite.editor.openForm(id);
    assert.equal(await form.locator('#node-input-host').inputValue(), hostId);
    const asked = await form
      .locator('.sonota-form :is(input, select):visible')
      .evaluateAll((all) => all.map((one) => one.id));
    assert.deepEqual(asked, ['node-input-ssid', 'node-input-password', 'node-input-image']);
    await suite.editor.cancelForm();
    await suite.editor.give(hostId, 'bind', '127.0.0.1');
    await suite.editor.give(id, 'host', hostId);
  });

  it('is gone through by Tab from top to bottom, each field once', async () => {
    const { editor } = suite;
    const flash = await editor.openForm(idOf('sonota-flash'));
    for (const summary of await flash.locator('details:not([open]) > summary').all()) await summary.click();
    const fields = await tabThrough(flash);
    for (const name of ['ssid', 'password', 'image', 'host', 'method', 'newFirmwareUrl'])
      assert.ok(fields.includes(`node-input-${name}`), `${name}: ${fields.join()}`);
    await editor.cancelForm();
    await editor.openForm(idOf('sonota-ota-serve'));
    const host = await tabThrough(await editor.openConfigForm('host'));
    assert.ok(host.indexOf('sonota-host-check-now') < host.indexOf('node-config-input-ssid'), host.join());
    await editor.cancelConfigForm();
    const firmware = await tabThrough(await editor.openConfigForm('firmware'));
    assert.ok(firmware.includes('node-config-input-final'), firmware.join());
    await editor.cancelConfigForm();
    await editor.cancelForm();
  });

  it('fits a narrow window', async () => {
    const { page } = suite.editor;
    await suite.editor.toggleSidebars();
    await page.setViewportSize({ width: 390, height: 800 });
    try {
      const form = await suite.editor.openForm(idOf('sonota-flash'));
      for (const summary of await form.locator('details:not([open]) > summary').all()) await summary.click();
      for (const field of await form.locator('.sonota-form :is(input, select, button, .form-tips):visible').all()) {
        const box = await field.boundingBox();
        assert.ok(
          box && box.x >= 0 && box.x + box.width <= 390,
          `${String(await field.getAttribute('id'))}: ${JSON.stringify(box)}`,
        );
      }
      await suite.editor.cancelForm();
    } finally {
      await page.setViewportSize({ width: 1400, height: 900 });
      await suite.editor.toggleSidebars();
    }
  });

  it('says in words what is wrong with a field', async () => {
    const form = await suite.editor.openForm(idOf('sonota-provision'));
    const field = form.locator('#node-input-timeout');
    await suite.editor.enter(field, 'soon');
    // The words belong to the field from the check on, and show when the pointer enters it after that.
    await waitForClass(field, true);
    await suite.editor.page.mouse.move(0, 0);
    await field.hover();
    const popover = suite.editor.page.locator('.red-ui-popover', { hasText: 'must be a number above 0' });
    await popover.first().waitFor();
    await suite.editor.cancelForm();
  });

  it('shows what belongs to the kind of virtual device that is chosen', async () => {
    const form = await suite.editor.openForm(idOf('sonota-virtual-device'));
    const [cloud, diy] = [form.locator('#node-input-transport'), form.locator('#node-input-lanPort')];
    assert.deepEqual([await cloud.isVisible(), await diy.isVisible()], [true, false]);
    await form.locator('#node-input-kind').selectOption('diy');
    assert.deepEqual([await cloud.isVisible(), await diy.isVisible()], [false, true]);
    await assertAccessible(suite.editor.page, '#dialog-form', OF_THE_EDITOR);
    await assertChecks(form, 'node-input', { lanPort: PORT, vendorPort: PORT });
    await suite.editor.cancelForm();
  });

  it('shows what concerns DIY mode unless the method rules that out', async () => {
    const form = await suite.editor.openForm(idOf('sonota-flash'));
    for (const summary of await form.locator('details:not([open]) > summary').all()) await summary.click();
    const isShown = (): Promise<boolean[]> =>
      Promise.all(['unlock', 'clicks'].map((name) => form.locator(`#node-input-${name}`).isVisible()));
    assert.deepEqual(await isShown(), [true, true]);
    await form.locator('#node-input-method').selectOption('cloud');
    assert.deepEqual(await isShown(), [false, false]);
    await form.locator('#node-input-method').selectOption('diy');
    assert.deepEqual(await isShown(), [true, true]);
    await suite.editor.cancelForm();
  });

  it('offers the addresses of this machine for the host', async () => {
    await suite.editor.openForm(idOf('sonota-provision'));
    const form = await suite.editor.openConfigForm('host');
    const own = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal, address }) => family === 'IPv4' && !internal && canBeHome(address));
    const picker = form.getByLabel('Addresses of this machine');
    const address = own[0]?.address;
    if (address === undefined) assert.equal(await picker.isVisible(), false, 'there is nothing to choose from');
    else {
      await picker.selectOption(address);
      assert.equal(await form.locator('#node-config-input-address').inputValue(), address);
      assert.equal(await picker.inputValue(), '', 'the picker is ready for another choice');
    }
    await suite.editor.cancelConfigForm();
    await suite.editor.cancelForm();
  });

  it('asks for the Wi-Fi password in a field that hides it', async () => {
    await suite.editor.openForm(idOf('sonota-provision'));
    const form = await suite.editor.openConfigForm('host');
    assert.equal(await form.locator('#node-config-input-password').getAttribute('type'), 'password');
    await suite.editor.cancelConfigForm();
    await suite.editor.cancelForm();
  });

  /** The ids of what has the focus one after another, from the first field to the last. */
  async function tabThrough(form: Locator): Promise<string[]> {
    const { page } = suite.editor;
    const ours = form.locator('.sonota-form');
    const fields = ours.locator(':is(input, select, button, summary):visible:enabled');
    const last = await ours.locator(':is(input, select, button)[id]:visible:enabled').last().getAttribute('id');
    const passed: { id: string; top: number }[] = [];
    const ids = (): string[] => passed.map(({ id }) => id).filter((id) => id !== '');
    const isWhole = (): boolean => last !== null && ids().includes(last) && new Set(ids()).size === ids().length;
    // Once the form has slid in, the editor moves the focus itself, if need be in the middle of a walk.
    for (let walk = 0; walk < 4 && !isWhole(); walk++) {
      passed.length = 0;
      await fields.first().focus();
      for (;;) {
        // In one look: the editor may move the focus between two.
        const focused = await ours.evaluate((one) => {
          const field = one.ownerDocument.activeElement;
          if (!field || field === one || !one.contains(field)) return undefined;
          const scrolled = one.closest('form')?.parentElement?.scrollTop ?? 0;
          return { id: field.id, top: field.getBoundingClientRect().top + scrolled };
        });
        if (!focused) break;
        passed.push(focused);
        assert.ok(passed.length < 60, 'the focus does not leave the form');
        await page.keyboard.press('Tab');
      }
    }
    assert.ok(last !== null && ids().includes(last), `not as far as ${last}: ${ids().join()}`);
    assert.equal(new Set(ids()).size, ids().length, ids().join());
    for (const [index, { id, top }] of passed.entries()) {
      // Fields in one row differ in height.
      assert.ok(top >= (passed[index - 1]?.top ?? 0) - ROW_PX, `${id} is above what was before it`);
    }
    return ids();
  }

  /**
   * Every label, tip and choice has its text, none shows the key of one. What says how something stands (a status) is
   * empty until it is known, and so is the text of a choice that is its value, in the list of a field.
   */
  async function assertReadable(form: Locator): Promise<void> {
    const texts = form.locator('label span, .form-tips:not([role="status"]), select option, h4');
    for (const label of await texts.allInnerTexts()) {
      assert.notEqual(label.trim(), '');
      assert.doesNotMatch(label, /sonota-[\w-]+[.:]/, 'a text is a key');
    }
  }

  async function assertChecks(form: Locator, prefix: string, fields: Record<string, Entries>): Promise<void> {
    for (const [property, { bad, good }] of Object.entries(fields)) {
      const field = form.locator(`#${prefix}-${property}`);
      const before = await field.inputValue();
      for (const text of bad) {
        await suite.editor.enter(field, text);
        await waitForClass(field, true, `${property} took ${text}`);
      }
      for (const text of [...good, '']) {
        await suite.editor.enter(field, text);
        await waitForClass(field, false, `${property} refused ${text}`);
      }
      await suite.editor.enter(field, before);
    }
  }

  async function waitForClass(field: Locator, wrong: boolean, otherwise = 'the check did not bite'): Promise<void> {
    const selector = `#${await field.getAttribute('id')}${wrong ? '.input-error' : ':not(.input-error)'}`;
    try {
      await suite.editor.page.locator(selector).waitFor({ timeout: 3000 });
    } catch {
      assert.fail(otherwise);
    }
  }
});
