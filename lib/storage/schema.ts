/**
 * Schemas of stored data: what a file may hold, whatever wrote it. Own code instead of a validator library: it is small,
 * it takes apart a record that is right in part, and its types fail the build where an interface has a property that
 * its schema does not.
 */

import { isIPv4 } from 'node:net';

/** Called for each part that is left out. */
export type OnDropped = (reason: string) => void;

/**
 * Returns the value with what it knows of it and nothing else.
 * @throws Mismatch where it is something else
 */
export type Schema<T> = (value: unknown, onDropped: OnDropped) => T;

/** A property that may be missing. */
export type Optional<T> = Schema<T | undefined> & { readonly [OPTIONAL]: true };
/** Of the types alone: nothing has it when the code runs. */
declare const OPTIONAL: unique symbol;

/** A schema for every property of `T`, none forgotten. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? Optional<Exclude<T[K], undefined>> : Schema<T[K]>;
};

/** The value is not what its schema says. The message quotes nothing of it. */
export class Mismatch extends Error {
  /** @param where the way to it, from the outside in */
  constructor(
    private readonly what: string,
    private readonly where: readonly (string | number)[] = [],
  ) {
    super([where.join('.'), what].filter((part) => part !== '').join(' '));
  }

  /** The same, seen from one level further out. */
  inside(key: string | number): Mismatch {
    return new Mismatch(this.what, [key, ...this.where]);
  }
}

const TEXT_LIMIT = 10_000;
const DEPTH_LIMIT = 30;
/** Before the first Sonoff was made a clock can only be one that was never set; it ticks all the same. */
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(2100, 0);

/** A text of at most `limit` characters. */
export function text(limit = TEXT_LIMIT): Schema<string> {
  return (value) => {
    if (typeof value !== 'string') throw new Mismatch('is no text');
    if (value.length > limit) throw new Mismatch(`has more than ${limit} characters`);
    return value;
  };
}

/** A text that a pattern knows. */
export function matching(pattern: RegExp, what: string): Schema<string> {
  const any = text();
  return (value, onDropped) => {
    const known = any(value, onDropped);
    if (!pattern.test(known)) throw new Mismatch(`is not ${what}`);
    return known;
  };
}

export const ipv4: Schema<string> = (value) => {
  if (typeof value !== 'string' || !isIPv4(value)) throw new Mismatch('is no IPv4 address');
  return value;
};

export const flag: Schema<boolean> = (value) => {
  if (typeof value !== 'boolean') throw new Mismatch('is neither true nor false');
  return value;
};

/** A number within these bounds, which are allowed themselves. */
export function number(least: number, most: number): Schema<number> {
  return (value) => {
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      throw new Mismatch(`is no number from ${least} to ${most}`);
    }
    return value;
  };
}

const wholeNumber = number(0, Number.MAX_SAFE_INTEGER);

/** 0, 1, 2 … */
export const count: Schema<number> = (value, onDropped) => {
  const known = wholeNumber(value, onDropped);
  if (!Number.isInteger(known)) throw new Mismatch('is no whole number');
  return known;
};

/** A time in ms since the epoch. */
export const instant: Schema<number> = number(EARLIEST_MS, LATEST_MS);

/** A time in ISO 8601. */
export const isoTime: Schema<string> = (value) => {
  const ms = typeof value === 'string' && value.length <= 40 ? Date.parse(value) : NaN;
  if (!(ms >= EARLIEST_MS && ms <= LATEST_MS)) throw new Mismatch('is no time that can be true');
  return value as string;
};

/** One of these words. */
export function oneOf<T extends string>(known: readonly T[]): Schema<T> {
  return (value) => {
    const found = known.find((one) => one === value);
    if (found === undefined) throw new Mismatch('is none of what is known');
    return found;
  };
}

/** One of the words of a type, none of which is forgotten. */
export function word<T extends string>(known: Readonly<Record<T, true>>): Schema<T> {
  return oneOf(Object.keys(known) as T[]);
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return (value, onDropped) => (value === null ? null : schema(value, onDropped));
}

export function optional<T>(schema: Schema<T>): Optional<T> {
  const read: Schema<T | undefined> = (value, onDropped) =>
    value === undefined ? undefined : schema(value, onDropped);
  return read as Optional<T>;
}

/** A property without which the rest is still of use: left out where it is not what it should be. */
export function droppable<T>(schema: Schema<T>): Optional<T> {
  return optional(replaceable(schema, undefined) as Schema<T>);
}

/** A value that something else can stand for where it is not what it should be. */
export function replaceable<T, U>(schema: Schema<T>, substitute: U): Schema<T | U> {
  return (value, onDropped) => {
    try {
      return schema(value, onDropped);
    } catch (error) {
      onDropped(mismatchOf(error).message);
      return substitute;
    }
  };
}

/** A plain object with these properties; others, such as those of a newer version, are left out. */
export function object<T extends object>(fields: Fields<T>): Schema<T> {
  const schemas = Object.entries<Schema<unknown>>(fields);
  return (value, onDropped) => {
    const given = objectOf(value);
    const entries = schemas.map(([key, schema]) => {
      const own = Object.hasOwn(given, key) ? given[key] : undefined;
      return [key, at(key, (told) => schema(own, told), onDropped)] as const;
    });
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined)) as T;
  };
}

/** A list, each of whose items must be right. */
export function list<T>(schema: Schema<T>): Schema<T[]> {
  return (value, onDropped) => arrayOf(value).map((one, index) => at(index, (told) => schema(one, told), onDropped));
}

/** A list whose wrong items are left out. */
export function salvagedList<T>(schema: Schema<T>): Schema<T[]> {
  return (value, onDropped) =>
    arrayOf(value).flatMap((one, index) => attempt(index, (told) => [schema(one, told)], onDropped) ?? []);
}

/** An object whose keys are data, too; wrong entries are left out. */
export function salvagedRecord<K extends string, T>(key: Schema<K>, schema: Schema<T>): Schema<Partial<Record<K, T>>> {
  return (value, onDropped) => {
    const entries = Object.entries(objectOf(value)).flatMap(
      ([name, one]) =>
        attempt(name.slice(0, 40), (told) => [[key(name, told), schema(one, told)] as const], onDropped) ?? [],
    );
    return Object.fromEntries(entries) as Partial<Record<K, T>>;
  };
}

/** Any object of JSON, not too deep; for what flows and stages put there. */
export const jsonObject: Schema<Record<string, unknown>> = (value) => {
  const given = objectOf(value);
  requireDepth(given, DEPTH_LIMIT);
  return { ...given };
};

/** Runs a schema against a value that may be anything. */
export function read<T>(schema: Schema<T>, value: unknown): { value?: T; dropped: string[] } {
  const dropped: string[] = [];
  const read = attempt(
    undefined,
    (told) => ({ value: schema(value, told) }),
    (reason) => dropped.push(reason),
  );
  return { ...read, dropped };
}

function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Mismatch('is no object');
  return value as Record<string, unknown>;
}

function arrayOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Mismatch('is no list');
  return value;
}

function requireDepth(value: unknown, levels: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (levels === 0) throw new Mismatch('is nested too deeply');
  for (const one of Object.values(value)) requireDepth(one, levels - 1);
}

/** Lets what goes wrong inside tell where. */
function at<T>(key: string | number, act: (onDropped: OnDropped) => T, onDropped: OnDropped): T {
  try {
    return act((reason) => onDropped(`${key}.${reason}`));
  } catch (error) {
    throw mismatchOf(error).inside(key);
  }
}

function attempt<T>(
  key: string | number | undefined,
  act: (onDropped: OnDropped) => T,
  onDropped: OnDropped,
): T | undefined {
  try {
    return key === undefined ? act(onDropped) : at(key, act, onDropped);
  } catch (error) {
    onDropped(mismatchOf(error).message);
    return undefined;
  }
}

/** Anything else that is thrown is a fault of this program. */
function mismatchOf(error: unknown): Mismatch {
  if (error instanceof Mismatch) return error;
  throw error;
}
