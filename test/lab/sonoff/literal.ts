/**
 * How the firmware reads text: by searching for literal substrings. No JSON parser, no HTTP parser; a name that stands
 * twice is found at its first place, and an escape in a string stays as it is written (stock-firmware 1.3, 3.4).
 */

/** The value behind `"name":`, a string without its quotes, or a number's digits; undefined where it is missing. */
export function jsonText(text: string, name: string): string | undefined {
  return /^"([^"]*)"/.exec(after(text, name) ?? '')?.[1];
}

export function jsonNumber(text: string, name: string): number | undefined {
  const digits = /^-?\d+/.exec(after(text, name) ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits);
}

export function jsonHas(text: string, name: string): boolean {
  return after(text, name) !== undefined;
}

/** A header's value, its name spelled exactly so and followed by a colon and one space. */
export function header(head: string, name: string): string | undefined {
  const start = head.indexOf(`\r\n${name}: `);
  if (start < 0) return undefined;
  const from = start + name.length + 4;
  return head.slice(from, head.indexOf('\r\n', from));
}

function after(text: string, name: string): string | undefined {
  const found = new RegExp(`"${name}"\\s*:\\s*`).exec(text);
  return found === null ? undefined : text.slice(found.index + found[0].length);
}
