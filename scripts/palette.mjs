/** A palette that a test needs, each in a folder of its own that git ignores: no user gets it with this package. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { npm, root, run } from './prepare.mjs';

/**
 * @param {string} name of the npm package
 * @param {string} version
 * @returns {Promise<string | undefined>} its folder; undefined where it could not be installed
 */
export async function palette(name, version) {
  const folder = join(root, '.palettes', name.replace('/', '-'));
  const installed = join(folder, 'node_modules', name);
  const manifest = await readFile(join(installed, 'package.json'), 'utf8').catch(() => '{}');
  if (JSON.parse(manifest).version === version) return installed;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'palettes', private: true }));
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel', 'error'];
  const code = await run(npm(), ['install', '--prefix', folder, ...options, `${name}@${version}`]);
  return code === 0 ? installed : undefined;
}
