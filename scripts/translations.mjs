/**
 * Keeps German and French beside the English that they were made from. `test/package/translations.json` holds a short
 * hash of each text, in English, German and French. A text whose English has changed while its translation has not is stale.
 *
 *     node scripts/translations.mjs --check      fails where a translation is stale or not recorded
 *     node scripts/translations.mjs              records what is new or translated again; lists what is stale
 *     node scripts/translations.mjs --keep KEY…  records these as still right, after somebody has read them
 *
 * Reads the built catalogues (those of lib/ are made by the build), the helps, each help as one text, and the comments of
 * the examples: Node-RED does not translate a flow, so each example has one comment a language, in this order.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { root } from './prepare.mjs';

const RECORD = join(root, 'test', 'package', 'translations.json');
const LANGUAGES = ['en-US', 'de', 'fr'];

/** `sonota-host.json#label.wifi` -> its hashes, in the order of the languages. */
function hashesNow() {
  const now = {};
  const nodes = join(root, 'dist', 'nodes');
  for (const path of readdirSync(nodes, { recursive: true, encoding: 'utf8' }).sort()) {
    const [, language, file] = /locales[\\/]([\w-]+)[\\/]([\w-]+\.(?:json|html))$/.exec(path) ?? [];
    if (!LANGUAGES.includes(language)) continue;
    const text = readFileSync(join(nodes, path), 'utf8');
    const texts = file.endsWith('.html') ? [[file, text]] : entriesOf(JSON.parse(text), `${file}#`);
    for (const [key, value] of texts) (now[key] ??= [])[LANGUAGES.indexOf(language)] = hashOf(value);
  }
  for (const file of readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.json'))) {
    const flow = JSON.parse(readFileSync(join(root, 'examples', file), 'utf8'));
    const comments = flow.filter(({ type }) => type === 'comment').slice(0, LANGUAGES.length);
    for (const part of ['name', 'info']) {
      now[`example ${file.slice(0, 2)}#${part}`] = comments.map((comment) => hashOf(comment[part]));
    }
  }
  return now;
}

function entriesOf(catalogue, prefix) {
  return Object.entries(catalogue).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value]] : entriesOf(value, `${prefix}${key}.`),
  );
}

function hashOf(text) {
  return createHash('sha256').update(text.replace(/\s+/g, ' ').trim()).digest('hex').slice(0, 6);
}

/** The languages in which a text says what the English said before. */
function staleIn(before, now) {
  if (!before || before[0] === now[0]) return [];
  return LANGUAGES.filter((_, index) => index > 0 && before[index] === now[index]);
}

const lines = Object.entries(JSON.parse(readFileSync(RECORD, 'utf8')));
const recorded = Object.fromEntries(lines.map(([key, hashes]) => [key, hashes.split(' ')]));
const now = hashesNow();
const isCheck = process.argv.includes('--check');
const kept = process.argv.includes('--keep') ? process.argv.slice(process.argv.indexOf('--keep') + 1) : [];
const next = {};
for (const key of Object.keys(now).sort()) {
  const stale = kept.includes(key) ? [] : staleIn(recorded[key], now[key]);
  next[key] = (stale.length === 0 ? now[key] : recorded[key]).join(' ');
  if (stale.length > 0) {
    console.error(`${key}: the English has changed, ${stale.join(' and ')} has not`);
    process.exitCode = 1;
  }
}
const written = `${JSON.stringify(next, undefined, 2)}\n`;
if (!isCheck) writeFileSync(RECORD, written);
else if (process.exitCode !== 1 && written !== readFileSync(RECORD, 'utf8')) {
  console.error(`${relative(root, RECORD)} is behind the texts: npm run build && node scripts/translations.mjs`);
  process.exitCode = 1;
}
