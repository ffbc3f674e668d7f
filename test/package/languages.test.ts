import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../shared/package-root';

/** Beside English. */
const LANGUAGES = ['de', 'fr'];

interface Catalogue {
  [key: string]: string | Catalogue;
}

const dist = join(packageRoot(), 'dist');

describe('the catalogues', () => {
  const paths = readdirSync(join(dist, 'nodes'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /locales\/en-US\/[\w-]+\.json$/.test(path))
    .map((path) => join(dist, 'nodes', path));

  it('are found', () => assert.ok(paths.length > 10));

  for (const language of LANGUAGES) {
    for (const path of paths) {
      const name = path.split('/').at(-1) ?? path;
      it(`${name} is whole in ${language}`, () => {
        const translated = join(dirname(dirname(path)), language, name);
        assert.ok(existsSync(translated), `${translated} is missing`);
        const [english, other] = [textsOf(path), textsOf(translated)];
        assert.deepEqual(
          [...english.keys()].filter((key) => !other.has(key)),
          [],
        );
        for (const [key, text] of english) {
          const there = other.get(key) ?? '';
          assert.notEqual(there.trim(), '', key);
          assert.deepEqual(placeholders(there), placeholders(text), `${key}: ${there}`);
          assert.deepEqual(tags(there), tags(text), `${key}: ${there}`);
        }
      });
    }
  }

  const helps = readdirSync(join(dist, 'nodes'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /locales\/en-US\/[\w-]+\.html$/.test(path))
    .map((path) => join(dist, 'nodes', path));

  it('stand beside a help text for each node', () => assert.ok(helps.length >= 14));

  for (const language of LANGUAGES) {
    for (const path of helps) {
      const name = path.split('/').at(-1) ?? path;
      it(`the help ${name} is whole in ${language}`, () => {
        const translated = join(dirname(dirname(path)), language, name);
        assert.ok(existsSync(translated), `${translated} is missing`);
        const [english, other] = [path, translated].map((file) => readFileSync(file, 'utf8'));
        assert.ok(english && other);
        assert.deepEqual(outline(other), outline(english), 'its headings, properties and paragraphs');
        assert.deepEqual(names(other), names(english), 'what is to be typed or read as it is');
        for (const text of paragraphs(other)) assert.ok(!paragraphs(english).includes(text), `not translated: ${text}`);
      });
    }
  }

  it('keep what stands under a node short enough in every language', () => {
    const host = join(dist, 'nodes/sonota-host/locales');
    for (const language of ['en-US', ...LANGUAGES]) {
      for (const [key, text] of textsOf(join(host, language, 'sonota-host.json'))) {
        if (/^announcements\..*\.label$/.test(key))
          assert.ok(text.replace(/__\w+?__/g, '00').length < 20, `${language} ${key}: ${text}`);
      }
    }
  });
});

/** Every text of a catalogue by its path. */
function textsOf(path: string): Map<string, string> {
  const texts = new Map<string, string>();
  const gather = (catalogue: Catalogue, prefix: string): void => {
    for (const [key, value] of Object.entries(catalogue)) {
      if (typeof value === 'string') texts.set(prefix + key, value);
      else gather(value, `${prefix}${key}.`);
    }
  };
  gather(JSON.parse(readFileSync(path, 'utf8')) as Catalogue, '');
  return texts;
}

function placeholders(text: string): string[] {
  return [...text.matchAll(/__\w+?__/g)].map(([name]) => name).sort();
}

function tags(text: string): string[] {
  return [...text.matchAll(/<\/?\w+>/g)].map(([tag]) => tag).sort();
}

/** The structure of a help text: its tags in their order, but those within a sentence. */
function outline(help: string): string[] {
  return [...help.matchAll(/<\/?(?:script|h\d|p|ol|ul|li|dl|dt|dd)\b[^>]*>/g)].map(([tag]) => tag);
}

/** The codes, properties and values in a help text; a sentence of another language has them in another order. */
function names(help: string): string[] {
  return [...help.matchAll(/<code>([^<]*)<\/code>/g)].map(([, name = '']) => name.replace(/\s+/g, ' ')).sort();
}

/** Its paragraphs that hold sentences. */
function paragraphs(help: string): string[] {
  return [...help.matchAll(/<p>([\s\S]*?)<\/p>/g)].map(([, text = '']) => text.replace(/\s+/g, ' ').trim());
}
