import { FlashError } from '../../lib/errors';

/** A form's number, which may arrive as a string; empty or unreadable means the default. */
export function numberOr(value: unknown, fallback: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : fallback;
}

/** A form's text; empty means the default. */
export function textOr(value: unknown, fallback: string): string {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? fallback : text;
}

/** A form's or a message's text, or undefined where there is none. */
export function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * A form's http:// address; empty means the default.
 * @throws FlashError `url-invalid`
 */
export function httpUrlOr(value: unknown, fallback: string): string {
  const url = textOr(value, fallback);
  if (URL.canParse(url) && new URL(url).protocol === 'http:') return url;
  throw new FlashError('url-invalid', { url });
}

/** A form's checkbox, which may arrive as a string. */
export function isTicked(value: unknown): boolean {
  return value === true || value === 'true';
}
