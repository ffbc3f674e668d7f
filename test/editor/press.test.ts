import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import type { Flow } from '../shared/node-red';
import { freePort } from '../shared/ports';
import { assertAccessible } from './axe';
import { EditorPage } from './editor-page';
import { useEditor } from './suite';

const WIFI = { ssid: 'home', password: 'a home password' };
const REHEARSAL = { user1: 'rehearsal:', user2: 'rehearsal:' };

interface Places {
  readonly apUrl: string;
  readonly finalStageUrl: string;
  /** Of an image that nobody serves. */
  readonly away: string;
  readonly ports: object;
}

/**
 * Three nodes of the whole flash: one whose image is not there, one whose FinalStage pair cannot be fetched,
 * and one of a rehearsal.
 */
function flow({ apUrl, finalStageUrl, away, ports }: Places, nowhere: string): Flow {
  const flash = { type: 'sonota-flash', z: 'tab', ssid: WIFI.ssid, image: '', intermediate: '', deviceid: '' };
  const more = { timeout: '', force: false, apUrl, finalStageUrl, newFirmwareUrl: '', x: 400, wires: [[], []] };
  const host = { type: 'sonota-host', address: '127.0.0.1', ssid: '', ...ports };
  const firmware = { type: 'sonota-firmware', digests: {} };
  return [
    { id: 'tab', type: 'tab', label: 'Presses' },
    { id: 'host', ...host, name: 'Rehearsal', bind: '127.0.0.1' },
    { id: 'open', ...host, name: 'Open', address: '', bind: '' },
    { id: 'made-up', ...firmware, name: 'Made up', ...REHEARSAL, final: 'rehearsal:' },
    { id: 'half', ...firmware, name: 'Half', ...REHEARSAL, user1: away, final: 'rehearsal:' },
    { id: 'lost', ...firmware, name: 'Lost', ...REHEARSAL, final: nowhere },
    { id: 'hopeless', ...flash, ...more, name: 'hopeless', host: 'host', firmware: 'lost', y: 80 },
    { id: 'doubtful', ...flash, ...more, name: 'doubtful', host: 'open', firmware: 'half', y: 160 },
    { id: 'flash', ...flash, ...more, name: 'rehearsal', host: 'host', firmware: 'made-up', y: 240 },
  ];
}

describe('editor: a press on the button of a flash', () => {
  const nodes: Flow[number][] = [];
  let apPort = 0;
  before(async () => {
    apPort = await freePort();
    const names = ['httpsPort', 'legacyPort', 'httpPort', 'finalStagePort'];
    const ports = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, String(await freePort())] as const)),
    );
    const finalStageUrl = `http://127.0.0.1:${await freePort()}`;
    const away = `http://127.0.0.1:${await freePort()}/user1.bin`;
    nodes.push(
      ...flow({ apUrl: `http://127.0.0.1:${apPort}`, finalStageUrl, away, ports }, join(__dirname, 'nowhere.bin')),
    );
  });
  const credentials = Object.fromEntries(
    ['hopeless', 'doubtful', 'flash'].map((id) => [id, { password: WIFI.password }]),
  );
  const suite = useEditor(nodes, async () => ({ credentials }));

  const button = (id: string, editor = suite.editor): Locator =>
    editor.flowNode(id).locator('.red-ui-flow-node-button-button');
  const boardOf = ({ page }: EditorPage): Locator => page.getByRole('region', { name: 'Sonoff flashing' });
  const board = (): Locator => boardOf(suite.editor);
  const notice = (text: string | RegExp): Locator =>
    suite.editor.page.locator('.red-ui-notification', { hasText: text });
  const statusOf = (id: string, text: string | RegExp, editor = suite.editor): Locator =>
    editor.flowNode(id).locator('.red-ui-flow-node-status-label', { hasText: text });

  it('starts nothing that cannot succeed, and says why and what to do', async () => {
    await button('hopeless').click();
    const refused = notice('Not started: this flash cannot succeed.');
    await refused.getByText(/nowhere\.bin/).waitFor();
    await assertAccessible(suite.editor.page, '.red-ui-notification');
    await refused.getByRole('button', { name: 'Close' }).press('Enter');
    await refused.waitFor({ state: 'hidden' });
    await suite.editor.invoke('sonota:show-flashing-tab');
    assert.equal(await board().locator('.sonota-card').count(), 0, 'a press that never began leaves no card');
  });

  it('asks where a flash may fail, and starts it for a person who insists, by the keyboard', async () => {
    await button('doubtful').click();
    const doubt = notice('Not started yet: this flash may fail.');
    await assertAccessible(suite.editor.page, '.red-ui-notification');
    await doubt.getByRole('button', { name: 'Cancel' }).press('Enter');
    await doubt.waitFor({ state: 'hidden' });
    assert.equal(await board().locator('.sonota-card').count(), 0);
    await button('doubtful').click();
    await notice('Not started yet').getByRole('button', { name: 'Start anyway' }).press('Enter');
    await statusOf('doubtful', /^join ITEAD-…/).waitFor();
    await cancelInCard();
    await statusOf('doubtful', 'cancelled').waitFor();
  });

  it('opens the page of the flash once, and only in the editor in which the button was pressed', async () => {
    const browser = suite.editor.page.context().browser();
    assert.ok(browser);
    const other = await EditorPage.open(browser, suite.red.url);
    try {
      for (const editor of [suite.editor, other]) await cover(editor);
      await button('flash').click();
      await board().locator('.sonota-card[data-hand="true"]').waitFor();
      await statusOf('flash', /^join ITEAD-…/, other).waitFor();
      assert.equal(await boardOf(other).isVisible(), false, 'it opened in the other editor, too');
      // It does not come back with what happens next.
      await cover(suite.editor);
      await cancelIn(other);
      await statusOf('flash', 'cancelled').waitFor();
      assert.equal(await board().isVisible(), false, 'it opened again');
      assert.deepEqual(other.complaints, []);
      await suite.editor.invoke('sonota:show-flashing-tab');
      await board().locator('.sonota-card').waitFor({ state: 'detached' });
    } finally {
      await other.close();
    }
  });

  it('says what to do in large letters, with the button of every model, the time and a way out', async () => {
    await button('flash').click();
    const card = board().locator('.sonota-card[data-hand="true"]');
    const says = card.locator('.sonota-card-says');
    await says.waitFor();
    assert.match(await says.innerText(), /^Hold the button for 7\ss until the LED blinks fast/);
    assert.ok((await says.innerText()).length <= 80);
    const size = await says.evaluate((one) => parseFloat(getComputedStyle(one).fontSize));
    assert.ok(size >= 20, `${size} px`);
    assert.match(
      await card.locator('.sonota-card-clock').innerText(),
      /^This wait ends in (10:00|9:\d\d)\. About 6 minutes to the end\.$/,
    );
    const pictures = card.locator('.sonota-card-pictures li');
    assert.equal(await pictures.count(), 6);
    for (const picture of await pictures.all()) {
      assert.equal(await picture.locator('svg .sonota-picture-button').count(), 1);
      assert.equal(await picture.locator('svg .sonota-picture-led').count(), 1);
    }
    const names: string[] = [];
    await board().focus();
    for (let steps = 0; steps < 3; steps++) {
      await suite.editor.page.keyboard.press('Tab');
      names.push(await board().locator(':focus').innerText());
    }
    assert.deepEqual(
      names.map((name) => name.trim()),
      ['Cancel', 'Evidence', 'Report line'],
    );
    await suite.editor.page.waitForFunction(
      `/ 9:\\d\\d\\./.test(document.querySelector('.sonota-card[data-hand=true] .sonota-card-clock').textContent)`,
    );
  });

  it('says of a second press that the first one waits, and ends that wait where a person wants it', async () => {
    await button('flash').click();
    const waiting = notice('Already waiting for a device.');
    await waiting.getByRole('button', { name: 'Keep waiting' }).press('Enter');
    await waiting.waitFor({ state: 'hidden' });
    assert.equal(await board().locator('.sonota-card').count(), 1);
    await button('flash').click();
    await waiting.waitFor();
    const again = suite.editor.page.waitForResponse((response) => response.url().endsWith('/press'));
    await button('flash').click();
    await again;
    await notice('Checking').first().waitFor({ state: 'detached' });
    assert.equal(await waiting.count(), 1, 'it is said once');
    await assertAccessible(suite.editor.page, '.red-ui-notification');
    await suite.editor.page.setViewportSize({ width: 390, height: 800 });
    for (const answer of await waiting.getByRole('button').all()) {
      const { x = -1, width = 0 } = (await answer.boundingBox()) ?? {};
      assert.ok(x >= 0 && x + width <= 390, 'an answer is out of sight on a phone');
    }
    await suite.editor.page.setViewportSize({ width: 1400, height: 900 });
    await waiting.getByRole('button', { name: 'Cancel the wait' }).press('Enter');
    await statusOf('flash', 'cancelled').waitFor();
    await board().locator('.sonota-card').waitFor({ state: 'detached' });
  });

  it('leads from the card of a failure to its explanation, and tries it again where it failed', async () => {
    const device = new VirtualSonoff({ apAddress: '127.0.0.1', apPort, homeNetwork: WIFI, speed: 20 });
    try {
      await button('flash').click();
      await board().locator('.sonota-card[data-stage="provision"]').waitFor();
      await device.start();
      await board().locator('.sonota-card[data-stage="upgrade"], .sonota-card[data-stage="finalstage"]').waitFor();
    } finally {
      await device.stop();
    }
    await cancelInCard();
    const failed = board().locator('.sonota-card[data-stage="failed"]');
    await failed.waitFor();
    const link = failed.getByRole('link', { name: /^Explanation of / });
    const [, code = ''] = /^Explanation of ([\w-]+)$/.exec(await link.innerText()) ?? [];
    assert.match((await link.getAttribute('href')) ?? '', new RegExp(`^https://.*/docs/codes\\.md#${code}$`));
    await assertAccessible(suite.editor.page, '.sonota-board');
    await failed.getByRole('button', { name: /^Retry/ }).press('Enter');
    await board().locator('.sonota-card:not([data-stage="failed"])').waitFor();
    await cancelInCard();
    await failed.waitFor();
  });

  /** In the card, by the keyboard. */
  async function cancelInCard(): Promise<void> {
    await suite.editor.invoke('sonota:show-flashing-tab');
    await board()
      .getByRole('button', { name: /^Cancel the flash of/ })
      .press('Enter');
  }

  async function cancelIn(editor: EditorPage): Promise<void> {
    await editor.invoke('sonota:show-flashing-tab');
    await boardOf(editor)
      .getByRole('button', { name: /^Cancel the flash of/ })
      .click();
  }

  /** Node-RED 5 has two sidebars: only a tab of the same one covers ours. */
  async function cover(editor: EditorPage): Promise<void> {
    for (const tab of ['debug', 'help', 'info', 'context', 'config']) {
      if (!(await boardOf(editor).isVisible())) return;
      await editor.page.evaluate(`RED.sidebar.show('${tab}')`);
    }
    await boardOf(editor).waitFor({ state: 'hidden' });
  }
});
