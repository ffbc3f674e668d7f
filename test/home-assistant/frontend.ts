import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import type { HomeAssistant } from './home-assistant';

/** Home Assistant's own pages in a browser, logged in as its owner. */
export class Frontend {
  private constructor(
    private readonly ha: HomeAssistant,
    readonly page: Page,
  ) {}

  static async open(ha: HomeAssistant, browser: Browser): Promise<Frontend> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const tokens = {
      ...{ access_token: ha.token, token_type: 'Bearer', expires_in: 1800, refresh_token: '' },
      ...{ hassUrl: ha.url, clientId: `${ha.url}/`, expires: Date.now() + 1_800_000 },
    };
    await page.addInitScript((text) => {
      Object.assign((globalThis as unknown as { localStorage: object }).localStorage, { hassTokens: text });
    }, JSON.stringify(tokens));
    return new Frontend(ha, page);
  }

  async goTo(path: string): Promise<void> {
    await this.page.goto(this.ha.url + path);
  }

  /** The page of a device, by its identifier; Home Assistant must know it already. */
  async goToDevice(identifier: string): Promise<void> {
    const devices = (await this.ha.api.ask({ type: 'config/device_registry/list' })) as {
      id: string;
      identifiers: [string, string][];
    }[];
    const device = devices.find(({ identifiers }) => identifiers.some(([, id]) => id === identifier));
    assert.ok(device, identifier);
    await this.goTo(`/config/devices/device/${device.id}`);
    await this.page.getByText('Up-to-date').or(this.page.getByText('Update available')).first().waitFor();
  }
}
