/** `npm run bench`: builds, then measures; see test/bench/bench.ts for its arguments. */
import { join } from 'node:path';
import { build, install, requireNode, root, run } from './prepare.mjs';

requireNode();
if (!(await install()) || !(await build())) process.exit(1);
process.exit(await run(process.execPath, [join(root, 'dist/test/bench/bench.js'), ...process.argv.slice(2)]));
