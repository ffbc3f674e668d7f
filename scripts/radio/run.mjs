/**
 * `npm run test:radio`: boots a virtual machine with 802.11 radios in it, and lets a real NetworkManager and a real
 * Node-RED flash virtual Sonoffs over real networks there. Arguments go to mocha.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { root } from '../prepare.mjs';
import { count, skip } from '../test-runs.mjs';
import { buildInitramfs } from './initramfs.mjs';
import { runMachine } from './machine.mjs';
import { unpackTools, whyNoMachine } from './packages.mjs';

/** Software emulation: about 17 minutes on a quiet machine. */
const LIMIT_MS = 45 * 60_000;
/** Kept from run to run: a download of 100 MB. */
const CACHE = join(root, 'node_modules', '.cache', 'radio');

export async function radio() {
  const reason = whyNoMachine();
  if (reason) return skip('radio', reason);
  const tools = await unpackTools(CACHE).catch((error) => skip('radio', error.message));
  if (tools === undefined) return;
  const out = await mkdtemp(join(tmpdir(), 'sonota-radio-'));
  try {
    const parts = { tools, out, ...(await buildInitramfs(CACHE, tools)) };
    const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
    const lines = {
      PACKAGE: root,
      NODE: process.execPath,
      CI: process.env.CI ?? '',
      ARGUMENTS: process.argv.slice(2).map(shell).join(' '),
    };
    const parameters = Object.entries(lines).map(([name, value]) => `${name}=${shell(value)}\n`);
    writeFileSync(join(out, 'parameters'), parameters.join(''));
    writeFileSync(join(out, 'start.sh'), `. ${shell(join(root, 'test/radio/guest/start.sh'))}\n`);
    await runMachine({ ...parts, limitMs: LIMIT_MS });
    const read = (name) => {
      try {
        return readFileSync(join(out, name), 'utf8');
      } catch {
        return undefined;
      }
    };
    count('radio', Number(read('code') ?? 1), read('totals.json'));
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
