import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../shared/package-root';

/**
 * Home Assistant's files as docs/home-assistant.md has them: each block of YAML begins with the name of the file that it
 * belongs to.
 */
export function documented(): Record<string, string> {
  const page = readFileSync(join(packageRoot(), 'docs', 'home-assistant.md'), 'utf8');
  const files: Record<string, string> = {};
  for (const [, name = '', content = ''] of page.matchAll(/^```yaml\n# (\S+\.yaml)\n(.*?)^```$/gms)) {
    files[name] = `${files[name] ?? ''}${content}`;
  }
  return files;
}
