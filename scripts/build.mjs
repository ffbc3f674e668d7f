/**
 * `npm run build`: sources -> dist/.
 *
 * Two compiler passes (runtime and tests; the editor's scripts, which see a browser), then `assemble` puts beside
 * each compiled node what Node-RED wants to find there. All of it goes into a folder of its own, which takes the place
 * of dist/ at the end: nothing stale stays behind, and a Node-RED that runs from dist/ never finds it empty.
 *
 * Type errors end the build with exit code 1, yet the rest is still assembled, so that a half-written neighbour does
 * not keep anybody from trying a form.
 */
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { assemble } from './assemble.mjs';
import { root, run } from './prepare.mjs';

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
const next = await mkdtemp(join(root, '.dist-'));
await chmod(next, 0o755);

const codes = await Promise.all([
  run(process.execPath, [tsc, '-p', 'tsconfig.json', '--outDir', next]),
  run(process.execPath, [tsc, '-p', 'tsconfig.editor.json', '--outDir', join(next, '.editor')]),
]);
const faults = await assemble(root, next);
for (const fault of faults) console.error(`assemble: ${fault}`);

const old = `${next}-old`;
await rename(join(root, 'dist'), old).catch(() => undefined);
await rename(next, join(root, 'dist'));
await rm(old, { recursive: true, force: true });
process.exitCode = codes.some((code) => code !== 0) || faults.length > 0 ? 1 : 0;
