import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PROGRESS_TEXTS, type ProgressTextName } from '../../lib/progress-texts';
import { packageRoot } from '../shared/package-root';

/** Beside English. */
const LANGUAGES = ['de', 'fr'];

/** The longest that is usual of each value in a progress text. */
const LONGEST: Readonly<Record<string, string>> = {
  actual: '192.168.178.100',
  address: '192.168.178.100',
  broker: '192.168.178.100:1883',
  deviceid: '1000abcdef',
  firmware: 'Tasmota 15.0.1',
  holder: '1000abcdef',
  hostname: 'tasmota-ABCDEF-1234',
  image: 'user1',
  model: 'PSA-B01-GL',
  port: '8080',
  received: '239220',
  romVersion: '1.5.5',
  sent: '239220',
  size: '239220',
  ssid: 'my network at home',
  url: 'http://192.168.4.1/',
  where: 'http://192.168.4.1/',
};

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

  it('are made from the English of today', async () => {
    const script = join(packageRoot(), 'scripts', 'translations.mjs');
    await assert.doesNotReject(promisify(execFile)(process.execPath, [script, '--check']));
  });

  describe('errors', () => {
    /** German and French need a quarter more room for the same. */
    const LIMITS: Readonly<Record<string, number>> = { 'en-US': 80, de: 100, fr: 100 };
    for (const [language, limit] of Object.entries(LIMITS)) {
      it(`say in one short sentence what happened, and start the remedy with a short instruction, in ${language}`, () => {
        const texts = textsOf(join(dist, 'nodes/sonota-host/locales', language, 'sonota-host.json'));
        // Of the values only the names are ours.
        const parts = [...texts].map(([key, text]) => [key, text.replace(/__\w+?__/g, '')] as const);
        const whats = parts.filter(([key]) => /^errors\..*\.what$/.test(key));
        const firsts = parts
          .filter(([key]) => /^errors\..*\.remedy$/.test(key))
          .map(([key, text]) => [key, text.split(/(?<=[.;:])\s/)[0] ?? ''] as const);
        assert.ok(whats.length > 140 && firsts.length === whats.length);
        assert.deepEqual(
          [...whats, ...firsts].filter(([, text]) => text.length > limit),
          [],
        );
      });
    }
  });

  describe('progress texts', () => {
    for (const language of ['en-US', ...LANGUAGES]) {
      const texts = [...textsOf(join(dist, 'nodes/sonota-host/locales', language, 'sonota-host.json'))];
      const progress = (part: string): (readonly [string, string])[] =>
        texts
          .filter(([key]) => key.startsWith('announcements.') && key.endsWith(`.${part}`))
          .map(([key, text]) => [key.split('.')[1] ?? key, text] as const);

      it(`fit under a node in ${language}, with the percent while the stage works`, () => {
        for (const [name, label] of progress('label')) {
          const isWorking = PROGRESS_TEXTS[name as ProgressTextName].state === 'working';
          const shown = label.replace(/__\w+?__/g, '00') + (isWorking ? ' 100 %' : '');
          assert.ok(shown.length <= 20, `${name}: ${shown}`);
        }
      });

      it(`are at most 80 characters in ${language}, where the debug sidebar cuts`, () => {
        for (const [name, text] of progress('text')) {
          const shown = text.replace(/__(\w+?)__/g, (_, value: string) => LONGEST[value] ?? '');
          assert.ok(shown.length <= 80, `${name}: ${shown}`);
        }
      });
    }

    // A bare verb at the beginning reads as an order in German, as one to a friend or as done already in French.
    const ORDERS: Readonly<Record<string, RegExp>> = {
      de: /(^|; |: )(Sucht|Wartet|Nennt|Betritt|Liest|Lädt|Prüft|Verbindet)\b|; wartet\b/,
      fr: /(^|; |: )(Cherche|Attend|Rejoint|Lit|Indique|Télécharge|Envoie)\b|; (cherche|attend)\b/,
    };
    // On a switch with a button these words mean its relay; the device itself would stay powered.
    const RELAY: Readonly<Record<string, RegExp>> = {
      de: /aus- und (wieder )?einschalten|Gerät (nicht )?(ein|aus)schalten/i,
      fr: /éteignez|rallumez|Allumez l.appareil/i,
    };
    for (const language of LANGUAGES) {
      const texts = [...textsOf(join(dist, 'nodes/sonota-host/locales', language, 'sonota-host.json'))];

      it(`never order what this machine does itself in ${language}`, () => {
        const progress = texts.filter(([key]) => /^announcements\..*\.(text|details)$/.test(key));
        assert.ok(progress.length > 80);
        assert.deepEqual(
          progress.filter(([, text]) => ORDERS[language]?.test(text)),
          [],
        );
      });

      it(`say what is meant by power in ${language}, in progress and errors`, () =>
        assert.deepEqual(
          texts.filter(([, text]) => RELAY[language]?.test(text)),
          [],
        ));
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
