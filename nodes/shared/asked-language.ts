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
    const path = key.slice(key.indexOf(':') + 1).split('.');
    const text = path.reduce<Catalogue | string | undefined>((at, name) => {
      return typeof at === 'object' && Object.hasOwn(at, name) ? at[name] : undefined;
    }, catalogue);
    if (typeof text !== 'string') return key;
    return text.replace(/__(\w+?)__/g, (whole, name: string) =>
      Object.hasOwn(values, name) ? String(values[name]) : whole,
    );
  };
}
