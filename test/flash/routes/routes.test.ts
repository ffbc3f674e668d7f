import assert from 'node:assert/strict';
import {
  FINALSTAGE,
  ONE_HOP,
  percentIn,
  routeNamed,
  ROUTES,
  routeThrough,
  stageOf,
  STAGES,
} from '../../../lib/flash/routes';
import type { Intermediate } from '../../../lib/firmware/firmware';
import { chosenRoute, knownChoice } from '../../../lib/flash/routes/choice';
import { routeName } from '../../../lib/flash/routes/route-schema';
import { read } from '../../../lib/storage/schema';
import { assertCode } from '../refusals';

describe('flash/routes', () => {
  for (const route of ROUTES) {
    it(`${route.name} covers 0 to 100 percent with its stages, in the common order`, () => {
      const names = route.stages.map(({ stage }) => stage);
      assert.deepEqual(
        names,
        STAGES.filter((stage) => names.includes(stage)),
      );
      const firstLast = route.stages.findIndex(({ isLast }) => isLast);
      const way = route.stages.slice(0, firstLast + 1);
      const spans = way.map(({ percent }) => percent);
      assert.deepEqual([spans[0]?.[0], spans.at(-1)?.[1]], [0, 100]);
      spans.slice(1).forEach(([from], index) => assert.equal(from, spans[index]?.[1]));
      assert.ok(
        route.stages.slice(firstLast).every(({ isLast }) => isLast),
        'nothing follows the last one',
      );
      for (const stage of [route.servesUntil, route.darkAfter, route.resumesAt]) {
        if (stage) assert.ok(names.includes(stage), stage);
      }
    });
  }

  it('counts percents of a stage between nothing and all', () => {
    const percents = FINALSTAGE.stages.map((stage) => {
      assert.equal(stageOf(undefined, stage.stage), stage, 'as long as there is no route');
      return [-1, 0.5, 0.999, 2].map((fraction) => percentIn(stage, fraction));
    });
    assert.deepEqual(percents, [
      [0, 5, 9, 10],
      [10, 15, 19, 20],
      [20, 40, 59, 60],
      [60, 80, 99, 100],
      [60, 80, 99, 100],
    ]);
  });

  it('knows a route by its name, and by a stage that no other has', () => {
    assert.deepEqual(['finalstage', 'one-hop', 'toString', undefined].map(routeNamed), [
      FINALSTAGE,
      ONE_HOP,
      undefined,
      undefined,
    ]);
    assert.deepEqual([routeThrough('finalstage'), routeThrough('upgrade')], [FINALSTAGE, undefined]);
    assert.equal(stageOf(ONE_HOP, 'finalstage'), undefined);
    assert.equal(read(routeName, 'one-hop').value, 'one-hop');
    for (const strange of ['two-hops', 3, null]) assert.equal(read(routeName, strange).value, undefined);
  });

  it('takes FinalStage where nothing is chosen, and refuses a word that it does not know', async () => {
    assert.deepEqual(
      [undefined, null, '', 'finalstage', 'one-hop'].map((word) => chosenRoute({ intermediate: word as Intermediate })),
      [FINALSTAGE, FINALSTAGE, FINALSTAGE, FINALSTAGE, ONE_HOP],
    );
    const strange = { intermediate: 'toString' as Intermediate };
    assert.equal(knownChoice(strange), undefined);
    await assertCode(
      Promise.resolve().then(() => chosenRoute(strange)),
      'intermediate-unknown',
    );
  });
});
