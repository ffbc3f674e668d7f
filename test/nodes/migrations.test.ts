import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrated, MIGRATIONS, newestVersion } from '../../nodes/shared/migrations';
import { Values } from '../../nodes/shared/values';
import { packageRoot } from '../shared/package-root';

describe('versions of config nodes', () => {
  const renamed = {
    'sonota-host': [
      ({ wlan, ...rest }: Readonly<Record<string, unknown>>) => ({ ...rest, wifiName: wlan }),
      ({ wifiName, ...rest }: Readonly<Record<string, unknown>>) => ({ ...rest, ssid: wifiName }),
    ],
  };

  it('read a flow from before there were versions through each step', () =>
    assert.deepEqual(migrated({ type: 'sonota-host', wlan: 'home' }, renamed), { type: 'sonota-host', ssid: 'home' }));

  it('leave out the steps that a flow has behind it', () => {
    const second = { type: 'sonota-host', version: 2, wifiName: 'home' };
    assert.deepEqual(migrated(second, renamed), { type: 'sonota-host', version: 2, ssid: 'home' });
    const third = { type: 'sonota-host', version: 3, ssid: 'home', wlan: 'another' };
    assert.deepEqual(migrated(third, renamed), third);
  });

  it('leave a flow of a later release, and other nodes, as they are', () => {
    const later = { type: 'sonota-host', version: 9, wlan: 'home' };
    assert.deepEqual(migrated(later, renamed), later);
    assert.deepEqual(migrated({ type: 'inject', wlan: 'home' }, renamed), { type: 'inject', wlan: 'home' });
  });

  for (const type of Object.keys(MIGRATIONS)) {
    it(`${type}: its form writes the newest`, () => {
      const form = readFileSync(join(packageRoot(), 'nodes', type, `${type}.editor.ts`), 'utf8');
      assert.equal(Number(/version: { value: (\d+) }/.exec(form)?.[1]), newestVersion(type));
    });
  }

  it('are read wherever a form is', () => {
    const definition = { type: 'sonota-host', ssid: 'home' };
    MIGRATIONS_IN_USE.push((before) => ({ ...before, ssid: `${String(before['ssid'])} again` }));
    try {
      assert.equal(Values.ofForm(definition).text('ssid'), 'home again');
    } finally {
      MIGRATIONS_IN_USE.pop();
    }
  });
});

/** The table itself, which nothing but a test writes to. */
const MIGRATIONS_IN_USE = MIGRATIONS['sonota-host'] as ((before: Readonly<Record<string, unknown>>) => object)[];
