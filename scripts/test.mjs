/**
 * `npm test`: installs, builds, lints and runs every test on Node-RED 4.1 with the Node.js at hand, then the tests of
 * the nodes and of the editor again on Node-RED 5.0. The last line holds the totals of all of it.
 *
 * `npm test -- --grep Rehearse` hands its arguments to mocha, each time.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeRed5 } from './node-red-5.mjs';
import { build, install, requireNode, root, run } from './prepare.mjs';

/** One run of mocha; what takes longer hangs. */
const RUN_LIMIT_MS = 8 * 60_000;

const LAB = 'dist/test/lab/**/*.test.js';
/** What is run again on Node-RED 5: all that has a Node-RED in it, save the lab. */
const ON_NODE_RED = ['nodes', 'editor', 'examples'];

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const totals = { passed: 0, failed: 0, skipped: 0 };

requireNode();
if (!(await step('install', install)) || !(await step('build', build))) finish();
await step('lint', async () => (await run(process.execPath, [join(root, 'scripts', 'lint.mjs')])) === 0);

// The lab has networks of its own and mostly waits: it runs beside the rest, and shows its output after it.
const lab = tests('the lab, on Node-RED 4.1', process.execPath, [LAB], { hold: true });
await tests('every other test, on Node-RED 4.1', process.execPath, ['dist/test/**/*.test.js', '--ignore', LAB]);
await lab;

const second = await nodeRed5();
if (second.skip) {
  console.log(`\nSkipped: the tests on Node-RED 5.0, because ${second.skip}.`);
  totals.skipped += 1;
} else {
  const folders = ON_NODE_RED.map((name) => `dist/test/${name}`).filter((path) => existsSync(join(root, path)));
  const specs = folders.map((path) => `${path}/**/*.test.js`);
  await tests(`the nodes and the editor, on Node-RED ${second.version}`, second.node, specs, {
    env: { SONOTA_NODE_RED: second.folder },
  });
}
finish();

/** A step that is no test, but fails the whole when it fails. */
async function step(name, act) {
  heading(name);
  const isGood = await act();
  if (!isGood) {
    console.error(`The step "${name}" failed.`);
    totals.failed += 1;
  }
  return isGood;
}

/** Runs mocha in a process of its own and adds up what it counted; one that died without counting is a failure. */
async function tests(name, node, specs, { env = {}, hold = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sonota-tests-'));
  const file = join(folder, 'totals.json');
  const args = ['--config', '.mocharc.json', process.stdout.isTTY ? '--color' : '--no-color', ...process.argv.slice(2)];
  heading(hold ? `${name}: begins, shown later` : name);
  const code = await run(node, [mocha, ...args, ...specs], {
    env: { ...env, SONOTA_TEST_TOTALS: file },
    limitMs: RUN_LIMIT_MS,
    hold,
  });
  const counted = await readFile(file, 'utf8').then(JSON.parse, () => ({ passed: 0, failed: 0, skipped: 0 }));
  for (const key of Object.keys(totals)) totals[key] += counted[key];
  if (code !== 0 && counted.failed === 0) {
    console.error(`The tests (${name}) ended with code ${code} before they were counted.`);
    totals.failed += 1;
  }
  await rm(folder, { recursive: true, force: true });
}

function heading(name) {
  console.log(`\n=== ${name}`);
}

function finish() {
  const { passed, failed, skipped } = totals;
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exit(failed === 0 ? 0 : 1);
}
