import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../shared/package-root';

describe('README and docs', () => {
  it('list every code and show every example as the code has it, and draw the flash as it is checked', async () => {
    const script = join(packageRoot(), 'scripts', 'readme.mjs');
    await assert.doesNotReject(promisify(execFile)(process.execPath, [script, '--check']));
  });

  it('lead to nothing that is not there', () => {
    const pages = readdirSync(join(packageRoot(), 'docs')).filter((name) => name.endsWith('.md'));
    for (const page of ['README.md', ...pages.map((name) => join('docs', name))]) {
      const text = readFileSync(join(packageRoot(), page), 'utf8');
      for (const [, target = ''] of text.matchAll(/(?:\]\(|src=")([^)"#\s]+)/g)) {
        if (/^https?:/.test(target)) continue;
        assert.ok(existsSync(join(packageRoot(), dirname(page), target)), `${page} leads to ${target}`);
      }
    }
  });
});
