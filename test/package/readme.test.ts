import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../shared/package-root';

/** For people who develop it, and what Node-RED would show among the examples. */
const IN_REPOSITORY = /^(CONTRIBUTING\.md$|examples\/home-assistant\/)/;

describe('README and docs', () => {
  it('list every code and show every example as the code has it, and draw the flash as it is checked', async () => {
    const script = join(packageRoot(), 'scripts', 'readme.mjs');
    await assert.doesNotReject(promisify(execFile)(process.execPath, [script, '--check']));
  });

  it('lead to nothing that the package leaves out', () => {
    const { files } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { files: string[] };
    const isShipped = (path: string): boolean =>
      path === 'LICENSE' || files.some((one) => path === one || path.startsWith(`${one}/`));
    const isLeftOut = (path: string): boolean => files.some((one) => path.startsWith(`${one.slice(1)}/`));
    const pages = readdirSync(join(packageRoot(), 'docs')).filter((name) => name.endsWith('.md'));
    for (const page of ['README.md', ...pages.map((name) => `docs/${name}`)]) {
      const text = readFileSync(join(packageRoot(), page), 'utf8');
      for (const [, target = ''] of text.matchAll(/(?:\]\(|src=")([^)"#\s]+)/g)) {
        if (/^https?:/.test(target)) continue;
        const path = posix.normalize(posix.join(posix.dirname(page), target));
        assert.ok(IN_REPOSITORY.test(path) || (isShipped(path) && !isLeftOut(path)), `${page} leads to ${target}`);
      }
    }
  });

  it('begin with a README that can be read in one go', () => {
    assert.ok(readFileSync(join(packageRoot(), 'README.md')).length < 12_500);
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

  it('call the nodes what the palette calls them, and so do the helps', () => {
    const dist = join(packageRoot(), 'dist', 'nodes');
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
    const types = readdirSync(dist).filter((name) => name.startsWith('sonota-'));
    const helps = files
      .filter((path) => /locales[\\/][\w-]+[\\/][\w-]+\.html$/.test(path))
      .map((path) => join(dist, path));
    const pages = readdirSync(join(packageRoot(), 'docs')).filter((name) => name.endsWith('.md'));
    assert.ok(types.length > 15 && helps.length > 40 && pages.length > 12);
    for (const path of [
      ...helps,
      join(packageRoot(), 'README.md'),
      ...pages.map((name) => join(packageRoot(), 'docs', name)),
    ]) {
      const text = readFileSync(path, 'utf8').replace(/data-help-name="[^"]*"/, '');
      const found = types.filter((type) => new RegExp(`(?<![/\\w])${type}(?![\\w-])`).test(text));
      assert.deepEqual(found, [], path);
    }
  });
});
