/**
 * `npm test`: installs, builds, lints and runs every test on Node-RED 4.1 with the Node.js at hand, then the tests of
 * the nodes and of the editor again on Node-RED 5.0. The last line holds the totals of all of it.
 *
 * `npm test -- --grep Rehearse` hands its arguments to mocha, both times.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeRed5 } from './node-red-5.mjs';
import { build, install, requireNode, root, run } from './prepare.mjs';

/** One run of all tests; what takes longer hangs. */
const RUN_LIMIT_MS = 8 * 60_000;

/** What is run again on Node-RED 5: all that has a Node-RED in it. */
const ON_NODE_RED = ['nodes', 'editor', 'examples'].map((folder) => `dist/test/${folder}/**/*.test.js`);

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const totals = { passed: 0, failed: 0, skipped: 0 };

requireNode();
if (!(await step('install', install)) || !(await step('build', build))) finish();
await step('lint', async () => (await run(process.execPath, [join(root, 'scripts', 'lint.mjs')])) === 0);
await tests('every test, on Node-RED 4.1', process.execPath, []);

const second = await nodeRed5();
if (second.skip) {
  console.log(`\nSkipped: the tests on Node-RED 5.0, because ${second.skip}.`);
  totals.skipped += 1;
} else {
  await tests(`the nodes and the editor, on Node-RED ${second.version}`, second.node, ON_NODE_RED, {
    SONOTA_NODE_RED: second.folder,
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
async function tests(name, node, specs, env = {}) {
  heading(name);
  const folder = await mkdtemp(join(tmpdir(), 'sonota-tests-'));
  const file = join(folder, 'totals.json');
  const config = specs.length > 0 ? ['--no-config', '--timeout', '30000', '--reporter', 'scripts/reporter.cjs'] : [];
  const code = await run(node, [mocha, ...config, ...process.argv.slice(2), ...specs], {
    env: { ...env, SONOTA_TEST_TOTALS: file },
    limitMs: RUN_LIMIT_MS,
  });
  const counted = await readFile(file, 'utf8').then(JSON.parse, () => ({ passed: 0, failed: 0, skipped: 0 }));
  for (const key of Object.keys(totals)) totals[key] += counted[key];
  if (code !== 0 && counted.failed === 0) {
    console.error(`The tests ended with code ${code} before they were counted.`);
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
