import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../shared/package-root';

/**
 * Home Assistant's files as docs/home-assistant.md has them: each block of YAML starts with the name of the file that it
 * belongs to.
 *
 * @throws AssertionError where a block does not
 */
export function documented(): Record<string, string> {
  const page = readFileSync(join(packageRoot(), 'docs', 'home-assistant.md'), 'utf8');
  const files: Record<string, string> = {};
  const blocks = [...page.matchAll(/^```yaml\n# (\S+\.yaml)\n(.*?)^```$/gms)];
  assert.equal(blocks.length, page.match(/^```yaml$/gm)?.length, 'a block does not name its file');
  for (const [, name = '', content = ''] of blocks) {
    files[name] = `${files[name] ?? ''}${content}`;
  }
  return files;
}
