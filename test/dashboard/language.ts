import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { browserOrSkip } from '../editor/browser';
import { EditorPage } from '../editor/editor-page';
import { startNodeRed, type Flow, type RunningNodeRed } from '../shared/node-red';

const DEVICE = '1000a1b2c3';
const AT = { z: 'tab', x: 200, y: 100 };
const ports = { httpsPort: '0', legacyPort: '0', httpPort: '0', finalStagePort: '0' };

/** A stage that waits for a device that does not come, and a Catch node. */
const FLOW: Flow = [
  { id: 'tab', type: 'tab', label: 'Deutsch' },
  { id: 'host', type: 'sonota-host', name: '', bind: '127.0.0.1', address: '127.0.0.1', ssid: 'home', ...ports },
  { id: 'ask', type: 'inject', ...AT, props: [{ p: 'deviceid', v: DEVICE, vt: 'str' }], wires: [['cloud']] },
  { id: 'cloud', type: 'sonota-cloud-emulator', ...AT, host: 'host', every: false, timeout: '1', wires: [[], []] },
  { id: 'catch', type: 'catch', ...AT, scope: null, uncaught: false, wires: [['caught']] },
  { id: 'caught', type: 'debug', ...AT, active: true, tosidebar: true, complete: 'error.message', targetType: 'msg' },
];

describe('in German', () => {
  let browser: Browser | undefined;
  let red: RunningNodeRed;

  before(async function () {
    browser = await browserOrSkip(this);
    red = await startNodeRed({ flow: FLOW, settings: { lang: 'de' } });
  });

  after(async () => {
    await browser?.close();
    await red?.stop();
  });

  it('a Catch node and the sidebar tell what happened and what to do', async () => {
    assert.ok(browser);
    const comms = await red.comms();
    try {
      const caught = new Promise<unknown>((resolve) => {
        comms.once('debug', ({ msg }: { msg: unknown }) => resolve(msg));
      });
      const editor = await EditorPage.open(browser, red.url);
      await editor.page.evaluate('localStorage.setItem("editor-language", "de")');
      await editor.page.reload();
      await editor.invoke('sonota:show-flashing-tab');
      const board = editor.page.getByRole('region', { name: 'Sonoffs flashen' });
      await board.getByText('Noch nichts geflasht.').waitFor();
      await red.inject('ask');
      const sentence =
        /Innerhalb von 1 s hat sich kein Gerät mit diesem Rechner \(127\.0\.0\.1, Ports .*\) verbunden\./;
      assert.match(String(await caught), sentence);
      await board.getByText('fehlgeschlagen in Stufe Cloud · 10 %').waitFor();
      await board.getByText(sentence).waitFor();
      assert.doesNotMatch(await board.innerText(), /sonota-sidebar|__/, 'a text is a key, or was not filled');
      assert.deepEqual(editor.complaints, []);
    } finally {
      comms.close();
    }
  });

  it('the table before a flash says all of it', async () => {
    const report = (await red.request('POST', '/sonota/host/host/preflight')) as Report;
    assert.match(report.text, /^Bereit, mit \d Warnungen; die erste: Adresse für die Geräte: 127\.0\.0\.1/);
    // The reason why a person must join networks ends in the words of the system, which are not translated.
    const translated = report.checks.filter(({ check }) => check !== 'radio');
    const texts = translated.flatMap(({ text, remedy }) => [text, remedy]).filter((text) => text !== '');
    assert.ok(texts.length > translated.length, 'no remedy');
    for (const text of texts) assert.doesNotMatch(text, /\b(the|this|is|of)\b|__|\?/i, text);
  });

  it('the help of a node is German', async () => {
    const headers = { accept: 'text/html', 'accept-language': 'de' };
    assert.match(String(await red.request('GET', '/nodes', undefined, headers)), /Wartet auf das WLAN FinalStage/);
  });
});

interface Report {
  text: string;
  checks: { check: string; text: string; remedy: string }[];
}
