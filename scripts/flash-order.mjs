/** The order of the folders in lib/flash, which lint and its test hold. */
import { readFileSync } from 'node:fs';

const PAGE = new URL('../docs/dev/architecture.md', import.meta.url);

/** As docs/dev/architecture.md#1.1 has them, the uppermost first: a file may import from its own folder and those below. */
export function flashOrder() {
  const [, section = ''] = readFileSync(PAGE, 'utf8').split(/^### 1\.1 .*$|^## 2 .*$/m);
  return [...section.matchAll(/^\| `(lib\/flash\b[^`]*)\/` +\|/gm)].map(([, folder]) => folder);
}
