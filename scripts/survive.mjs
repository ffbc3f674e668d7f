/**
 * `npm run test:survive`: builds, then kills Node-RED at every point of a flash, starts it again, and looks whether the
 * device ends well. It takes minutes; `npm test` has a few of the points. Arguments go to mocha.
 */
import { join } from 'node:path';

import { build, requireNode, root, run } from './prepare.mjs';

/** Twenty points, each of which starts Node-RED twice; what takes longer hangs. */
const RUN_LIMIT_MS = 10 * 60_000;

requireNode();
if (!(await build())) process.exit(1);
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const args = ['--no-config', '--reporter', 'scripts/reporter.cjs', 'dist/test/survive/sweep.js'];
const code = await run(process.execPath, [mocha, ...args, ...process.argv.slice(2)], { limitMs: RUN_LIMIT_MS });
process.exit(code);
