/**
 * `node scripts/mutants.mjs [AREA ...] [--only TEXT] [--jobs N]`: breaks the code in known ways, one at a time, and
 * reports which test noticed. Run it by hand after `npm run build`; it is not part of CI.
 *
 * Each file in scripts/mutants/ is an area: its default export is an array of `{ file, find, replace, tests, why }`.
 * `file` is a source file; `find` must occur in it exactly once and is replaced with `replace`; `tests` are compiled
 * test files below dist/test, without `.test.js`, that should fail; `why` is the damage that the mutation would do.
 * A mutant that no test kills, or whose `find` is not unique, makes the exit code 1. So does one whose tests fail
 * without it: what they report about it would mean nothing.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import ts from 'typescript';

import { root } from './prepare.mjs';

/** Without the mutation the tests take a fraction of this; a mutant that hangs them is killed. */
const LIMIT_MS = 5 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' }, jobs: { type: 'string', default: '1' } },
});
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
const compilerOptions = ts.convertCompilerOptionsFromJson(config.compilerOptions, root).options;

const areas = (await readdir(join(root, 'scripts', 'mutants'))).map((name) => name.replace(/\.mjs$/, ''));
const unknown = positionals.filter((name) => !areas.includes(name));
if (unknown.length > 0) throw new Error(`no such area: ${unknown.join(', ')}; there are ${areas.join(', ')}`);
const queue = [];
for (const area of positionals.length > 0 ? positionals : areas) {
  const { default: mutants } = await import(`./mutants/${area}.mjs`);
  for (const mutant of mutants) {
    if (`${mutant.file} ${mutant.why}`.includes(values.only)) queue.push({ area, ...mutant });
  }
}

const counts = { killed: 0, survived: 0, stale: 0, red: 0 };
/** What fails in a set of tests without a mutation, by the names of the tests. */
const failsUnbroken = new Map();
await Promise.all(Array.from({ length: Number(values.jobs) }, work));
console.log(`\n${counts.killed} killed, ${counts.survived} survived, ${counts.stale} stale, ${counts.red} red`);
process.exit(counts.survived + counts.stale + counts.red === 0 ? 0 : 1);

/** One worker: a copy of dist/ of its own, in which it breaks and mends one file after another. */
async function work() {
  const dist = await mkdtemp(join(root, '.dist-mutants-'));
  try {
    await cp(join(root, 'dist'), dist, { recursive: true });
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) await tryOut(mutant, dist);
  } finally {
    await rm(dist, { recursive: true, force: true });
  }
}

async function tryOut(mutant, dist) {
  const source = await readFile(join(root, mutant.file), 'utf8');
  const found = source.split(mutant.find).length - 1;
  if (found !== 1) return report('stale', mutant, `its code occurs ${found} times`);
  const tests = mutant.tests.map((name) => join(dist, 'test', `${name}.test.js`));
  const names = mutant.tests.join(', ');
  if (!failsUnbroken.has(names)) failsUnbroken.set(names, await firstFailure(tests));
  const red = failsUnbroken.get(names);
  if (red) return report('red', mutant, `tests are red without a mutation: ${red}`);
  // A function, so that a `$` in the replacement stands for itself.
  const broken = source.replace(mutant.find, () => mutant.replace);
  const compiled = join(dist, mutant.file.replace(/\.ts$/, '.js'));
  const whole = await readFile(compiled);
  await writeFile(compiled, ts.transpileModule(broken, { compilerOptions, fileName: mutant.file }).outputText);
  const noticed = await firstFailure(tests);
  await writeFile(compiled, whole);
  report(noticed ? 'killed' : 'survived', mutant, noticed ?? names);
}

/** The title of the first test that fails, or undefined where all pass. */
function firstFailure(files) {
  return new Promise((resolve, reject) => {
    const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const args = [mocha, '--config', join(root, '.mocharc.json'), '--reporter', 'json', '--bail', '--exit', ...files];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    // Tests start processes of their own: the group is ended with the test.
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
    };
    const timer = setTimeout(end, LIMIT_MS);
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      end();
      if (code === 0) return resolve(undefined);
      const failure = /"failures": \[\s*\{\s*"title": "[^"]*",\s*"fullTitle": ("(?:[^"\\]|\\.)*")/.exec(output);
      resolve(
        failure ? JSON.parse(failure[1]) : `the run ended with ${code === null ? 'its time limit' : `code ${code}`}`,
      );
    });
  });
}

function report(outcome, { area, file, why }, detail) {
  counts[outcome] += 1;
  console.log(`${outcome.padEnd(8)} ${area}: ${file}: ${why}\n         ${detail}`);
}
