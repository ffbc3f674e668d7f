import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request } from 'express';
import type { NodeAPI } from 'node-red';

/** Looks texts up in one language, as `RED` does in the runtime's. */
export type Speaker = Pick<NodeAPI, '_'>;

interface Catalogue {
  readonly [key: string]: string | Catalogue;
}

/** Beside the compiled nodes: the texts that nodes share, with the folder of each language. */
const CATALOGUES = join(__dirname, '..', 'sonota-host', 'locales');
const FALLBACK = 'en-US';

/** Read with the first request that names a language. */
let languages: string[] | undefined;
const loaded = new Map<string, Speaker>();

/**
 * Speaks the language of the editor that asks, which its requests name in `Accept-Language`. The runtime may speak another
 * one, and it has no other catalogue loaded. A client that names no language is answered in the runtime's.
 */
export function speakerFor(RED: Speaker, request: Pick<Request, 'headers' | 'acceptsLanguages'>): Speaker {
  const asked = request.headers['accept-language'] ?? '*';
  if (/^\s*\*?\s*$/.test(asked)) return RED;
  // The editor's own fallback where it has no translation.
  languages ??= readdirSync(CATALOGUES);
  return speakerOf(request.acceptsLanguages(languages) || FALLBACK);
}

function speakerOf(language: string): Speaker {
  const known = loaded.get(language);
  if (known) return known;
  const catalogue = JSON.parse(readFileSync(join(CATALOGUES, language, 'sonota-host.json'), 'utf8')) as Catalogue;
  const speaker = { _: lookUpIn(catalogue) as NodeAPI['_'] };
  loaded.set(language, speaker);
  return speaker;
}

/** As Node-RED looks a text up: a missing one comes back as its key, a missing value as its placeholder. */
function lookUpIn(catalogue: Catalogue): (key: string, values?: Readonly<Record<string, unknown>>) => string {
  return (key, values = {}) => {
    const text = textAt(catalogue, key.slice(key.indexOf(':') + 1).split('.'));
    if (text === undefined) return key;
    return text.replace(/__(\w+?)__/g, (whole, name: string) =>
      Object.hasOwn(values, name) ? String(values[name]) : whole,
    );
  };
}

/** A name may have dots of its own, such as `version-2.6`. */
function textAt(at: Catalogue | string | undefined, path: readonly string[]): string | undefined {
  if (path.length === 0) return typeof at === 'string' ? at : undefined;
  if (typeof at !== 'object') return undefined;
  for (let count = 1; count <= path.length; count += 1) {
    const name = path.slice(0, count).join('.');
    const text = Object.hasOwn(at, name) ? textAt(at[name], path.slice(count)) : undefined;
    if (text !== undefined) return text;
  }
  return undefined;
}
