import type { ErrorCode, ErrorValues, FlashError } from '../errors';
import { phrase, sentence, textOf, type Phrase, type PhraseName, type Said } from './phrases';

/** One row of the table. */
export interface Check {
  /** The subject of the check. */
  readonly check: 'address' | 'port' | 'tls' | 'self' | 'network' | 'wifi' | 'radio' | 'firmware' | 'clock';
  /** The fault that was found; if there is none, the one that is ruled out. */
  readonly code: ErrorCode;
  /** `warn`: a flash may go well all the same. */
  readonly ok: boolean | 'warn';
  /** A sentence of what was found. */
  readonly text: string;
  /** A sentence of what to do; empty where there is nothing to do. */
  readonly remedy: string;
}

/** A row that can be said in other languages. */
export interface SaidCheck extends Check {
  readonly said: { readonly text: Said; readonly remedy: Said };
  /** Fills the sentences of its code, if its text is made of them. */
  readonly values?: ErrorValues;
}

export function passed(check: Check['check'], code: ErrorCode, text: Said): SaidCheck {
  return rowOf({ check, code, ok: true }, text);
}

/** Something that will not do, in the words of its code. */
export function failed(check: Check['check'], error: Pick<FlashError, 'code' | 'values'>): SaidCheck {
  return inWordsOfCode({ check, code: error.code, ok: false }, error.values);
}

/** Something that may do, in the words of its code. */
export function warned(check: Check['check'], code: ErrorCode, values: ErrorValues = {}): SaidCheck {
  return inWordsOfCode({ check, code, ok: 'warn' }, values);
}

/** Something that may do, in words of its own. */
export function noted(check: Check['check'], code: ErrorCode, text: Phrase, remedy?: PhraseName): SaidCheck {
  return rowOf({ check, code, ok: 'warn' }, text, remedy ? phrase(remedy) : []);
}

function inWordsOfCode(row: Pick<Check, 'check' | 'code' | 'ok'>, values: ErrorValues): SaidCheck {
  return { ...rowOf(row, sentence(row.code, 'what', values), sentence(row.code, 'remedy', values)), values };
}

function rowOf(row: Pick<Check, 'check' | 'code' | 'ok'>, text: Said, remedy: Said = []): SaidCheck {
  return { ...row, text: textOf(text), remedy: textOf(remedy), said: { text, remedy } };
}
