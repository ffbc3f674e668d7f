import { wording, type Wording } from '../wordings/wording';

/** Longest message we read, in characters. The longest known of a device has under 500. */
export const MESSAGE_LIMIT = 4096;

/**
 * A device's message as an object, or the reason why it is none. The reason never quotes the message, which may hold keys.
 *
 * `__proto__` is dropped at every depth, so that what a device sends can be merged into a flow's message safely.
 */
export function parseObject(text: string): { readonly object: Record<string, unknown> } | { readonly reason: Wording } {
  if (text.length > MESSAGE_LIMIT) return { reason: wording('too-long', { limit: MESSAGE_LIMIT }) };
  let value: unknown;
  try {
    value = JSON.parse(text, (key, inner: unknown) => (key === '__proto__' ? undefined : inner));
  } catch {
    return { reason: wording('not-json') };
  }
  return isObject(value) ? { object: value } : { reason: wording('not-an-object') };
}

/** Whether a value is a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * JSON in ASCII alone, for the device's WebSocket parser (docs/dev/stock-firmware.md#3.4). Everything else becomes a \u
 * escape, which is the same JSON.
 */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
