import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './package-root';

interface Catalogue {
  readonly [key: string]: string | Catalogue;
}

/** Where people read a word or two alone, which elsewhere may be a value for programs. */
const READ_BY_PEOPLE = /^(name|text|details|label|remedy|title|release_summary|\w+_name)$/;

/** Finds the English of the catalogues in what a Node-RED of another language puts out. */
export class Untranslated {
  /** The parts of sentences between their placeholders, as far as the other language has not the same. */
  private readonly sentences: readonly string[];
  /** Whole texts, a single word too. */
  private readonly texts: ReadonlySet<string>;

  constructor(language: string) {
    const [english, other] = [textsOf('en-US'), textsOf(language)];
    const all = other.join('\n');
    const parts = english.flatMap((text) => text.split(/__\w+__/).map((part) => part.trim()));
    this.sentences = [...new Set(parts)].filter((part) => part.split(/\s+/).length >= 3 && !all.includes(part));
    this.texts = new Set(english.filter((text) => !other.includes(text)));
    assert.ok(
      this.sentences.length > 500 && this.texts.size > 500,
      `only ${this.sentences.length} sentences of English`,
    );
  }

  /** A line, or a message as JSON without what its sentences were filled with, which has the English beside each code. */
  inText(text: string): string[] {
    return this.sentences.filter((sentence) => text.includes(sentence)).map((sentence) => `${sentence} (in: ${text})`);
  }

  /** What stands under a node, apart from percent, countdown and count. */
  inStatus(text: string): string[] {
    const label = text.replace(/ (\d+ %|\d+:\d\d|\(\+\d+\))/g, '');
    return this.texts.has(label) ? [`${label} (in: ${text})`] : this.inText(text);
  }

  /** The texts of a message or of a payload, parsed. */
  inMessage(message: unknown): string[] {
    const found: string[] = [];
    const whole = JSON.stringify(message, (key, value: unknown) => {
      if (key === 'values' || key === 'stack') return undefined;
      if (READ_BY_PEOPLE.test(key) && typeof value === 'string' && this.texts.has(value))
        found.push(`${key}: ${value}`);
      return value;
    });
    return [...found, ...this.inText(whole ?? '')];
  }
}

function textsOf(language: string): string[] {
  const nodes = join(packageRoot(), 'dist', 'nodes');
  return readdirSync(nodes, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes(join('locales', language)) && path.endsWith('.json'))
    .flatMap((path) => leavesOf(JSON.parse(readFileSync(join(nodes, path), 'utf8')) as Catalogue));
}

function leavesOf(catalogue: Catalogue): string[] {
  return Object.values(catalogue).flatMap((one) => (typeof one === 'string' ? [one] : leavesOf(one)));
}
