import assert from 'node:assert/strict';
import { join } from 'node:path';
import { launchBrowser } from '../editor/browser';
import { packageRoot } from '../shared/package-root';
import type { HomeAssistant } from './home-assistant';

/** With `SONOTA_SCREENSHOT` set, a picture of a device's page in Home Assistant, for the docs. */
export async function photograph(ha: HomeAssistant, identifier: string, name: string): Promise<void> {
  if (!process.env['SONOTA_SCREENSHOT']) return;
  const browser = await launchBrowser();
  assert.ok(!Array.isArray(browser), 'no browser');
  try {
    const devices = (await ha.ask({ type: 'config/device_registry/list' })) as Device[];
    const device = devices.find(({ identifiers }) => identifiers.some(([, id]) => id === identifier));
    assert.ok(device, identifier);
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const tokens = {
      ...{ access_token: ha.token, token_type: 'Bearer', expires_in: 1800, refresh_token: '' },
      ...{ hassUrl: ha.url, clientId: `${ha.url}/`, expires: Date.now() + 1_800_000 },
    };
    await page.addInitScript((text) => {
      Object.assign((globalThis as unknown as { localStorage: object }).localStorage, { hassTokens: text });
    }, JSON.stringify(tokens));
    await page.goto(`${ha.url}/config/devices/device/${device.id}`);
    await page.getByText('New firmware').first().waitFor();
    await page.screenshot({ path: join(packageRoot(), 'docs', `${name}.png`) });
  } finally {
    await browser.close();
  }
}

interface Device {
  id: string;
  identifiers: [string, string][];
}
