import assert from 'node:assert/strict';
import fc from 'fast-check';
import { read } from '../../lib/storage/schema';
import { STAGES, type StageName } from '../../lib/flash/stages';
import { lastRequestIn } from '../../lib/flash/overview/last-request';
import type { Observation } from '../../lib/flash/observation';
import { observation } from '../../lib/flash/verdict/observation-schema';
import { judge } from '../../lib/flash/verdict/rules/judge';
import { OBSERVATIONS } from './stored-samples';

const stored = OBSERVATIONS;
const ODD: readonly unknown[] = [
  undefined,
  null,
  '',
  'x',
  '\u0000',
  0,
  -1,
  1.5,
  1e308,
  true,
  [],
  {},
  [null],
  [{}],
  'a'.repeat(20_000),
];

describe('flash/stored observations', () => {
  it('are read as they were written, each kind with all its properties', () => {
    for (const seen of stored) {
      assert.deepEqual(read(observation, JSON.parse(JSON.stringify(seen))), { value: seen, dropped: [] });
    }
  });

  it('lose what a newer version added, and its unknown kinds', () => {
    const { value } = read(observation, { at: 1, kind: 'session-lost', why: 'new', constructor: 1 });
    assert.deepEqual(value, { at: 1, kind: 'session-lost' });
    for (const kind of ['telepathy', 'constructor', '__proto__', undefined, 7]) {
      assert.equal(read(observation, { at: 1, kind }).value, undefined);
    }
  });

  it('have times that can be true', () => {
    for (const at of [-1, NaN, Infinity, 1e300, 8.64e15, '2026-01-01T00:00:00Z', null, undefined]) {
      const { value, dropped } = read(observation, { at, kind: 'session-lost' });
      assert.deepEqual([value, dropped.length], [undefined, 1]);
    }
  });

  it('never make a verdict throw, whatever one property of them became', () => {
    for (const seen of stored) {
      for (const [key, odd] of Object.keys(seen).flatMap((name) => ODD.map((value) => [name, value] as const))) {
        const { value } = read(observation, { ...seen, [key]: odd });
        if (value) for (const stage of STAGES) judgeAll(stage, [value]);
      }
    }
  });

  it('never make a verdict throw, in whatever order and number they are', () => {
    const one = fc
      .constantFrom(...stored)
      .chain((seen) =>
        fc
          .tuple(fc.constantFrom(...Object.keys(seen)), fc.constantFrom(...ODD), fc.boolean())
          .map(([key, odd, isWhole]) => (isWhole ? seen : { ...seen, [key]: odd })),
      );
    fc.assert(
      fc.property(fc.constantFrom(...STAGES), fc.array(one, { maxLength: 30 }), (stage, all) => {
        judgeAll(
          stage,
          all.flatMap((seen) => read(observation, seen).value ?? []),
        );
      }),
      { seed: 13, numRuns: 500 },
    );
  });
});

/** As the sidebar and the flows do. */
function judgeAll(stage: StageName, seen: readonly Observation[]): void {
  const all: Observation[] = [{ at: 0, kind: 'stage', stage, event: 'began', seconds: 1 }, ...seen];
  const over: Observation[] = [...all, { at: 1, kind: 'stage', stage, event: 'over' }];
  for (const observations of [seen, all, over]) {
    assert.equal(typeof judge(observations, 100_000).text, 'string');
    lastRequestIn(observations);
  }
}
