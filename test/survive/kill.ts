import assert from 'node:assert/strict';
import type { Point } from './points';
import { Scene } from './scene';

/** Flashes a device through a kill of Node-RED at this point, and a restart. */
export async function surviveAt(point: Point): Promise<void> {
  const { end = 'done', upgrades = 1 } = point;
  const scene = await Scene.open(point.options);
  try {
    point.arm(scene);
    await scene.inject();
    await scene.shows('provision', /ITEAD/);
    await scene.device.start();
    await scene.killed();
    scene.air.holdAfter = Infinity;
    scene.device.behave({ blockPauseMs: 0 });
    await scene.holdsNoSecret();
    await scene.restart();
    await point.then?.(scene);
    if (end === 'lost') return assert.ok(!scene.holdsFinal());
    await scene.flashed();
    await scene.done();
    assert.equal(scene.upgrades, upgrades, scene.device.log.join('\n'));
  } finally {
    await scene.close();
  }
}
