/** What the long scripts have in common: a build, then mocha in a process of its own, with a limit. */
import { join } from 'node:path';

import { build, requireNode, root, run } from './prepare.mjs';

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');

/**
 * Builds, runs the compiled tests named and ends this process with their exit code. The command's further arguments go
 * to mocha.
 *
 * @param {string[]} specs below dist/test, such as `survive/sweep.js`
 * @param {number} limitMs what takes longer hangs
 * @param {string[]} nodeOptions for Node.js itself
 */
export async function longRun(specs, limitMs, nodeOptions = []) {
  requireNode();
  if (!(await build())) process.exit(1);
  const files = specs.map((spec) => `dist/test/${spec}`);
  const args = ['--no-config', '--reporter', 'scripts/reporter.cjs', ...files, ...process.argv.slice(2)];
  process.exit(await run(process.execPath, [...nodeOptions, mocha, ...args], { limitMs }));
}
