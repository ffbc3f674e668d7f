/**
 * `npm test`: installs, builds, lints and runs the tests on Node-RED 4.1 with the Node.js at hand. The last line holds
 * the totals of all of it. What takes longer is a long run (`long.mjs`), `npm run test:…`; `.ci/run` calls them all.
 *
 * `npm test -- --grep Rehearse` hands its arguments to mocha, each time.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { build, install, requireNode, root, run } from './prepare.mjs';
import { finish, step, tests } from './test-runs.mjs';

/** One flash of a stock Sonoff in its world, and one file in a browser. */
const APART = ['lab/one-flash.test.js', 'lab/sonoff.test.js', 'lab/sonoff-diy.test.js', 'editor/palette.test.js'];
/** Their other files are long runs. */
const APART_FOLDERS = ['lab', 'editor'];
/** The folders with the longest files: started first, so that none of them is left alone at the end. */
const FIRST = ['survive', 'nodes', 'flash', 'one-hop'];
/** The tests mostly wait, for a device or for a page: more files at a time than processors. */
const JOBS = 8;

requireNode();
if (!(await step('install', install)) || !(await step('build', build))) finish();

const compiled = (path) => join('dist', 'test', path);
const folders = readdirSync(join(root, compiled('.'))).filter((name) => !APART_FOLDERS.includes(name));
const ordered = [...FIRST, ...folders.filter((name) => !FIRST.includes(name))];
const specs = ordered.map((name) => `dist/test/${name}/**/*.test.js`);

await Promise.all([
  step('lint', lint),
  tests('protocol to nodes', specs, { jobs: JOBS }),
  tests(
    'lab and editor',
    APART.map((path) => `dist/test/${path}`),
    { hold: true },
  ),
]);
finish();

async function lint() {
  return (await run(process.execPath, [join(root, 'scripts', 'lint.mjs')], { hold: '' })) === 0;
}
