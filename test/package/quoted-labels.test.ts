import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../shared/package-root';

const LANGUAGES = ['en-US', 'de', 'fr'];

/** What stands in quotes and is no label of ours: words of other programs, of a device, and of a message. */
const OF_OTHERS = [
  // Home Assistant, its Node-RED nodes, and Node-RED's mqtt nodes
  'Install',
  'Installieren',
  'Installer',
  'Update all',
  'Visit',
  'Show deleted devices',
  'Events: all',
  'Messages',
  'a String',
  'ein String',
  'une chaîne',
  // Windows
  'Connect automatically',
  'private',
  'privaten',
  'privé',
  // what a device answers, and keys of a message or a template
  'accepted',
  'angenommen',
  'accepté',
  'warn',
  'NAME',
  'GPIO',
];

interface Catalogue {
  readonly [key: string]: string | Catalogue;
}

const dist = join(packageRoot(), 'dist', 'nodes');
const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });

describe('a form label that a text quotes', () => {
  for (const language of LANGUAGES) {
    const labels = new Set(
      filesOf(language, 'json')
        .filter((path) => !path.includes('shared'))
        .flatMap(textsOf)
        .flatMap(namesOf),
    );

    it(`stands in a form, in the helps in ${language}`, () => {
      const helps = filesOf(language, 'html').map((path) => readFileSync(path, 'utf8'));
      assert.ok(helps.length >= 14);
      const quoted = helps.flatMap((help) => [...emphasized(help), ...terms(help), ...inQuotes(withoutTags(help))]);
      assert.ok(quoted.length > 60);
      assert.deepEqual(unknown(quoted, labels), []);
    });

    it(`stands in a form, in the tips, errors and progress texts in ${language}`, () => {
      const texts = filesOf(language, 'json').flatMap(textsOf);
      const quoted = texts.flatMap((text) => [...emphasized(text), ...inQuotes(withoutTags(text))]);
      assert.ok(quoted.length > 10);
      assert.deepEqual(unknown(quoted, labels), []);
    });

    it(`stands in a form, in the comments of the examples in ${language}`, () => {
      const quoted = comments(LANGUAGES.indexOf(language)).flatMap(underscored);
      assert.ok(quoted.length > 5);
      assert.deepEqual(unknown(quoted, labels), []);
    });

    if (language !== 'en-US') continue;

    it('stands in a form, in the docs', () => {
      const docs = readdirSync(join(packageRoot(), 'docs'))
        .filter((name) => name.endsWith('.md') && name !== 'codes.md')
        .map((name) => readFileSync(join(packageRoot(), 'docs', name), 'utf8'));
      const quoted = docs.flatMap(underscored);
      assert.ok(quoted.length > 10);
      assert.deepEqual(unknown(quoted, labels), []);
    });
  }
});

function filesOf(language: string, kind: string): string[] {
  const ending = new RegExp(`locales[\\\\/]${language}[\\\\/][\\w-]+\\.${kind}$`);
  return files.filter((path) => ending.test(path)).map((path) => join(dist, path));
}

function textsOf(path: string): string[] {
  const values = (catalogue: Catalogue): string[] =>
    Object.values(catalogue).flatMap((value) => (typeof value === 'string' ? [value] : values(value)));
  return values(JSON.parse(readFileSync(path, 'utf8')) as Catalogue);
}

/** A label may be quoted whole, or by what stands before a comma, a colon or a bracket in it. */
function namesOf(label: string): string[] {
  const whole = plain(label);
  return [whole, ...[...whole.matchAll(/ ?[,:(…]/g)].map(({ index }) => whole.slice(0, index))];
}

function emphasized(text: string): string[] {
  return [...text.matchAll(/<i>([^<]+)<\/i>/g)].map(captured);
}

/** The fields of the form that a help explains: properties of a message name their type, or are in lower case. */
function terms(help: string): string[] {
  const named = [...help.matchAll(/<dt>(\p{Lu}[^<]+)<\/dt>/gu)].map(captured);
  return named.flatMap((term) => term.split(/, (?=\p{Lu})/u));
}

/** In Markdown; what ends in a full stop or a colon is emphasis, what runs on in small letters may be a topic. */
function underscored(text: string): string[] {
  const found = text.matchAll(/(?<![\p{L}\d`/])_(\p{L}[^_`\n]*[^_`\n.:])_(?![\p{L}\d`/])/gu);
  return [...found].map(captured);
}

/** What the n-th comment of each example says: English, German, French. */
function comments(nth: number): string[] {
  const folder = join(packageRoot(), 'examples');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => {
    const flow = JSON.parse(readFileSync(join(folder, name), 'utf8')) as readonly { type: string; info?: string }[];
    return flow.filter(({ type }) => type === 'comment')[nth]?.info ?? '';
  });
}

function inQuotes(text: string): string[] {
  return [...text.matchAll(/„([^“”]+)“|«([^»]+)»|“([^”]+)”|"([^"]+)"/g)]
    .map(captured)
    .filter((quoted) => !/[{}_<>\\]|^\W*$/.test(quoted));
}

function withoutTags(html: string): string {
  return html.replace(/<code>[^<]*<\/code>|<[^>]*>/g, '');
}

function captured(match: RegExpMatchArray): string {
  return match.slice(1).find((group) => group !== undefined) ?? '';
}

function unknown(quoted: readonly string[], labels: ReadonlySet<string>): string[] {
  const others = new Set([...OF_OTHERS, ...examples()].map(plain));
  return [...new Set(quoted)].filter((text) => !labels.has(plain(text)) && !others.has(plain(text)));
}

/** The names of the examples, which stay English. */
function examples(): string[] {
  return readdirSync(join(packageRoot(), 'examples')).map((name) => name.replace(/^\d+ - |\.json$/g, ''));
}

/** With plain spaces and without the capital at the start of a sentence. */
function plain(text: string): string {
  const spaced = text.replaceAll('&nbsp;', ' ').replace(/\s+/gu, ' ').trim();
  return spaced.slice(0, 1).toLowerCase() + spaced.slice(1);
}
