import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright-core';
import { browserOrSkip } from '../editor/browser';
import { packageRoot } from '../shared/package-root';
import { photographForDocs } from '../shared/photograph';
import { Frontend } from './frontend';
import type { HomeAssistant } from './home-assistant';
import { RealSuite } from './real-suite';

const ID = '1000a1b2c3';
const SLOWLY = { behaviours: { blockPauseMs: 60 } };
const SECTION = readFileSync(join(packageRoot(), 'examples', 'home-assistant', 'dashboard-section.yaml'), 'utf8');
const FILES = {
  'configuration.yaml': `
lovelace:
  dashboards:
    sonota-flasher:
      mode: yaml
      title: Sonoffs
      filename: dashboard.yaml
`,
  'dashboard.yaml': 'views:\n  - title: Sonoffs\n    type: sections\n    sections:\n      - !include section.yaml\n',
  'section.yaml': SECTION,
};

describe('home assistant: the section of a dashboard, in a real one', function () {
  this.timeout(300_000);
  const suite = RealSuite.register(() => FILES);
  let ha: HomeAssistant;
  let browser: Browser | undefined;
  let frontend: Frontend;

  before(async function () {
    ha = suite.ha;
    browser = await browserOrSkip(this);
    frontend = await Frontend.open(ha, browser);
  });
  after(() => browser?.close());

  const tile = (name: string): Locator => frontend.page.locator('hui-tile-card').filter({ hasText: name });
  const press = (name: string, action: string): Promise<void> =>
    tile(name).getByRole('button', { name: action, exact: true }).click();

  it('starts and cancels, shows what to do, and flashes what was allowed', async () => {
    const scene = await suite.open({ credentials: { 'sonota-host': { password: 'top secret' } } });
    const device = await scene.dialsIn({ ...SLOWLY, radio: scene.air.radio });
    await ha.state(`update.sonota_${ID}_update`, ({ state }) => state === 'off');
    await frontend.goTo('/sonota-flasher/0');
    const { page } = frontend;
    await page.setViewportSize({ width: 900, height: 1400 });
    await tile('This flash').waitFor();
    assert.equal(await page.locator('hui-error-card, hui-warning').count(), 0);

    await press('New Sonoff', 'Start');
    const instruction = page.locator('hui-markdown-card');
    await instruction.getByText(/^Hold the button/).waitFor();
    await press('All', 'Cancel');
    await instruction.waitFor({ state: 'hidden' });

    await tile('Allow flashing').locator('ha-tile-icon').click();
    await press('Update', 'Install');
    await instruction.getByText(/^Join the open Wi-Fi FinalStage/).waitFor();
    await photographForDocs('home-assistant-dashboard', page, page.locator('hui-section'));
    scene.air.join('FinalStage');
    assert.equal((await device.ended).result, 'flashed');
    await tile('Stage').getByText('done').waitFor();
  });
});
