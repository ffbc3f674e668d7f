import assert from 'node:assert/strict';
import { importsBelow, type Imports } from '../shared/imports';

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
