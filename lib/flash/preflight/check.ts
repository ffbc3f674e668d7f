import { sentencesOf, type ErrorCode, type ErrorValues, type FlashError } from '../../errors';

/** One row of the table. */
export interface Check {
  /** What was looked at. */
  readonly check: 'address' | 'port' | 'tls' | 'self' | 'network' | 'wifi' | 'radio' | 'firmware' | 'clock';
  /** What is wrong; where nothing is, what is ruled out. */
  readonly code: ErrorCode;
  /** `warn`: a flash may go well all the same. */
  readonly ok: boolean | 'warn';
  /** A sentence of what was found. */
  readonly text: string;
  /** A sentence of what to do; empty where there is nothing to do. */
  readonly remedy: string;
}

export function passed(check: Check['check'], code: ErrorCode, text: string): Check {
  return { check, code, ok: true, text, remedy: '' };
}

/** Something that will not do, in the words of its code. */
export function failed(check: Check['check'], { code, values }: Pick<FlashError, 'code' | 'values'>): Check {
  const { what, remedy } = sentencesOf(code, values);
  return { check, code, ok: false, text: what, remedy };
}

/** Something that may do, in the words of its code. */
export function warned(check: Check['check'], code: ErrorCode, values: ErrorValues = {}): Check {
  return { ...failed(check, { code, values }), ok: 'warn' };
}

/** Something that may do, in words of its own. */
export function noted(check: Check['check'], code: ErrorCode, text: string, remedy = ''): Check {
  return { check, code, ok: 'warn', text, remedy };
}
