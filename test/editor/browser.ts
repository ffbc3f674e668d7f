import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** Where systems keep a Chromium; the first that starts is taken. */
const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Starts a real Chromium: the one named by `SONOTA_CHROMIUM`, else the one that the npm package carries (Linux on
 * x64), else the system's.
 *
 * @returns the browser, or one sentence for each candidate that says why it did not start
 */
export async function launchBrowser(): Promise<Browser | string[]> {
  const reasons: string[] = [];
  for (const candidate of [fromEnvironment, fromPackage, ...INSTALLED.map((path) => () => installed(path))]) {
    try {
      const executablePath = await candidate();
      if (executablePath === undefined) continue;
      return await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    } catch (error) {
      reasons.push((error as Error).message.split('\n')[0] ?? 'it did not start');
    }
  }
  return reasons.length > 0 ? reasons : ['no Chromium is installed here, and npm carries none for this platform'];
}

/**
 * A browser for a suite. Where there is none the suite is skipped, and the reasons are printed.
 *
 * @param missing what else the suite lacks, a half-sentence each; false for what is there
 */
export async function browserOrSkip(suite: Mocha.Context, ...missing: (string | false)[]): Promise<Browser> {
  const reason = missing.find((one) => one !== false);
  const launched = reason === undefined ? await launchBrowser() : [];
  if (!Array.isArray(launched)) return launched;
  console.log(`      skipped: ${reason ?? `no browser: ${launched.join('; ')}`}`);
  return suite.skip();
}

function fromEnvironment(): string | undefined {
  return process.env['SONOTA_CHROMIUM'];
}

/** Its binary is compressed; the package unpacks it into the temporary folder. */
async function fromPackage(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const { default: carried } = await import('@sparticuz/chromium');
  return await carried.executablePath();
}

function installed(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}
