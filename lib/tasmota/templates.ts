/** Which module of Tasmota a stock Sonoff is; facts only, with a source for each (firmware/tasmota-templates.json). */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The package's own table; found from the compiled file, in dist/lib/. */
export const TEMPLATES_FILE = join(__dirname, '..', '..', '..', 'firmware', 'tasmota-templates.json');

export interface TasmotaModule {
  /** As the command `Module` counts. */
  readonly number: number;
  readonly name: string;
}

export interface ModelTemplate {
  /** As the stock firmware states it in its dispatch. */
  readonly model: string;
  readonly products: string;
  /** Null where the model alone does not say which. */
  readonly module: TasmotaModule | null;
  /** Those that it may be, where it is not sure. */
  readonly candidates: readonly TasmotaModule[];
  readonly sources: readonly string[];
  readonly notes: string;
}

let ofPackage: readonly ModelTemplate[] | undefined;

/** The template of a model; undefined where none is known. */
export function templateOf(model: string | undefined): ModelTemplate | undefined {
  ofPackage ??= (JSON.parse(readFileSync(TEMPLATES_FILE, 'utf8')) as { models: ModelTemplate[] }).models;
  return ofPackage.find((row) => row.model === model);
}
