import { WORDING_CODES } from '../../wordings/table';
import { quoted, type Wording, type WordingValue } from '../../wordings/wording';
import { Mismatch, number, object, oneOf, read, salvagedRecord, text, type Schema } from '../../storage/schema';

/** A value within a value, and so on: no sentence needs more. */
const DEPTH_LIMIT = 4;

const code = oneOf(WORDING_CODES);
const english = object<{ text: string }>({ text: text() });

/** The schema of a value in a sentence, at most so many levels of it. */
function valueAt(depth: number): Schema<WordingValue> {
  return (value, onDropped) => {
    if (typeof value === 'number') return number(-Number.MAX_VALUE, Number.MAX_VALUE)(value, onDropped);
    if (typeof value === 'string') return text()(value, onDropped);
    if (depth === 0) throw new Mismatch('is nested too deeply');
    const known = english(value, onDropped);
    const stored = value as { code?: unknown; values?: unknown };
    const { value: wordingCode } = read(code, stored.code);
    // Of a newer version: its text is there, if only in English.
    if (wordingCode === undefined) return quoted(known.text);
    if (stored.values === undefined) return { code: wordingCode, ...known };
    return { code: wordingCode, ...known, values: valuesAt(depth - 1)(stored.values, onDropped) };
  };
}

function valuesAt(depth: number): Schema<Record<string, WordingValue>> {
  return salvagedRecord(text(100), valueAt(depth)) as Schema<Record<string, WordingValue>>;
}

export const storedValues = valuesAt(DEPTH_LIMIT);

/** Words of ours, as an observation has them; versions before 0.9 stored the English alone. */
export const words: Schema<Wording> = (value, onDropped) => inWords(valueAt(DEPTH_LIMIT)(value, onDropped));

export function inWords(value: WordingValue): Wording {
  return typeof value === 'object' ? value : quoted(String(value));
}
