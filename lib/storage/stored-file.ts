/** Files of JSON in which this package keeps something: each names its format, and is checked when it is read. */

import { copyFileSync, readFileSync, renameSync } from 'node:fs';
import { read, type Schema } from './schema';

/** The content of one kind of file. */
export interface StoredFormat<T> {
  /** With its number, such as `sonota-jobs/1`: raised when an older version would misread the file. */
  readonly format: string;
  readonly schema: Schema<T>;
  /** Brings what was written before files named their format into its present shape; without it no such file is read. */
  readonly unmarked?: (content: unknown) => unknown;
}

/** Called with one line for a log about what could not be used. */
export type OnUnusable = (text: string) => void;

/**
 * What was kept, or undefined where there is nothing, or nothing that can be used: then the file is set aside, and
 * written again with the next change. Parts that cannot be used are left out, and the file is copied first.
 * Not in the background: what listens right after needs it.
 */
export function readStored<T extends object>(
  path: string,
  { format, schema, unmarked }: StoredFormat<T>,
  onUnusable: OnUnusable,
): T | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Where a file is in the place of the folder, the first write tells.
    if (code !== 'ENOENT' && code !== 'ENOTDIR') onUnusable(`${path} could not be read and is not used: ${message}`);
    return undefined;
  }
  const parsed = parseStored(content);
  const marked = isMarked(parsed) ? (parsed.format === format ? parsed : undefined) : unmarked?.(parsed);
  if (marked === undefined) {
    const why = parsed === undefined ? 'it is not JSON' : `it is no file of the format ${format}`;
    setAside(path, `could not be read: ${why}`, onUnusable, 'move');
    return undefined;
  }
  return usable(path, schema, marked, onUnusable);
}

/** The usable part of a file's content. Unusable parts are left out; the file is set aside, or copied first. */
export function usable<T extends object>(
  path: string,
  schema: Schema<T>,
  content: unknown,
  onUnusable: OnUnusable,
): T | undefined {
  const { value, dropped } = read(schema, content);
  if (value === undefined) setAside(path, `could not be read: it ${dropped[0]}`, onUnusable, 'move');
  else if (dropped.length > 0) {
    const what = dropped.length === 1 ? 'a part' : `${dropped.length} parts`;
    setAside(path, `is used without ${what} of it: ${dropped[0]}`, onUnusable, 'copy');
  }
  return value;
}

/** The text of a file. */
export function storedText<T extends object>({ format }: StoredFormat<T>, content: T): string {
  return `${JSON.stringify({ format, ...content })}\n`;
}

/**
 * Undefined where it is not JSON. `__proto__` is dropped at every depth: much of this ends in messages, which flows merge.
 */
export function parseStored(content: string): unknown {
  try {
    return JSON.parse(content, (key, value: unknown) => (key === '__proto__' ? undefined : value));
  } catch {
    return undefined;
  }
}

function isMarked(content: unknown): content is { format: unknown } {
  return typeof content === 'object' && content !== null && 'format' in content;
}

/** Keeps a file, as it is, beside its name. */
export function setAside(path: string, what: string, onUnusable: OnUnusable, how: 'move' | 'copy'): void {
  const aside = `${path}.broken`;
  try {
    if (how === 'move') renameSync(path, aside);
    else copyFileSync(path, aside);
    onUnusable(`${path} ${what}. The file as it was is kept as ${aside}.`);
  } catch {
    onUnusable(`${path} ${what}.`);
  }
}
