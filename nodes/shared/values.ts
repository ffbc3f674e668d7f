import { FlashError } from '../../lib/errors';
import { DEVICE_ID } from '../../lib/protocol/device-statement';
import { AP_SSID_PREFIX } from '../../lib/protocol/ap';
import { migrated } from './migrations';
import { wording, type Wording, type WordingValue } from '../../lib/wordings/wording';

/** Node-RED replaces a field with a variable's value only where nothing else is in it, and leaves it where none is set. */
const VARIABLE = /^\$\{([^}]+)\}$|^\$\((\S+)\)$/;
const VARIABLE_INSIDE = /\$\{[^}]+\}/;

const SET = ['true', '1', 'on', 'yes'];
const NOT_SET = ['false', '0', 'off', 'no', ''];

/** All devices seen so far; their ids are lower-case wherever they state them. */
const HEX_ID = /^[\da-f]{10}$/i;

/** The longest timer of Node.js is 2^31 ms. */
const SECONDS_LIMIT = 2_000_000;

/** Beyond this many digits JavaScript has already changed a number that was meant as a text. */
const DIGITS_LIMIT = 1e15;

const QUOTE_LIMIT = 40;

/**
 * The one reader of what a node is given: form fields and credentials, message properties. Node-RED delivers all of them
 * in more types than they are documented with: numbers for digits, texts for booleans, variables that are not set,
 * spaces at the ends. Nothing else in `nodes/` may look at a raw value (a lint rule sees to that).
 *
 * Undefined, null and the empty text mean "not given". Whatever cannot be read is a FlashError `value-invalid`, or
 * `variable-unset` for a variable; no error quotes a secret.
 */
export class Values {
  /** @param prefix stands before the names of the values in errors */
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    private readonly prefix: string,
  ) {}

  static ofForm(config: object, credentials: object | undefined = {}): Values {
    return new Values({ ...migrated({ ...config }), ...credentials }, '');
  }

  static ofMessage(message: object): Values {
    return new Values({ ...message }, 'msg.');
  }

  /** The value as it is, for images and payloads that are more than one value. */
  raw(key: string): unknown {
    return this.values[key];
  }

  /** A text without the spaces around it; digits may come as a number. */
  text(key: string): string | undefined {
    const text = this.textOf(key)?.trim() ?? '';
    if (VARIABLE.test(text)) throw this.unset(key, text);
    if (VARIABLE_INSIDE.test(text)) {
      throw this.invalid(key, wording('value-variable-inside'));
    }
    return text === '' ? undefined : text;
  }

  /** A text of which every character counts: a password, the name of a Wi-Fi. It is not quoted in errors. */
  exactText(key: string): string | undefined {
    return this.textOf(key);
  }

  /** A checkbox or a switch: true, 1, on, yes; false, 0, off, no or nothing. */
  flag(key: string): boolean {
    const value = this.values[key] ?? '';
    const isReadable = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    const text = isReadable ? String(value).trim().toLowerCase() : undefined;
    if (text !== undefined && SET.includes(text)) return true;
    if (text !== undefined && NOT_SET.includes(text)) return false;
    if (typeof value === 'string' && VARIABLE.test(value.trim())) throw this.unset(key, value);
    throw this.expected(key, value, wording('expected-flag'));
  }

  /** More than nothing, as a timer can wait. */
  seconds(key: string): number | undefined {
    return this.number(key, wording('expected-seconds', { limit: SECONDS_LIMIT }), (n) => n > 0 && n <= SECONDS_LIMIT);
  }

  port(key: string): number | undefined {
    return this.number(key, wording('expected-port'), (n) => Number.isInteger(n) && n <= 65535);
  }

  /** A whole number from 1 on. */
  count(key: string): number | undefined {
    return this.number(key, wording('expected-count'), (n) => Number.isSafeInteger(n) && n >= 1);
  }

  factor(key: string): number | undefined {
    return this.number(key, wording('expected-factor'), (n) => n > 0);
  }

  /**
   * One of several words; capitals do not count.
   * @param refuse makes the error where the choice has one of its own
   */
  choice<T extends string>(
    key: string,
    options: readonly T[],
    refuse?: (given: WordingValue) => FlashError,
  ): T | undefined {
    const text = this.choosable(key, refuse);
    if (text === undefined) return undefined;
    const chosen = options.find((option) => option.toLowerCase() === text.toLowerCase());
    if (chosen !== undefined) return chosen;
    if (refuse) throw refuse(text.slice(0, QUOTE_LIMIT));
    throw this.invalid(key, wording('value-one-of', { given: shown(text), list: options.filter(Boolean).join(', ') }));
  }

  /** A device's id, which people also read off the name of its access point. */
  deviceId(key = 'deviceid'): string | undefined {
    const text = this.text(key);
    return text === undefined ? undefined : this.idOf(key, text);
  }

  /** A list of ids, or one text with several. Undefined where there is none; each id once. */
  deviceIds(key = 'deviceids'): string[] | undefined {
    const value = this.values[key];
    if (!Array.isArray(value)) {
      const text = this.text(key);
      return text === undefined ? undefined : [...new Set(text.split(/[\s,;]+/).map((one) => this.idOf(key, one)))];
    }
    const items = new Values(Object.fromEntries(value.entries()), `${this.prefix}${key}, item `);
    const ids = value.map((_, index) => items.deviceId(String(index)));
    if (ids.includes(undefined)) throw this.invalid(key, wording('value-item-empty'));
    return [...new Set(ids as string[])];
  }

  /**
   * The address of a web page that these devices could have: http alone, which may be left out.
   * @throws FlashError `url-invalid`
   */
  httpUrl(key: string): string | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const url = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`;
    const parsed = /[\s{}]/.test(url) || !URL.canParse(url) ? undefined : new URL(url);
    if (parsed?.protocol === 'http:' && parsed.username === '' && parsed.password === '') return url;
    throw new FlashError('url-invalid', { url: text.replace(/\/\/[^/]*@/, '//…@').slice(0, 2 * QUOTE_LIMIT) });
  }

  /** What an object under this name holds; undefined where nothing is given. */
  object(key: string): Values | undefined {
    const value = this.values[key] ?? '';
    if (value === '') return undefined;
    if (isPlainObject(value)) return new Values(value, `${this.prefix}${key}.`);
    throw this.invalid(key, wording('value-expected', { given: kindOf(value), expected: wording('expected-object') }));
  }

  /** What an object under this name holds; nothing where it is something else, which is another node's affair. */
  inside(key: string): Values {
    const value = this.values[key];
    return new Values(isPlainObject(value) ? value : {}, `${this.prefix}${key}.`);
  }

  invalid(key: string, reason: Wording): FlashError {
    return new FlashError('value-invalid', { name: this.prefix + key, reason });
  }

  private expected(key: string, given: unknown, expected: Wording): FlashError {
    return this.invalid(key, wording('value-expected', { given: shown(given), expected }));
  }

  private number(key: string, expected: Wording, isFit: (number: number) => boolean): number | undefined {
    const value = this.values[key] ?? '';
    const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : undefined;
    if (text === '') return undefined;
    if (text !== undefined && VARIABLE.test(text)) throw this.unset(key, text);
    if (text !== undefined && /^\d+(\.\d+)?$/.test(text) && isFit(Number(text))) return Number(text);
    throw this.expected(key, value, expected);
  }

  /** What is no text is no choice either, for an error of the choice's own. */
  private choosable(key: string, refuse: ((given: WordingValue) => FlashError) | undefined): string | undefined {
    const value = this.values[key] ?? '';
    if (refuse && !['string', 'number'].includes(typeof value)) throw refuse(kindOf(value));
    return this.text(key);
  }

  private idOf(key: string, text: string): string {
    const id = text.toLowerCase().startsWith(AP_SSID_PREFIX.toLowerCase()) ? text.slice(AP_SSID_PREFIX.length) : text;
    if (!DEVICE_ID.test(id)) {
      throw this.expected(key, text, wording('expected-device-id'));
    }
    return HEX_ID.test(id) ? id.toLowerCase() : id;
  }

  private textOf(key: string): string | undefined {
    const value = this.values[key] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === 'string') {
      if (VARIABLE.test(value)) throw this.unset(key, value);
      return value;
    }
    if (typeof value !== 'number') throw this.invalid(key, wording('value-no-text', { given: kindOf(value) }));
    if (Number.isSafeInteger(value) && Math.abs(value) < DIGITS_LIMIT) return String(value);
    throw this.invalid(key, wording('value-number-changed'));
  }

  private unset(key: string, text: string): FlashError {
    const [, variable, old] = VARIABLE.exec(text.trim()) ?? [];
    return new FlashError('variable-unset', { variable: variable ?? old ?? text, name: this.prefix + key });
  }
}

/** What an object of a flow is, whatever realm it comes from. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function shown(value: unknown): WordingValue {
  if (typeof value === 'string') return `"${value.slice(0, QUOTE_LIMIT)}"`;
  return typeof value === 'number' ? String(value) : kindOf(value);
}

function kindOf(value: unknown): WordingValue {
  if (Array.isArray(value)) return wording('kind-list');
  if (ArrayBuffer.isView(value)) return wording('kind-buffer');
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return wording('kind-object');
  return typeof value === 'function' ? wording('kind-function') : wording('kind-other', { type: typeof value });
}
