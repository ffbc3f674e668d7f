import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { VirtualSonoff } from '../../lib/virtual/virtual-sonoff';
import type { Flow } from '../shared/node-red';
import { packageRoot } from '../shared/package-root';
import { photographForDocs } from '../shared/photograph';
import { assertAccessible } from './axe';
import { useEditor } from './suite';

const REHEARSAL_LIMIT_MS = 60_000;
const NOBODY = '10009f8e7d';
const NAMED = [
  { deviceid: '1000c0ffee', name: 'Hall', manufacturer: 'Sonoff', model: 'BASICR3', sw_version: '3.6.0' },
  { deviceid: '1000ce11a5', name: 'Cellar', manufacturer: 'Sonoff', model: 'BASIC', sw_version: '1.5.5' },
  { deviceid: '1000b47400', name: 'Bath', manufacturer: 'Sonoff', model: 'MINIR4', sw_version: '1.2.0' },
];
const QUEUED = ['1000aaaa01', '1000aaaa02'];

/** Long enough for each byte count to be seen: the sidebar looks twice a second, and a transfer may take less than that. */
const BLOCK_PAUSE_MS = 10;

/** The rehearsal of example 01 without its device, and a stage that waits for a device that does not come. */
function flow(): Flow {
  const path = join(packageRoot(), 'examples', '01 - Rehearse with a virtual Sonoff.json');
  const example = JSON.parse(readFileSync(path, 'utf8')) as Flow;
  const rehearsal = example.filter(({ type }) => type !== 'sonota-virtual-device');
  const host = rehearsal.find(({ type }) => type === 'sonota-host')?.id;
  const z = rehearsal.find(({ type }) => type === 'tab')?.id;
  const waiting = { host, z, name: '', every: false, timeout: '1', force: false, wires: [[], []] };
  const queue = { host, z, name: '', atOnce: '1', attempts: '1', wires: [['nobody'], [], []] };
  return [
    ...rehearsal,
    { id: 'nobody', type: 'sonota-cloud-emulator', x: 330, y: 420, ...waiting },
    { id: 'queue', type: 'sonota-queue', x: 330, y: 480, ...queue },
    { id: 'discover', type: 'sonota-discover', host, z, name: '', x: 330, y: 540, wires: [[], []] },
    inject('name', z, { p: 'devices', v: JSON.stringify(NAMED), vt: 'json' }, 'discover'),
    inject('ask', z, { p: 'deviceid', v: NOBODY, vt: 'str' }, 'nobody'),
    inject('enqueue', z, { p: 'deviceids', v: JSON.stringify(QUEUED), vt: 'json' }, 'queue'),
  ];
}

function inject(id: string, z: string | undefined, prop: object, to: string): Flow[number] {
  const never = { repeat: '', crontab: '', once: false, onceDelay: 0.1, topic: '' };
  return { id, type: 'inject', z, name: '', props: [prop], ...never, x: 120, y: 420, wires: [[to]] };
}

describe('editor: the sidebar of the flashes', () => {
  const nodes = flow();
  const suite = useEditor(nodes);
  const start = nodes.find(({ type }) => type === 'inject')?.id ?? '';
  const device = new VirtualSonoff({
    apAddress: '127.0.0.1',
    apPort: 10_080,
    speed: 10,
    behaviours: { blockPauseMs: BLOCK_PAUSE_MS },
  });

  function board(): Locator {
    return suite.editor.page.getByRole('region', { name: 'Sonoff flashing' });
  }

  function card(stage: string): Locator {
    return board().locator(`.sonota-card[data-stage="${stage}"]`);
  }

  before(async () => {
    await suite.editor.page.setViewportSize({ width: 1280, height: 900 });
    await suite.editor.invoke('sonota:show-flashing-tab');
    await board().waitFor();
  });
  after(() => device.stop());

  it('shows the host, and that there is no flash yet', async () => {
    await board().getByRole('heading', { name: 'Rehearsal host' }).waitFor();
    await board().getByText('listening at 127.0.0.1').waitFor();
    await board().getByText('No flash yet.').waitFor();
    await assertAccessible(suite.editor.page, '.sonota-board');
  });

  it('is filled as soon as it is shown, not at the next look', async () => {
    const page = await suite.editor.page.context().browser()?.newPage();
    assert.ok(page);
    await page.addInitScript('window.setInterval = () => 0');
    await page.goto(suite.red.url);
    await page.locator('#red-ui-workspace-tabs li').first().waitFor();
    await page.evaluate(`RED.actions.invoke('sonota:show-flashing-tab')`);
    await page.getByRole('heading', { name: 'Rehearsal host' }).waitFor();
    await page.close();
  });

  it('lists the known Sonoffs, and how each can be flashed', async () => {
    await suite.red.inject('name');
    const table = board().getByRole('table', { name: 'Known Sonoffs' });
    const row = table.getByRole('row', { name: /Hall/ });
    await row.waitFor();
    assert.deepEqual(await table.getByRole('columnheader').allInnerTexts(), ['Device', 'How to flash it']);
    const [head, ...cells] = [row.getByRole('rowheader'), ...(await row.getByRole('cell').all())];
    assert.match((await head?.innerText()) ?? '', /^Hall\s+1000c0ffee · BASICR3\s+firmware 3\.6\.0$/);
    const [method] = await Promise.all(cells.map((cell) => cell.innerText()));
    assert.match(
      method ?? '',
      /^DIY mode, after 5\ss \+ 5\ss on the button\s+Its model has DIY mode\. Hold its button for 5\ss/,
    );
    await assertAccessible(suite.editor.page, '.sonota-sonoffs');
    await photographForDocs('known-sonoffs', suite.editor.page, table);
  });

  it('keeps Cancel in view where the card is longer than the sidebar is high', async () => {
    const { page } = suite.editor;
    await suite.red.inject(start);
    const waiting = card('provision');
    const cancel = waiting.getByRole('button', { name: /^Cancel/ });
    await waiting.locator('.sonota-card-pictures svg').first().waitFor();
    // Room for what stands above the buttons, and not for themselves.
    const height = await waiting.evaluate((one) => {
      const [board, buttons] = [
        one.closest('.sonota-board'),
        one.querySelector<HTMLElement>(':scope > .sonota-card-buttons'),
      ];
      if (!board || !buttons) throw new Error('there are no buttons');
      buttons.style.position = 'static';
      const above = buttons.getBoundingClientRect().top - one.getBoundingClientRect().top;
      buttons.style.position = '';
      return Math.round(window.innerHeight - board.clientHeight + above);
    });
    await page.setViewportSize({ width: 1280, height });
    await waiting.evaluate((one) => {
      const board = one.closest('.sonota-board');
      board?.scrollBy(0, one.getBoundingClientRect().top - board.getBoundingClientRect().top);
    });
    const isInView = await cancel.evaluate((button) => {
      const { left, right, top, bottom } = button.getBoundingClientRect();
      const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return button.contains(at);
    });
    assert.equal(isInView, true);
    await cancel.click();
    await page.setViewportSize({ width: 1280, height: 900 });
    // No device has come, so that nothing is left of it.
    await waiting.waitFor({ state: 'detached' });
  });

  it('follows a rehearsal from the button to "done"', async function () {
    this.timeout(REHEARSAL_LIMIT_MS);
    await device.start();
    await suite.red.inject(start);
    await card('finalstage').getByText('Final image:').waitFor({ timeout: REHEARSAL_LIMIT_MS });
    assert.match(await card('finalstage').innerText(), /FinalStage · \d+ %[\s\S]*Last seen .*: it .*\.\s/);
    const bar = card('finalstage').getByRole('progressbar');
    assert.ok(Number(await bar.getAttribute('aria-valuenow')) > 60);
    assert.ok(
      await card('finalstage')
        .getByRole('button', { name: /^Forget/ })
        .isDisabled(),
    );
    await photographForDocs('sidebar', suite.editor.page, card('finalstage'));
    await card('done').waitFor({ timeout: REHEARSAL_LIMIT_MS });
    assert.match(
      await card('done').innerText(),
      /The new firmware is installed\.[\s\S]*example 02[\s\S]*ITA-GZ1-GL 1\.5\.5 · emulated cloud/,
    );
    assert.equal(await card('done').getByRole('progressbar').getAttribute('aria-valuenow'), '100');
    assert.match(await board().getByRole('status').innerText(), /^[\da-f]{10}: done$/);
    await assertAccessible(suite.editor.page, '.sonota-board');
  });

  it('downloads the evidence, by the keyboard alone', async () => {
    const download = suite.editor.page.waitForEvent('download');
    await card('done')
      .getByRole('button', { name: /^Evidence of/ })
      .press('Enter');
    const file = await download;
    assert.match(file.suggestedFilename(), /^sonota-[\da-f]{4}-\d{4}-\d\d-\d\d\.jsonl$/);
    const [first] = (await readFile(await file.path(), 'utf8')).split('\n');
    assert.equal((JSON.parse(first ?? '') as { bundle: number }).bundle, 1);
  });

  it('copies a line for a report that has nothing personal in it', async () => {
    const { page } = suite.editor;
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await card('done')
      .getByRole('button', { name: /^Report line of/ })
      .press('Enter');
    await board().getByText('The line is in the clipboard.').waitFor();
    const line = await page.evaluate<string>('navigator.clipboard.readText()');
    const report = JSON.parse(line) as Record<string, unknown>;
    const { model, firmware, method, outcome } = report;
    assert.deepEqual([model, firmware, method, outcome], ['ITA-GZ1-GL', '1.5.5', 'finalstage', 'flashed']);
    assert.ok(!line.includes(device.deviceid) && !line.includes('127.0.0.1'), line);
  });

  it('says what went wrong and what to do, and tries it again', async () => {
    await suite.red.inject('ask');
    await card('failed').getByText('failed in stage cloud · 10 %').waitFor();
    await card('failed')
      .getByText(
        /^Likely: No device dialled this machine .* power-cycle the device \(plug or breaker, not the button\)\.$/,
      )
      .waitFor();
    const explanation = card('failed').getByRole('link', { name: 'Explanation of nothing-arrived' });
    assert.match((await explanation.getAttribute('href')) ?? '', /^https:\/\/.*\/docs\/codes\.md#nothing-arrived$/);
    await photographForDocs('sidebar-failed', suite.editor.page, card('failed'));
    await assertAccessible(suite.editor.page, '.sonota-board');
    await card('failed')
      .getByRole('button', { name: `Retry the failed stage of ${NOBODY}` })
      .click();
    await card('cloud').getByText('Waiting for the device').waitFor();
    await card('failed').waitFor();
  });

  it('forgets a flash on demand', async () => {
    await card('failed')
      .getByRole('button', { name: `Forget the flash of ${NOBODY}` })
      .press('Space');
    await card('failed').waitFor({ state: 'detached' });
    assert.equal(await card('done').count(), 1);
  });

  it('shows the queue, and pauses, skips and forgets in it', async () => {
    const queue = board().locator('.sonota-queue');
    await suite.red.inject('enqueue');
    await queue.getByText('1 waiting, 1 in work').waitFor();
    await queue.getByRole('button', { name: 'Pause' }).press('Enter');
    await queue.getByText('nothing new starts').waitFor();
    await queue.getByRole('button', { name: `Skip ${QUEUED[1]}` }).click();
    await queue
      .locator('li', { hasText: QUEUED[1] ?? '' })
      .getByText('skipped')
      .waitFor();
    await queue
      .locator('li', { hasText: QUEUED[0] ?? '' })
      .getByRole('link', { name: 'Explanation of nothing-arrived' })
      .waitFor();
    await assertAccessible(suite.editor.page, '.sonota-queue');
    await queue.getByRole('button', { name: 'Forget ended' }).click();
    await queue.getByRole('button', { name: 'Resume' }).click();
    await queue.waitFor({ state: 'hidden' });
    await card('failed')
      .getByRole('button', { name: `Forget the flash of ${QUEUED[0]}` })
      .click();
    await card('failed').waitFor({ state: 'detached' });
  });

  it('shows why Node-RED refuses', async () => {
    const { editor } = suite;
    await editor.page.route('**/sonota/host/**', (route) => route.fulfill({ status: 401, body: 'Unauthorized' }));
    await card('done')
      .getByRole('button', { name: /^Forget/ })
      .click();
    await board().getByRole('alert').getByText('permission sonota.write').waitFor();
    await editor.page.unroute('**/sonota/host/**');
    // The refusal was made here.
    editor.complaints.length = 0;
  });

  it('needs no more width than a phone has', async () => {
    await suite.editor.page.setViewportSize({ width: 390, height: 800 });
    await board().waitFor();
    const isWider = await board().evaluate((one) => one.scrollWidth > one.clientWidth);
    assert.equal(isWider, false);
    await assertAccessible(suite.editor.page, '.sonota-board');
  });
});
