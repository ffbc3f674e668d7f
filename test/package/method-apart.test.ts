import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { packageRoot } from '../shared/package-root';

/**
 * Where lib/flash may know of DIY mode: all else asks the job's route, the table of a stage's texts or that of the codes
 * (docs/dev/architecture.md#6). Another way to flash needs no edit in what is not here.
 */
const MAY_KNOW = [
  'stages.ts',
  'routes/',
  'stage/diy/',
  'verdict/rules/',
  // The server of its image.
  'images/diy-',
  'images/providers.ts',
  // It lists every Sonoff, with the method of each.
  'discovery/',
  // Where the method is chosen.
  'stage/provision/provision.ts',
  'stage/provision-method.ts',
];

describe('what knows of DIY mode', () => {
  const folder = join(packageRoot(), 'lib', 'flash');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name: name.split(sep).join('/'), text: readFileSync(join(folder, name), 'utf8') }));
  const knowing = files.filter(({ name, text }) => /diy/i.test(name) || /diy/i.test(text)).map(({ name }) => name);

  it('is the route, its stages and rules, the choice of the method and the list of devices', () => {
    const others = knowing.filter((name) => !MAY_KNOW.some((place) => name.startsWith(place)));
    assert.deepEqual(others, [], 'make it data of the route');
  });

  it('is no more than that', () => {
    const stale = MAY_KNOW.filter((place) => !knowing.some((name) => name.startsWith(place)));
    assert.deepEqual(stale, [], 'nothing there does: take it off the list');
  });
});
