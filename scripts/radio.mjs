/**
 * `npm run test:radio`: builds, boots a virtual machine with 802.11 radios in it, and lets a real NetworkManager and a
 * real Node-RED flash virtual Sonoffs over real networks there. Arguments go to mocha.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build, requireNode, root } from './prepare.mjs';
import { buildInitramfs } from './radio/initramfs.mjs';
import { runMachine } from './radio/machine.mjs';
import { unpackTools, whyNoMachine } from './radio/packages.mjs';

/** Software emulation: about 17 minutes on a quiet machine. */
const LIMIT_MS = 30 * 60_000;
/** Kept from run to run: a download of 100 MB. */
const CACHE = join(root, 'node_modules', '.cache', 'radio');

requireNode();
const reason = whyNoMachine();
if (reason) skip(reason);
if (!(await build())) process.exit(1);
const tools = await unpackTools(CACHE).catch((error) => skip(error.message));
const out = await mkdtemp(join(tmpdir(), 'sonota-radio-'));
try {
  const parts = { tools, out, ...(await buildInitramfs(CACHE, tools)) };
  const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = { PACKAGE: root, NODE: process.execPath, ARGUMENTS: process.argv.slice(2).map(shell).join(' ') };
  const parameters = Object.entries(lines).map(([name, value]) => `${name}=${shell(value)}\n`);
  writeFileSync(join(out, 'parameters'), parameters.join(''));
  writeFileSync(join(out, 'start.sh'), `. ${shell(join(root, 'test/radio/guest/start.sh'))}\n`);
  await runMachine({ ...parts, limitMs: LIMIT_MS });
  process.exitCode = verdict();
} finally {
  await rm(out, { recursive: true, force: true });
}

/** What mocha counted in the machine; one that died before it had counted failed. */
function verdict() {
  const read = (name) => {
    try {
      return readFileSync(join(out, name), 'utf8');
    } catch {
      return undefined;
    }
  };
  const code = Number(read('code') ?? 1);
  const counted = read('totals.json') ?? '{"passed":0,"failed":1,"skipped":0}';
  if (process.env.SONOTA_TEST_TOTALS) writeFileSync(process.env.SONOTA_TEST_TOTALS, counted);
  return code;
}

function skip(why) {
  console.log(`Skipped: the scenarios with real radios, because ${why}.`);
  if (process.env.SONOTA_TEST_TOTALS) {
    writeFileSync(process.env.SONOTA_TEST_TOTALS, JSON.stringify({ passed: 0, failed: 0, skipped: 1 }));
  }
  process.exit(0);
}
