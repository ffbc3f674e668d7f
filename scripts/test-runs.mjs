/** Runs of mocha side by side, each in a process of its own, and the totals of all of them. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { root, run } from './prepare.mjs';

/** One run of mocha; what takes longer hangs. */
const RUN_LIMIT_MS = 12 * 60_000;

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const totals = { passed: 0, failed: 0, skipped: 0 };
/** A line on each failure. */
const failures = [];

/** A step that is no test, but fails the whole when it fails. */
export async function step(name, act) {
  heading(name);
  const isGood = await act();
  if (!isGood) failed(`The step "${name}" failed.`);
  return isGood;
}

/** The tests in one folder of test/. */
export function of(name) {
  return `dist/test/${name}/**/*.test.js`;
}

/**
 * Runs mocha, with this command's arguments, and adds up what it counted; one that died without counting is a failure.
 *
 * @param {{ node?: string, env?: Record<string, string>, hold?: boolean }} [options] `hold` where another run shows
 *   its output meanwhile
 */
export async function tests(name, specs, { node = process.execPath, env = {}, hold = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sonota-tests-'));
  const file = join(folder, 'totals.json');
  const args = ['--config', '.mocharc.json', process.stdout.isTTY ? '--color' : '--no-color', ...process.argv.slice(2)];
  if (!hold) heading(name);
  const code = await run(node, [mocha, ...args, ...specs], {
    env: { ...env, SONOTA_TEST_TOTALS: file },
    limitMs: RUN_LIMIT_MS,
    ...(hold ? { hold: `\n=== ${name}\n` } : {}),
  });
  const counted = await readFile(file, 'utf8').then(JSON.parse, () => ({ passed: 0, failed: 0, skipped: 0 }));
  for (const key of Object.keys(totals)) totals[key] += counted[key];
  failures.push(...(counted.failures ?? []).map((line) => `${name}: ${line}`));
  if (code !== 0 && counted.failed === 0)
    failed(`The tests (${name}) ended with code ${code} before they were counted.`);
  await rm(folder, { recursive: true, force: true });
}

/** A run that cannot be: it counts, and says why. */
export function skip(what, why) {
  console.log(`\nSkipped: ${what}, because ${why}.`);
  totals.skipped += 1;
}

/** Ends the process: what failed, and the totals in the last line. */
export function finish() {
  const { passed, failed, skipped } = totals;
  const file = process.env.SONOTA_TEST_TOTALS;
  if (file) writeFileSync(file, JSON.stringify({ ...totals, failures }));
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `- ${line}`).join('\n')}`);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exit(failed === 0 ? 0 : 1);
}

function failed(why) {
  console.error(why);
  failures.push(why);
  totals.failed += 1;
}

function heading(name) {
  console.log(`\n=== ${name}`);
}
