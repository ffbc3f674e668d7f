/**
 * `npm run lint`: the rules of eslint.config.mjs, and the formatter's opinion beside it, and what nothing uses. Files that have not changed are
 * not read again, except in CI: a type-aware rule may find something new in a file when another one has changed.
 */
import { join } from 'node:path';

import { root, run } from './prepare.mjs';

/** @param {string[]} place of the cache */
const cached = (...place) => (process.env.CI ? [] : ['--cache', '--cache-strategy', 'content', ...place]);
const eslintCache = join(root, 'node_modules', '.cache', 'eslint');
const tools = [
  ['eslint/bin/eslint.js', ...cached('--cache-location', eslintCache), '.'],
  ['prettier/bin/prettier.cjs', ...cached(), '--check', '--log-level', 'warn', '.'],
];
const codes = await Promise.all([
  ...tools.map(([tool, ...args]) => run(process.execPath, [join(root, 'node_modules', tool), ...args])),
  run(process.execPath, [join(root, 'scripts', 'dead-exports.mjs')]),
]);
process.exit(codes.every((code) => code === 0) ? 0 : 1);
