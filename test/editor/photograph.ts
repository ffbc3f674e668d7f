import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';

const DESK = 1280;
const PHONE = 390;
const HEIGHT = 900;

/** With SONOTA_LOOK set, a picture in that folder, for people to look at. */
export async function photograph(page: Page, name: string): Promise<void> {
  const folder = process.env['SONOTA_LOOK'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name.replaceAll(/[^\w-]+/g, '-')}.png`), timeout: 10_000 });
}

/** The same on a desk and on a phone, with `what` in sight. */
export async function photographAll(page: Page, name: string, what: Locator): Promise<void> {
  if (process.env['SONOTA_LOOK'] === undefined) return;
  const before = page.viewportSize();
  for (const width of [DESK, PHONE]) {
    await page.setViewportSize({ width, height: HEIGHT });
    await what.waitFor();
    await page.waitForFunction('$(".red-ui-tray:animated").length === 0');
    await photograph(page, `${name}-${width}`);
  }
  if (before) await page.setViewportSize(before);
}
