/**
 * Writes what README.md and docs/ hold of the code, from the built package: the blocks of `docs.mjs`, and the picture of
 * the flash from the numbers that the checks use; and writes the address of the project wherever it is needed. With
 * `--check` it writes nothing and fails where something is behind.
 */
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

import * as prettier from 'prettier';

import { filled } from './docs.mjs';
import { root } from './prepare.mjs';
import { MANIFEST, withAbsoluteLinks } from './project-address.mjs';

/** As large as SonOTA's own final image. */
const FINAL_BYTES = 482_432;

const require = createRequire(import.meta.url);
const { examine, flashPicture, makeFinalImage } = require(join(root, 'dist/lib/image'));
const image = examine(makeFinalImage({ size: FINAL_BYTES }), 'finalstage');
const made = { [join(root, 'docs', 'flash.svg')]: `${flashPicture({ image })}\n` };
const inDocs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'));
const pages = [...inDocs, join('dev', 'benchmarks.md')];
for (const path of [join(root, 'README.md'), ...pages.map((name) => join(root, 'docs', name))]) {
  made[path] = await filled(await readFile(path, 'utf8'));
}
const readme = join(root, 'README.md');
const absolute = withAbsoluteLinks(made[readme], (path) => existsSync(join(root, path)));
// Its tables are as wide as their links.
made[readme] = await prettier.format(absolute, { ...(await prettier.resolveConfig(readme)), filepath: readme });
const manifest = join(root, 'package.json');
made[manifest] = `${JSON.stringify({ ...JSON.parse(await readFile(manifest, 'utf8')), ...MANIFEST }, undefined, 2)}\n`;

for (const [file, content] of Object.entries(made)) {
  if ((await readFile(file, 'utf8').catch(() => '')) === content) continue;
  if (process.argv.includes('--check')) {
    console.error(`${relative(root, file)} is behind the code: npm run build && node scripts/readme.mjs`);
    process.exitCode = 1;
  } else await writeFile(file, content);
}
