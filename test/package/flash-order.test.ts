import assert from 'node:assert/strict';
import { dirname, join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { importsBelow, type Imports } from '../shared/imports';
import { lintWithoutTypes } from '../shared/lint';
import { packageRoot } from '../shared/package-root';

/** Imports of a file from a folder above its own, or from one that has no place, as `importer -> imported`. */
function upwards(imports: Imports, order: readonly string[]): string[] {
  return [...imports].flatMap(([file, targets]) =>
    targets
      .filter((target) => order.indexOf(dirname(target)) < order.indexOf(dirname(file)))
      .map((target) => `${file} -> ${target}`),
  );
}

describe('the order of the folders in lib/flash', () => {
  const imports = importsBelow('lib/flash');
  /** The uppermost first. */
  let order: readonly string[];

  before(async () => {
    const script = pathToFileURL(join(packageRoot(), 'scripts', 'flash-order.mjs')).href;
    order = ((await import(script)) as { flashOrder(): string[] }).flashOrder();
  });

  it('has a place for each folder, and for no other', () => {
    const folders = new Set([...imports.keys()].map(dirname));
    assert.deepEqual([...order].sort(), [...folders].sort());
  });

  it('distinguishes imports that point up from those that point down', () => {
    const found = new Map([
      ['high/a', ['high/b', 'low/c']],
      ['low/c', ['low/d', 'high/b', 'nowhere/e']],
    ]);
    assert.deepEqual(upwards(found, ['high', 'low']), ['low/c -> high/b', 'low/c -> nowhere/e']);
  });

  it('is kept by every import, types included', () => {
    assert.ok([...imports.values()].flat().length > imports.size, 'imports are read');
    assert.deepEqual(upwards(imports, order), [], 'move down what both need (docs/dev/architecture.md#1.1)');
  });

  it('is what lint holds', async () => {
    const eslint = lintWithoutTypes();
    for (const [place, folder] of order.entries()) {
      const others = order.filter((other) => other !== folder);
      const code = others.map((other, at) => {
        const path = `${posix.relative(folder, other)}/x`;
        return `export type { T${at} } from '${path.startsWith('.') ? path : `./${path}`}';`;
      });
      const [result] = await eslint.lintText(code.join('\n'), { filePath: `${folder}/probe.ts` });
      const refused = (result?.messages ?? []).map(({ line }) => others[line - 1]);
      assert.deepEqual(refused, order.slice(0, place), folder);
    }
  });
});
