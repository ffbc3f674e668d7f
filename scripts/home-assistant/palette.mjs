/** The palette with which people talk to Home Assistant from Node-RED, for the example that needs it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { npm } from '../prepare.mjs';

const NAME = 'node-red-contrib-home-assistant-websocket';
const VERSION = '0.80.3';
const LIMIT_MS = 3 * 60_000;

/** @returns {string | undefined} its folder; undefined where it could not be installed */
export function homeAssistantPalette() {
  const place = join(tmpdir(), `sonota-${NAME}-${VERSION}`);
  const folder = join(place, 'node_modules', NAME);
  const done = join(place, 'done');
  if (existsSync(done)) return folder;
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), JSON.stringify({ private: true, dependencies: { [NAME]: VERSION } }));
  const args = ['install', '--prefix', place, '--no-audit', '--no-fund', '--loglevel', 'error'];
  const options = { stdio: 'inherit', timeout: LIMIT_MS, shell: process.platform === 'win32' };
  if (spawnSync(npm(), args, options).status !== 0) return undefined;
  writeFileSync(done, '');
  return folder;
}
