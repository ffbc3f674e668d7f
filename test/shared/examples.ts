import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Flow } from './node-red';
import { packageRoot } from './package-root';

const folder = join(packageRoot(), 'examples');

/** An example by its file's name, without its ending. */
export function example(name: string): Flow {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Flow;
}

/** An example by its number. */
export function exampleOf(number: string): Flow {
  return example(nameOf(number));
}

/** What the menu calls it. */
export function nameOf(number: string): string {
  const names = readdirSync(folder).filter((name) => name.startsWith(`${number} - `));
  assert.equal(names.length, 1, `example ${number}`);
  return String(names[0]).replace(/\.json$/, '');
}

/** Of all examples, in their order. */
export function exampleNumbers(): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, 2))
    .sort();
}

/** The examples that need no palette beside this one; the others are run by scripts of their own. */
export function plainExamples(): { name: string; flow: Flow }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => ({ name: file.replace(/\.json$/, ''), flow: example(file.replace(/\.json$/, '')) }))
    .filter(({ flow }) => !flow.some(({ type }) => isForeign(type)));
}

/** Whether a type is of neither Node-RED nor this package. */
function isForeign(type: string): boolean {
  return /^(ui-.*|server|server-events|api-call-service)$/.test(type);
}
