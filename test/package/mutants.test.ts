import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../shared/package-root';

interface Mutant {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly tests: readonly string[];
  readonly why: string;
}

const root = packageRoot();
const folder = join(root, 'scripts', 'mutants');

/** What is wrong with a mutant without running it. */
function faultsOf({ file, find, replace, tests, why }: Mutant): string[] {
  const path = join(root, file);
  const found = existsSync(path) ? readFileSync(path, 'utf8').split(find).length - 1 : 0;
  const missing = tests.filter((name) => !existsSync(join(root, 'test', `${name}.test.ts`)));
  return [
    ...(found === 1 ? [] : [`its code occurs ${found} times`]),
    ...(find === replace ? ['it changes nothing'] : []),
    ...(tests.length === 0 ? ['it names no test'] : []),
    ...missing.map((name) => `there is no test ${name}`),
  ].map((fault) => `${file}: ${why}: ${fault}`);
}

describe('scripts/mutants', () => {
  for (const area of readdirSync(folder)) {
    it(`${area} breaks code that is there once, for tests that exist`, async () => {
      const { default: mutants } = (await import(pathToFileURL(join(folder, area)).href)) as {
        default: readonly Mutant[];
      };
      assert.ok(mutants.length > 0);
      assert.deepEqual(mutants.flatMap(faultsOf), []);
    });
  }
});
