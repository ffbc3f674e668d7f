import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';
import { packageRoot } from './package-root';

/** Files by their paths below the package, with what each imports of the package. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** What the files of a folder import of it, types included. */
export function importsBelow(folder: string): Imports {
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
