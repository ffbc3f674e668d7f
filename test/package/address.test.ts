import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ERROR_CODES } from '../../lib/errors';
import { anchorsOf } from '../shared/markdown';
import { packageRoot } from '../shared/package-root';

interface ProjectAddress {
  PROJECT_ADDRESS: string;
  MANIFEST: Record<string, unknown>;
}

const root = packageRoot();
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

describe('the address of the project', () => {
  let address: ProjectAddress;
  before(async () => {
    address = (await import(pathToFileURL(join(root, 'scripts', 'project-address.mjs')).href)) as ProjectAddress;
  });

  /** The files of the repository that a text leads to, each with its anchor. */
  function targetsIn(text: string): [string, string | undefined][] {
    const start = `${address.PROJECT_ADDRESS}/`;
    const links = [...text.matchAll(/https?:\/\/[^\s)"'<>]+/g)]
      .map(([link]) => link)
      .filter((one) => one.startsWith(start));
    return links.map((link) => {
      const [path = '', anchor] = link
        .slice(start.length)
        .replace(/^(blob|raw)\/main\//, '')
        .split('#');
      return [path, anchor];
    });
  }

  function assertReached(text: string, from: string): void {
    for (const [path, anchor] of targetsIn(text)) {
      assert.ok(existsSync(join(root, path)), `${from} leads to ${path}`);
      if (anchor === undefined) continue;
      assert.ok(anchorsOf(read(path)).has(anchor), `${from} leads to ${path}#${anchor}`);
    }
  }

  it('is in package.json', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, unknown>;
    for (const [name, value] of Object.entries(address.MANIFEST)) assert.deepEqual(manifest[name], value, name);
  });

  it('is before every link of README to a file, and each is there', () => {
    const readme = read('README.md');
    for (const [, target = ''] of readme.matchAll(/(?:\]\(|src="|^\[[^\]]+\]: )([^)"\s]+)/gm)) {
      assert.match(target, /^(https:\/\/|#)/, target);
    }
    assert.ok(targetsIn(readme).length > 5);
    assertReached(readme, 'README.md');
  });

  const helps = readdirSync(join(root, 'dist', 'nodes'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /locales[\\/][\w-]+[\\/][\w-]+\.html$/.test(path))
    .sort();

  for (const path of helps) {
    it(`leads from ${path} to the docs, and from each code to its anchor`, () => {
      const help = read('dist', 'nodes', path);
      assert.ok(targetsIn(help).length >= 3);
      assertReached(help, path);
      for (const [, code = ''] of help.matchAll(/<code>([a-z][a-z0-9-]+)<\/code>/g)) {
        if (!(ERROR_CODES as string[]).includes(code)) continue;
        assert.ok(help.includes(`docs/codes.md#${code}"`), code);
      }
    });
  }

  it('names pages in the helps by their headings', async () => {
    const links = pathToFileURL(join(root, 'scripts', 'help-links.mjs')).href;
    const { PAGES } = (await import(links)) as { PAGES: Record<string, [string, string]> };
    for (const [page, title] of Object.values(PAGES)) assert.equal(read('docs', page).split('\n')[0], `# ${title}`);
  });
});
