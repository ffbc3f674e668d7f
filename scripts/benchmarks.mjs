/**
 * What docs/ and README.md say of the last `npm run bench -- --json test/bench/measured.json`. Figures of a partner are in
 * the same row: see test/bench/figures.ts.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { root } from './prepare.mjs';

const { median, shown } = createRequire(import.meta.url)(join(root, 'dist/test/bench/figures.js'));

/** The file that the docs are made from. */
export const MEASURED = join(root, 'test', 'bench', 'measured.json');

/** As the docs name them: `<!-- benchmark: PART -->`. @param table makes one of a head and rows */
export function benchmarks(table) {
  const measured = JSON.parse(readFileSync(MEASURED, 'utf8'));
  const of = (row, figure) => {
    const found = measured.rows.find(({ name }) => name === row)?.figures[figure];
    if (!found) throw new Error(`${MEASURED} has no "${figure}" of "${row}"`);
    return found;
  };
  return {
    /** By how much later 200 devices have their image than at a bare server. */
    late: () => ratio(of(MANY, 'time')).toFixed(1),
    /** The processor time of a device, the time until the last has its image, and the slowest ranges. */
    cost: () => {
      const rows = [1, 10, 50, 200].map((count) => {
        const row = concurrent(count);
        const cpu = of(row, 'server CPU, user');
        return [
          `${count}`,
          both(of(row, 'time'), 1, 's'),
          both(of(row, 'a range, p99'), 0, 'ms'),
          both({ ours: cpu.ours.map((ms) => ms / count), partner: cpu.partner.map((ms) => ms / count) }, 0, 'ms'),
        ];
      });
      return table(
        ['devices at once', 'until the last has it', '99 of 100 ranges within', 'processor time a device'],
        rows,
      );
    },
    memory: () => `${median(of('memory a device', '200 less 20, each').ours).toFixed(0)} kB`,
    limits: () => table(['what', 'at most', 'measured', 'holds'], limits(of)),
    all: () => {
      const rows = measured.rows.flatMap(({ name, figures }) =>
        Object.entries(figures).map(([what, figure]) => [
          name,
          what,
          shown(figure, figure.ours),
          shown(figure, figure.partner),
        ]),
      );
      return `Node.js ${measured.node}\n\n${table(['row', 'figure', 'ours', 'partner'], rows)}`;
    },
  };
}

const concurrent = (count) => `${count} concurrent, 50 ms a sector`;
const MANY = concurrent(200);

/** What is to hold, with whether it does. */
function limits(of) {
  const line = (what, limit, measured, unit, digits = 0) => {
    const held = measured <= limit ? 'yes' : 'no';
    return [what, `${limit.toFixed(digits)} ${unit}`, `${measured.toFixed(digits)} ${unit}`, held];
  };
  const range = of(MANY, 'a range, p99');
  const start = of('start of Node-RED', 'until the flows run');
  return [
    line('200 devices, beside the bare server', 1.5, ratio(of(MANY, 'time')), 'times as long', 2),
    line(
      '200 devices, 99 of 100 ranges: twice the bare server and 10 ms',
      2 * median(range.partner) + 10,
      median(range.ours),
      'ms',
    ),
    line('200 devices, 999 of 1000 delays of the event loop', 50, median(of(MANY, 'loop delay, p99.9').ours), 'ms'),
    line('a device in memory', 150, median(of('memory a device', '200 less 20, each').ours), 'kB'),
    line(
      '50 devices without flash time, beside the bare server',
      3,
      ratio(of('50 concurrent, no flash time', 'time')),
      'times as long',
      2,
    ),
    line('flows run later with the package', 150, median(start.ours) - median(start.partner), 'ms'),
  ];
}

function ratio({ ours, partner }) {
  return median(ours) / median(partner);
}

function both({ ours, partner }, digits, unit) {
  return `${median(ours).toFixed(digits)} / ${median(partner).toFixed(digits)} ${unit}`;
}
