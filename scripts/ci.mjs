/**
 * What `.ci/run` runs: `npm test`, then each long run, those that keep a processor busy beside the others. What each has
 * printed stands in one piece. At the end stand the time of each, a line on each failure and the totals of all; the exit
 * code is 1 where anything failed.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { RUNS } from './long.mjs';
import { npm, run } from './prepare.mjs';

const folder = await mkdtemp(join(tmpdir(), 'sonota-ci-'));
const sum = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const times = [];
const begunAt = Date.now();

await part('test', {});
// The build of `npm test` serves them all.
const env = { SONOTA_BUILT: '1' };
const names = Object.keys(RUNS);
await Promise.all([
  oneByOne(names.filter((name) => !RUNS[name].isBusy)),
  oneByOne(names.filter((name) => RUNS[name].isBusy)),
]);
await rm(folder, { recursive: true, force: true });

console.log(`\n${times.map(([script, ms]) => `${inMinutes(ms)}  npm run ${script}`).join('\n')}`);
console.log(`${inMinutes(Date.now() - begunAt)}  all`);
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `- ${line}`).join('\n')}`);
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
console.log(`\n${sum.passed} passed, ${sum.failed} failed${skipped}`);
process.exit(sum.failed === 0 ? 0 : 1);

async function oneByOne(runs) {
  for (const name of runs) await part(`test:${name}`, env);
}

/** Runs a script of package.json; one that ends badly without having counted a failure has one. */
async function part(script, env) {
  const begun = Date.now();
  const file = join(folder, `${script.replace(':', '-')}.json`);
  console.log(`npm run ${script} begins`);
  const hold = `\n=== npm run ${script}\n`;
  const code = await run(npm(), ['run', script], { env: { ...env, SONOTA_TEST_TOTALS: file }, hold });
  const counted = JSON.parse(await readFile(file, 'utf8').catch(() => '{"passed":0,"failed":0,"skipped":0}'));
  if (code !== 0 && counted.failed === 0) {
    counted.failed = 1;
    counted.failures = [`it ended with code ${code} before it was counted`];
  }
  for (const key of Object.keys(sum)) sum[key] += counted[key];
  failures.push(...(counted.failures ?? []).map((line) => `${script}: ${line}`));
  times.push([script, Date.now() - begun]);
}

function inMinutes(ms) {
  const seconds = Math.round(ms / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}`;
}
