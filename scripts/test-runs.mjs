/** Runs of mocha side by side, each in a process of its own, and the totals of all of them. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import allowedSkips from './allowed-skips.cjs';
import { root, run } from './prepare.mjs';

/** One run of mocha, unless it says otherwise; what takes longer hangs. */
const LIMIT_MINUTES = 25;

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

/**
 * Runs mocha, with this command's arguments, and adds up what it counted; one that died without counting is a failure.
 *
 * @param {{ node?: string, env?: Record<string, string>, options?: string[], jobs?: number, ignore?: string[],
 *   limitMinutes?: number, hold?: boolean }} [options] `jobs`: how many files run at a time, each in a process of its
 *   own; `options` are those of Node.js; `hold` where another run shows its output meanwhile
 */
export async function tests(name, specs, about = {}) {
  const { node = process.execPath, env = {}, options = [], jobs, ignore = [], hold = false } = about;
  const folder = await mkdtemp(join(tmpdir(), 'sonota-tests-'));
  const file = join(folder, 'totals.json');
  const args = [
    ...['--config', '.mocharc.json', process.stdout.isTTY ? '--color' : '--no-color'],
    ...(jobs === undefined ? [] : ['--parallel', '--jobs', String(jobs)]),
    ...ignore.flatMap((pattern) => ['--ignore', pattern]),
    ...process.argv.slice(2),
  ];
  if (!hold) heading(name);
  const code = await run(node, [...options, mocha, ...args, ...specs], {
    env: { ...env, SONOTA_TEST_TOTALS: file },
    limitMs: (about.limitMinutes ?? LIMIT_MINUTES) * 60_000,
    ...(hold ? { hold: `\n=== ${name}\n` } : {}),
  });
  count(name, code, await readFile(file, 'utf8').catch(() => undefined));
  await rm(folder, { recursive: true, force: true });
}

/**
 * Adds up what a run has counted.
 *
 * @param {number} code its exit code
 * @param {string | undefined} json what the reporter has written; nothing where it did not get that far
 */
export function count(name, code, json) {
  const counted = json === undefined ? { passed: 0, failed: 0, skipped: 0 } : JSON.parse(json);
  for (const key of Object.keys(totals)) totals[key] += counted[key];
  failures.push(...(counted.failures ?? []).map((line) => `${name}: ${line}`));
  if ((code !== 0 || json === undefined) && counted.failed === 0)
    failed(`The tests (${name}) ended with code ${code} before they were counted.`);
}

/** A run that cannot be: it counts, and says why. In CI it fails, unless it may be skipped there. */
export function skip(what, why) {
  console.log(`\nSkipped: ${what}, because ${why}.`);
  if (process.env.CI && !(what in allowedSkips)) failed(`${what} is skipped, which CI does not allow: ${why}`);
  else totals.skipped += 1;
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
