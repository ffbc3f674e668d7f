/**
 * `npm run bench`: measures what the package costs, each row beside a partner in the same run, and prints a table. Rows
 * are chosen by words in their names, such as `npm run bench -- concurrent`; `--rounds 1` is quick and rough; `--json FILE`
 * keeps every single figure, `--profile FOLDER` profiles of the processes. `--peer URL` of an image that another program
 * serves on this machine adds the row beside it.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeFinalImage, packOneHop } from '../../lib/image';
import { Child } from './child';
import { table, type Row } from './figures';
import { instructed, restated } from './home-assistant';
import { finalStageSpeed } from './finalstage';
import { imageWork } from './image-work';
import { installSize } from './install-size';
import { besidePeer, close, devices, memory, oneAfterAnother, withEditor, type LoadOptions } from './load';
import { nodeRedStart } from './node-red-start';

const ROUNDS = 5;
/** As much as Tasmota lite has, and as well packed. */
const FINAL_BYTES = 500_000;

const folder = mkdtempSync(join(tmpdir(), 'sonota-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const ROWS: Readonly<Record<string, (options: LoadOptions) => Promise<Row>>> = {
  'one upgrade': (options) => devices(1, 0, options),
  '1 concurrent': (options) => devices(1, 50, options),
  '10 concurrent': (options) => devices(10, 50, options),
  '50 concurrent': (options) => devices(50, 50, options),
  '200 concurrent': (options) => devices(200, 50, options),
  '50 concurrent without flash time': (options) => devices(50, 0, options),
  'an editor open': (options) => withEditor(200, 50, options),
  memory: (options) => memory(20, 200, options),
  close: (options) => close(200, options),
  'home assistant, 100 devices restated': ({ rounds }) => restated(100, rounds),
  'home assistant, instruction': ({ rounds }) => instructed(rounds),
  'FinalStage speed': ({ imagePath, rounds }) => finalStageSpeed(readFileSync(imagePath), rounds),
  'image work': ({ imagePath, rounds }) => imageWork(readFileSync(imagePath), rounds),
  'start of Node-RED': ({ rounds }) => nodeRedStart(folder, rounds),
  'one after another': (options) => oneAfterAnother([100, 1000, 2000], options),
  installation: async () => installSize(),
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      peer: { type: 'string' },
    },
  });
  Child.profiles = values.profile;
  const imagePath = writeImages();
  const options = { imagePath, rounds: Number(values.rounds ?? ROUNDS) };
  const rows: Row[] = [];
  for (const [name, measure] of Object.entries(ROWS)) {
    if (positionals.length > 0 && !positionals.some((word) => name.includes(word))) continue;
    console.error(`${name} …`);
    rows.push(await measure(options));
  }
  if (values.peer !== undefined) rows.push(await besidePeer(values.peer, options));
  console.log(`\nNode.js ${process.version}, ${cpus().length} processors, ${options.rounds} rounds: median (worst)\n`);
  console.log(table(rows));
  if (values.json) writeFileSync(values.json, asJson({ node: process.version, rows }));
}

/** A row a line, with figures to a thousandth. */
function asJson({ node, rows }: { node: string; rows: readonly Row[] }): string {
  const rounded = (_key: string, value: unknown): unknown =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  const lines = rows.map((row) => JSON.stringify(row, rounded));
  return `{"node":${JSON.stringify(node)},"rows":[\n${lines.join(',\n')}\n]}\n`;
}

/** A final image for our side; packed, as our side packs it, for the partner. @returns path of the first */
function writeImages(): string {
  const final = makeFinalImage({ size: FINAL_BYTES, seed: 5, text: 'Theo Arends', redundancy: 0.3 });
  const path = join(folder, 'final.bin');
  writeFileSync(path, final);
  writeFileSync(`${path}.packed`, packOneHop(final));
  return path;
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    console.error(error.stack);
    process.exit(1);
  },
);
