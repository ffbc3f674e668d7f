import { WORDINGS, type WordingCode } from './table';

/**
 * A part of a sentence that fills a placeholder: one of a closed set, so that it can be put into another language when
 * the sentence is made. Plain data: it is stored with the evidence, and crosses threads.
 */
export interface Wording {
  readonly code: WordingCode;
  /** In English, filled. */
  readonly text: string;
  /** The values that fill the text; absent where it has no `{name}`s. */
  readonly values?: WordingValues;
}

/** Fills a sentence: names and numbers as they are, words from the closed sets. */
export type WordingValue = string | number | Wording;
export type WordingValues = Readonly<Record<string, WordingValue>>;

export function wording(code: WordingCode, values?: WordingValues): Wording {
  const text = fill(WORDINGS[code], values ?? {});
  return values === undefined ? { code, text } : { code, text, values };
}

/** Words of another program, such as an operating system or a server: they stay as they are in every language. */
export function quoted(message: string): Wording {
  return wording('quoted', { message });
}

/** A value with an English text of its own. */
type Filling = string | number | { readonly text: string };

/** A sentence with its `{name}`s filled in English; a value that is not there shows as a question mark. */
export function fill(sentence: string, values: Readonly<Record<string, Filling | undefined>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(plain(values[name] ?? '?')));
}

/** Several clauses as one; undefined where there is none. */
export function allOf(
  all: readonly Wording[],
  code: 'one-and-another' | 'settings-lost' = 'one-and-another',
): Wording | undefined {
  const [last, ...others] = [...all].reverse();
  return last && others.reduce((rest, first) => wording(code, { first, second: rest }), last);
}

export function isWording(value: unknown): value is Wording {
  return typeof value === 'object' && value !== null && 'code' in value && 'text' in value;
}

function plain(value: Filling): string | number {
  return typeof value === 'object' ? value.text : value;
}
