/* What fills a sentence of the runtime: names and numbers, words of ours, and whole explanations. */

type SonotaValue =
  | string
  | number
  | { code: string; text: string; values?: SonotaValues }
  | { error: string; text: string; values: SonotaValues };
interface SonotaValues {
  [name: string]: SonotaValue;
}

/** The values in the editor's language, as its catalogues take them. */
function sonotaSpoken(values: SonotaValues): Record<string, string | number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, sonotaSpokenValue(value)]));
}

function sonotaSpokenValue(value: SonotaValue): string | number {
  if (typeof value !== 'object') return value;
  if ('error' in value) {
    const parts = ['what', 'remedy'].map((part) => sonotaCatalogued(`errors.${value.error}.${part}`, value.values));
    return parts.includes(undefined) ? value.text : parts.join(' ');
  }
  return sonotaCatalogued(`wordings.${value.code}`, value.values ?? {}) ?? value.text;
}

/** A text that the nodes share; undefined where the catalogue has none. */
function sonotaCatalogued(key: string, values: SonotaValues): string | undefined {
  const text: unknown = RED._(`@sonota/node-red/sonota-host:${key}`, sonotaSpoken(values));
  return typeof text !== 'string' || text === '' || text.endsWith(key) ? undefined : text;
}
