/**
 * `npm run build`: sources -> dist/.
 *
 * Two compiler passes (runtime and tests; the editor's scripts, which see a browser), then `assemble` puts beside
 * each compiled node what Node-RED wants to find there. All of it goes into a folder of its own, which takes the place
 * of dist/ at the end: nothing stale stays behind, and a Node-RED that runs from dist/ never finds it empty.
 *
 * The compiler keeps its output, so that the next build compiles only what has changed.
 *
 * Type errors end the build with exit code 1, yet the rest is still assembled, so that a half-written neighbour does
 * not prevent the trial of a form.
 */
import { chmod, cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

import { assemble } from './assemble.mjs';
import { root, run } from './prepare.mjs';

/** As deep as dist/: source maps name their sources by relative paths. */
const compiled = join(root, '.dist-compiled');
const editor = join(compiled, '.editor');
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

const codes = await Promise.all([compile('tsconfig.json', compiled), compile('tsconfig.editor.json', editor)]);
const next = await mkdtemp(join(root, '.dist-'));
await chmod(next, 0o755);
await cp(compiled, next, { recursive: true, filter: hasSource });
const faults = await assemble(root, next);
for (const fault of faults) console.error(`assemble: ${fault}`);

const old = `${next}-old`;
await rename(join(root, 'dist'), old).catch(() => undefined);
await rename(next, join(root, 'dist'));
await rm(old, { recursive: true, force: true });
process.exitCode = codes.some((code) => code !== 0) || faults.length > 0 ? 1 : 0;

/** The compiler's memory is beside its output: a person who removes the one removes the other. */
function compile(project, folder) {
  const memory = join(folder, 'tsc.tsbuildinfo');
  return run(process.execPath, [tsc, '-p', project, '--outDir', folder, '--incremental', '--tsBuildInfoFile', memory]);
}

/** False for what is left of a source that is gone. */
function hasSource(output) {
  const path = relative(output.startsWith(editor) ? editor : compiled, output);
  return existsSync(join(root, path.replace(/\.js(\.map)?$/, '.ts'))) && !path.endsWith('.tsbuildinfo');
}
