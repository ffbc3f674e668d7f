/** `npm run lint`: the rules of eslint.config.mjs, then the formatter's opinion. Both run, whatever the first says. */
import { join } from 'node:path';

import { root, run } from './prepare.mjs';

const tools = [
  ['eslint/bin/eslint.js', '.'],
  ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
];
let isClean = true;
for (const [tool, ...args] of tools) {
  const code = await run(process.execPath, [join(root, 'node_modules', tool), ...args]);
  isClean &&= code === 0;
}
process.exit(isClean ? 0 : 1);
