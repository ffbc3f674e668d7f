import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../shared/package-root';

const FOLDERS = ['lib', 'nodes', 'test', 'scripts', 'firmware'];
/** `docs/dev/stock-firmware.md#4.2, #6 and #7`, perhaps over two lines of a comment. */
const CITATION = /docs\/dev\/([a-z0-9-]+)\.md((?:(?:,| and| to)?\s*(?:\*|\/\/)?\s*#\d+(?:\.\d+)*)+)/g;
/** How the notes were cited before they were part of the repository. */
const UNTRACKED = /\b([Pp]rotocol|[Ii]mage|DIY|ESP8266) notes \d|\(notes \d|\(design, (rule|")/;
/** So many there are at the least: fewer, and they are not found any more. */
const FEWEST = 150;

describe('citations of docs/dev', () => {
  const sources = FOLDERS.flatMap((folder) =>
    readdirSync(join(packageRoot(), folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|mjs|cjs|c|h|ld)$/.test(path))
      .map((path) => join(folder, path)),
  ).filter((path) => path !== join('test', 'package', 'citations.test.ts'));

  it('name a section that exists', () => {
    const cited = sources.flatMap((path) =>
      [...read(path).matchAll(CITATION)].flatMap(([, document = '', numbers = '']) =>
        [...numbers.matchAll(/#([\d.]*\d)/g)].map(([, section = '']) => ({ path, document, section })),
      ),
    );
    assert.ok(cited.length >= FEWEST, `only ${cited.length} citations were found`);
    const dead = cited.filter(({ document, section }) => !sectionsOf(document).has(section));
    assert.deepEqual(dead, []);
  });

  it('are the only way in which the facts are cited', () => {
    assert.deepEqual(
      sources.filter((path) => UNTRACKED.test(read(path))),
      [],
    );
  });
});

const known = new Map<string, Set<string>>();

/** The numbers of a document's headings. */
function sectionsOf(document: string): Set<string> {
  const before = known.get(document);
  if (before) return before;
  const headings = read(join('docs', 'dev', `${document}.md`)).matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm);
  const sections = new Set([...headings].map(([, number = '']) => number));
  known.set(document, sections);
  return sections;
}

function read(path: string): string {
  return readFileSync(join(packageRoot(), path), 'utf8');
}
