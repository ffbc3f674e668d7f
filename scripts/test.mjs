/**
 * `npm test`: installs, builds, lints and runs every test on Node-RED 4.1 with the Node.js at hand. The last line holds
 * the totals of all of it. What takes longer has scripts of its own, `npm run test:…`; `.ci/run` calls them all.
 *
 * `npm test -- --grep Rehearse` hands its arguments to mocha, each time.
 */
import { join } from 'node:path';

import { build, install, requireNode, root, run } from './prepare.mjs';
import { finish, of, step, tests } from './test-runs.mjs';

/** Runs by themselves: networks of its own (lab), a browser and the ports that the examples name (editor, package). */
const APART = ['lab', 'editor', 'package'];

/** Start Node-RED again and again, and mostly wait for it. */
const IN_NODE_RED = ['nodes', 'survive'];

requireNode();
if (!(await step('install', install)) || !(await step('build', build))) finish();
await step('lint', async () => (await run(process.execPath, [join(root, 'scripts', 'lint.mjs')])) === 0);

// Tests mostly wait, for a device or for a page: several runs at a time take little longer than one.
await Promise.all([
  tests('all but the below', [
    'dist/test/**/*.test.js',
    ...[...APART, ...IN_NODE_RED].flatMap((name) => ['--ignore', of(name)]),
  ]),
  tests('the nodes', IN_NODE_RED.map(of), { hold: true }),
  (async () => {
    await tests('the lab', [of('lab')], { hold: true });
    await tests('editor and package', [of('editor'), of('package')], { hold: true });
  })(),
]);
finish();
