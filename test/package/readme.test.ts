import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { anchorsOf } from '../shared/markdown';
import { packageRoot } from '../shared/package-root';

/** For developers, and what Node-RED would show among the examples. */
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
    for (const page of ['README.md', ...pages()]) {
      const text = readFileSync(join(packageRoot(), page), 'utf8');
      for (const [, target = ''] of text.matchAll(/(?:\]\(|src=")([^)"#\s]+)/g)) {
        if (/^https?:/.test(target)) continue;
        const path = posix.normalize(posix.join(posix.dirname(page), target));
        assert.ok(IN_REPOSITORY.test(path) || (isShipped(path) && !isLeftOut(path)), `${page} leads to ${target}`);
      }
    }
  });

  it('start with a README that can be read in one go', () => {
    assert.ok(readFileSync(join(packageRoot(), 'README.md')).length < 12_500);
  });

  it('lead to nothing that is not there, neither page nor heading nor picture', () => {
    for (const page of ['README.md', ...pages()]) {
      const text = readFileSync(join(packageRoot(), page), 'utf8');
      for (const [, target = ''] of text.matchAll(/(?:\]\(|src=")([^)"\s]+)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : posix.join(posix.dirname(page), path);
        assert.ok(existsSync(join(packageRoot(), file)), `${page} leads to ${target}`);
        if (anchor === undefined) continue;
        const anchors = anchorsOf(readFileSync(join(packageRoot(), file), 'utf8'));
        assert.ok(anchors.has(anchor), `${page} leads to ${target}`);
      }
    }
  });

  it('show every picture that is in the package', () => {
    const texts = ['README.md', ...pages()].map((page) => readFileSync(join(packageRoot(), page), 'utf8')).join('\n');
    const pictures = readdirSync(join(packageRoot(), 'docs'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.(png|gif|svg)$/.test(path),
    );
    assert.ok(pictures.length > 5);
    assert.deepEqual(
      pictures.filter((path) => !texts.includes(path.replaceAll('\\', '/'))),
      [],
    );
  });

  it('call the nodes what the palette calls them, and so do the helps', () => {
    const dist = join(packageRoot(), 'dist', 'nodes');
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
    const types = readdirSync(dist).filter((name) => name.startsWith('sonota-'));
    const helps = files
      .filter((path) => /locales[\\/][\w-]+[\\/][\w-]+\.html$/.test(path))
      .map((path) => join(dist, path));
    assert.ok(types.length > 15 && helps.length > 40 && pages().length > 12);
    for (const path of [...helps, ...['README.md', ...pages()].map((page) => join(packageRoot(), page))]) {
      const text = readFileSync(path, 'utf8').replace(/data-help-name="[^"]*"/, '');
      const found = types.filter((type) => new RegExp(`(?<![/\\w])${type}(?![\\w-])`).test(text));
      assert.deepEqual(found, [], path);
    }
  });
});

/** The pages of docs/, without those for developers. */
function pages(): string[] {
  const names = readdirSync(join(packageRoot(), 'docs')).filter((name) => name.endsWith('.md'));
  return names.map((name) => `docs/${name}`);
}
