import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../editor/browser';
import { packageRoot } from '../shared/package-root';
import type { HomeAssistant } from './home-assistant';

/** With `SONOTA_SCREENSHOT` set, takes pictures of a device's page in Home Assistant for the docs; else does nothing. */
export class Camera {
  private constructor(private readonly view?: { browser: Browser; page: Page }) {}

  /** @param identifier of the device, which Home Assistant knows already */
  static async before(ha: HomeAssistant, identifier: string): Promise<Camera> {
    if (!process.env['SONOTA_SCREENSHOT']) return new Camera();
    const browser = await launchBrowser();
    assert.ok(!Array.isArray(browser), 'no browser');
    const camera = new Camera({ browser, page: await browser.newPage({ viewport: { width: 1280, height: 800 } }) });
    try {
      await camera.open(ha, identifier);
      return camera;
    } catch (error) {
      await camera.close();
      throw error;
    }
  }

  async photograph(name: string): Promise<void> {
    const folder = join(packageRoot(), 'docs', 'pictures');
    mkdirSync(folder, { recursive: true });
    await this.view?.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  async close(): Promise<void> {
    await this.view?.browser.close();
  }

  private async open(ha: HomeAssistant, identifier: string): Promise<void> {
    const devices = (await ha.api.ask({ type: 'config/device_registry/list' })) as Device[];
    const device = devices.find(({ identifiers }) => identifiers.some(([, id]) => id === identifier));
    assert.ok(device && this.view, identifier);
    const { page } = this.view;
    const tokens = {
      ...{ access_token: ha.token, token_type: 'Bearer', expires_in: 1800, refresh_token: '' },
      ...{ hassUrl: ha.url, clientId: `${ha.url}/`, expires: Date.now() + 1_800_000 },
    };
    await page.addInitScript((text) => {
      Object.assign((globalThis as unknown as { localStorage: object }).localStorage, { hassTokens: text });
    }, JSON.stringify(tokens));
    await page.goto(`${ha.url}/config/devices/device/${device.id}`);
    await page.getByText('Up-to-date').or(page.getByText('Update available')).first().waitFor();
  }
}

interface Device {
  id: string;
  identifiers: [string, string][];
}
