import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package (where package.json lies), from wherever a test was compiled to. */
export function packageRoot(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${__dirname}`);
  }
}
