/** `npm run lint`: the rules of eslint.config.mjs, and the formatter's opinion beside it. */
import { join } from 'node:path';

import { root, run } from './prepare.mjs';

const tools = [
  ['eslint/bin/eslint.js', '.'],
  ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
];
const codes = await Promise.all(
  tools.map(([tool, ...args]) => run(process.execPath, [join(root, 'node_modules', tool), ...args])),
);
process.exit(codes.every((code) => code === 0) ? 0 : 1);
