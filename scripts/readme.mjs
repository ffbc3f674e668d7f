/**
 * Writes the table of error codes into the README, from the one table in `lib/errors.ts` (built before). With
 * `--check` it writes nothing and fails where the README is behind.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { root } from './prepare.mjs';

const BEGIN = '<!-- codes: written by scripts/readme.mjs -->';
const END = '<!-- /codes -->';

const { ERROR_CODES, explanationOf } = createRequire(import.meta.url)(join(root, 'dist/lib/errors.js'));
const path = join(root, 'README.md');
const readme = await readFile(path, 'utf8');
const [before, rest] = readme.split(BEGIN);
const after = rest.split(END)[1];
const written = `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`;

if (process.argv.includes('--check')) {
  if (written !== readme) {
    console.error('The codes in README.md are behind lib/errors.ts: npm run build && node scripts/readme.mjs');
    process.exitCode = 1;
  }
} else if (written !== readme) await writeFile(path, written);

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
