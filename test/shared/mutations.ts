/** What a damaged or newer file may hold in the place of one value. */
const ODD: readonly unknown[] = [null, 'newer', 1e300, [null]];

/** A damaged value, and what was done to it: `jobs.0.id left out`, `format = null`. */
export interface Mutation {
  readonly where: string;
  readonly value: unknown;
}

/** A value with one part of it, at whatever depth, left out or replaced; each way once. */
export function* mutationsOf(value: unknown): Generator<Mutation> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const replaced = (other: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other };
    yield { where: `${key} left out`, value: replaced(undefined) };
    for (const odd of ODD) yield { where: `${key} = ${JSON.stringify(odd)}`, value: replaced(odd) };
    for (const deeper of mutationsOf(inner)) {
      yield { where: `${key}.${deeper.where}`, value: replaced(deeper.value) };
    }
  }
}

/** A file that a full disk or a power cut has cut off, or another version has written. */
export function damagedFiles(content: string): string[] {
  const cut = [0, 1, 0.3, 0.7, 1].map((part, index) =>
    content.slice(0, index === 1 ? 1 : Math.floor(content.length * part)),
  );
  const newer = content.replace(/"format":"([\w-]+)\/1"/, '"format":"$1/99"');
  return [...cut, newer, 'null', '[]', '7', '"x"', '\u0000'.repeat(100), '{"format":null}', '{}', '['.repeat(50_000)];
}
