/** How much later the flows of a Node-RED run that has this package installed; with and without it in turns. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startNodeRed } from '../shared/node-red';
import type { Row } from './figures';

/** @param folder for a package of the same name with nothing in it */
export async function nodeRedStart(folder: string, rounds: number): Promise<Row> {
  const empty = join(folder, 'empty');
  mkdirSync(empty, { recursive: true });
  writeFileSync(join(empty, 'package.json'), JSON.stringify({ name: '@sonota/node-red', version: '0.0.0' }));
  const time = { ours: [] as number[], partner: [] as number[] };
  // The first one reads it all from the disk.
  await started(empty);
  await started(undefined);
  for (let round = 0; round < rounds; round++) {
    time.partner.push(await started(empty));
    time.ours.push(await started(undefined));
  }
  const figures = { 'until the flows run': { unit: 'ms', ...time } };
  return { name: 'start of Node-RED', partner: 'without the package', figures };
}

async function started(packageFolder: string | undefined): Promise<number> {
  const begun = performance.now();
  const red = await startNodeRed(packageFolder === undefined ? {} : { packageFolder });
  const took = performance.now() - begun;
  await red.stop();
  return took;
}
