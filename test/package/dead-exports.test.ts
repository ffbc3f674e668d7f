import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../shared/package-root';

interface Tool {
  readonly deadExports: (files: string[], options: object) => { name: string }[];
}

describe('what nothing uses', () => {
  it('is found: what is exported and used neither elsewhere nor in its own file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sonota-exports-'));
    try {
      const files = {
        'one.ts': `
          export interface Used { value: number }
          export interface Dead { value: number }
          export const here = 1;
          export const there = here;
          export function dead(): Used { return { value: there }; }
          export const passedOn = 2;
          export const shorthand = 3;
          export default dead;`,
        'index.ts': `export { passedOn, shorthand } from './one';`,
        'two.ts': `
          import { there, passedOn } from './one';
          import { shorthand } from './index';
          console.log({ there, shorthand });`,
      };
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      const tool = pathToFileURL(join(packageRoot(), 'scripts', 'dead-exports.mjs')).href;
      const { deadExports } = (await import(tool)) as Tool;
      const names = Object.keys(files).map((name) => join(folder, name));
      const dead = deadExports(names, { noEmit: true, strict: true, types: [] });
      assert.deepEqual(dead.map(({ name }) => name).sort(), ['Dead', 'passedOn']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
