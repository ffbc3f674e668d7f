/**
 * `npm run build`: sources -> dist/.
 *
 * Two compiler passes (runtime and tests; the editor's scripts, which see a browser), then `assemble` puts beside
 * each compiled node what Node-RED wants to find there. Type errors end the build with exit code 1, yet the rest is
 * still assembled, so that a half-written neighbour does not keep anybody from trying a form.
 */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { assemble } from './assemble.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** Runs the compiler on one project file; its exit code. */
function compile(project) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, '-p', project], { cwd: root, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

await rm(join(root, 'dist'), { recursive: true, force: true });
const codes = await Promise.all([compile('tsconfig.json'), compile('tsconfig.editor.json')]);
const faults = await assemble(root);
for (const fault of faults) console.error(`assemble: ${fault}`);
process.exitCode = codes.some((code) => code !== 0) || faults.length > 0 ? 1 : 0;
