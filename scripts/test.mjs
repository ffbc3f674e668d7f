/**
 * `npm test`: installs, builds, lints and runs every test on Node-RED 4.1 with the Node.js at hand, then the tests of
 * the nodes and of the editor again on Node-RED 5.0. The last line holds the totals of all of it.
 *
 * `npm test -- --grep Rehearse` hands its arguments to mocha, each time.
 */
import { writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeRed5 } from './node-red-5.mjs';
import { build, install, requireNode, root, run } from './prepare.mjs';

/** One run of mocha; what takes longer hangs. */
const RUN_LIMIT_MS = 12 * 60_000;

/** Runs by themselves: networks of its own (lab), a browser and the ports that the examples name (editor, package). */
const APART = ['lab', 'editor', 'package'];

/** Start Node-RED again and again, and mostly wait for it. */
const IN_NODE_RED = ['nodes', 'survive'];

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const totals = { passed: 0, failed: 0, skipped: 0 };
/** A line on each failure. */
const failures = [];

requireNode();
if (!(await step('install', install)) || !(await step('build', build))) finish();
await step('lint', async () => (await run(process.execPath, [join(root, 'scripts', 'lint.mjs')])) === 0);

// Tests mostly wait, for a device or for a page: several runs at a time take little longer than one.
await Promise.all([
  tests('on Node-RED 4.1: all but the below', [
    'dist/test/**/*.test.js',
    ...[...APART, ...IN_NODE_RED].flatMap((name) => ['--ignore', of(name)]),
  ]),
  tests('on Node-RED 4.1: the nodes', IN_NODE_RED.map(of), { hold: true }),
  (async () => {
    await tests('on Node-RED 4.1: the lab', [of('lab')], { hold: true });
    await tests('on Node-RED 4.1: editor and package', [of('editor'), of('package')], { hold: true });
  })(),
]);

const second = await nodeRed5();
if (second.skip) {
  console.log(`\nSkipped: the tests on Node-RED 5.0, because ${second.skip}.`);
  totals.skipped += 1;
} else {
  const there = { node: second.node, env: { SONOTA_NODE_RED: second.folder } };
  await Promise.all([
    tests(`on Node-RED ${second.version}: the nodes`, [of('nodes')], there),
    tests(`on Node-RED ${second.version}: the editor`, [of('editor')], { ...there, hold: true }),
  ]);
}
finish();

/** A step that is no test, but fails the whole when it fails. */
async function step(name, act) {
  heading(name);
  const isGood = await act();
  if (!isGood) {
    failed(`The step "${name}" failed.`);
  }
  return isGood;
}

/** The tests in one folder of test/. */
function of(name) {
  return `dist/test/${name}/**/*.test.js`;
}

/**
 * Runs mocha in a process of its own and adds up what it counted; one that died without counting is a failure.
 *
 * @param {{ node?: string, env?: Record<string, string>, hold?: boolean }} [options] `hold` where another run shows
 *   its output meanwhile
 */
async function tests(name, specs, { node = process.execPath, env = {}, hold = false } = {}) {
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

function failed(why) {
  console.error(why);
  failures.push(why);
  totals.failed += 1;
}

function heading(name) {
  console.log(`\n=== ${name}`);
}

function finish() {
  const { passed, failed, skipped } = totals;
  const file = process.env.SONOTA_TEST_TOTALS;
  if (file) writeFileSync(file, JSON.stringify({ ...totals, failures }));
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `- ${line}`).join('\n')}`);
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exit(failed === 0 ? 0 : 1);
}
