import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../shared/package-root';

type Imports = ReadonlyMap<string, readonly string[]>;

/** A file by its path below the package, with what it imports of the package, types included. */
function importsBelow(folder: string): Imports {
  const root = packageRoot();
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, folder, name));
  const nameOf = (file: string): string => relative(root, file).replaceAll(sep, '/');
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
      const targets = importedFiles.map(({ fileName }) => join(dirname(file), fileName));
      const imported = targets.flatMap((target) => files.find((one) => isModule(one, target)) ?? []);
      return [nameOf(file), imported.map(nameOf)];
    }),
  );
}

function isModule(file: string, target: string): boolean {
  return file === `${target}.ts` || file === join(target, 'index.ts');
}

/** The first circle that is found, its first file once more at its end. */
function circleIn(imports: Imports): readonly string[] | undefined {
  const done = new Set<string>();
  const search = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    done.add(file);
    for (const next of imports.get(file) ?? []) {
      const circle = search(next, [...path, file]);
      if (circle) return circle;
    }
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = search(file, []);
    if (circle) return circle;
  }
  return undefined;
}

describe('circles of imports', () => {
  it('are found, also by a detour', () => {
    const line = new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
      ['c', []],
    ]);
    assert.equal(circleIn(line), undefined);
    assert.deepEqual(circleIn(new Map([...line, ['c', ['b']]])), ['b', 'c', 'b']);
  });

  for (const folder of ['lib', 'nodes']) {
    it(`are not in ${folder}/, not even of types`, () => {
      const imports = importsBelow(folder);
      assert.ok([...imports.values()].flat().length > imports.size, 'imports are read');
      assert.equal(circleIn(imports)?.join(' -> '), undefined);
    });
  }
});
