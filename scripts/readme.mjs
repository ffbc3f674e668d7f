/**
 * Writes what the README holds of the code, from the built package: the table of error codes from the one in
 * `lib/errors.ts`, and the picture of the flash from the numbers that the checks use. With `--check` it writes nothing
 * and fails where something is behind.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

import { root } from './prepare.mjs';

const BEGIN = '<!-- codes: written by scripts/readme.mjs -->';
const END = '<!-- /codes -->';

/** As large as SonOTA's own final image. */
const FINAL_BYTES = 482_432;

const require = createRequire(import.meta.url);
const { ERROR_CODES, explanationOf } = require(join(root, 'dist/lib/errors.js'));
const { examine, flashPicture, makeFinalImage } = require(join(root, 'dist/lib/image'));
const path = join(root, 'README.md');
const readme = await readFile(path, 'utf8');
const [before, rest] = readme.split(BEGIN);
const after = rest.split(END)[1];
const image = examine(makeFinalImage({ size: FINAL_BYTES }), 'finalstage');
const made = {
  [path]: `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`,
  [join(root, 'docs', 'flash.svg')]: `${flashPicture({ image })}\n`,
};

for (const [file, content] of Object.entries(made)) {
  if ((await readFile(file, 'utf8').catch(() => '')) === content) continue;
  if (process.argv.includes('--check')) {
    console.error(`${relative(root, file)} is behind the code: npm run build && node scripts/readme.mjs`);
    process.exitCode = 1;
  } else await writeFile(file, content);
}

/** One paragraph a code: a table of long sentences would be unreadable in a narrow window. */
function table() {
  return ERROR_CODES.map((code) => {
    const { what, remedy } = explanationOf(code);
    return `- **\`${code}\`** ${plain(what)} _${plain(remedy)}_`;
  }).join('\n');
}

/** A placeholder as a reader takes it: what stands there in the real message. */
function plain(sentence) {
  return sentence.replace(/\{(\w+)\}/g, '‹$1›');
}
