import { ERROR_CODES, explanationOf } from '../../lib/errors';
import { REQUESTS } from '../../lib/flash/overview/last-request';
import { PHRASES } from '../../lib/preflight/phrases';
import { PROGRESS_TEXTS, type ProgressText } from '../../lib/progress-texts';
import { NOTE_CODES, noteText } from '../../lib/flash/verdict/notes';
import { ADVICE } from '../../lib/image/finding';
import { PICTURE_TEXTS } from '../../lib/image/picture-texts';
import { METHODS, REASONS } from '../../lib/protocol/recommendation';
import { WORDINGS } from '../../lib/wordings/table';

/** Catalogue texts, at any depth. */
export interface Texts {
  readonly [key: string]: string | Texts;
}

/**
 * What lib/ says to people, in English and as Node-RED's catalogues write it: the build adds it to the catalogue of
 * `sonota-host`. Other languages stand in the folder `locales` beside this file, with the same keys.
 */
export function sharedTexts(): Texts {
  return forNodeRed({
    checks: PHRASES,
    announcements: pick<ProgressText>(PROGRESS_TEXTS, announcementTexts),
    errors: Object.fromEntries(ERROR_CODES.map((code) => [code, sentencesIn(explanationOf(code))])),
    findings: pick(ADVICE, sentencesIn),
    notes: Object.fromEntries(NOTE_CODES.map((code) => [code, noteText(code)])),
    picture: PICTURE_TEXTS,
    requests: REQUESTS,
    methods: METHODS,
    reasons: REASONS,
    wordings: WORDINGS,
  });
}

function sentencesIn({ what, remedy }: { readonly what: string; readonly remedy: string }): Texts {
  return { what, remedy };
}

function announcementTexts({ label, text, details }: ProgressText): Texts {
  return details === undefined ? { label, text } : { label, text, details };
}

function pick<T>(table: Readonly<Record<string, T>>, texts: (entry: T) => Texts): Texts {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, texts(entry)]));
}

/** `{name}` here is `__name__` there. */
export function forNodeRed(texts: Texts): Texts {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [
      key,
      typeof text === 'string' ? text.replace(/\{(\w+)\}/g, '__$1__') : forNodeRed(text),
    ]),
  );
}
