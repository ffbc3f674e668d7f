import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENTITY_NAMES, PHRASE_NAMES, STATE_NAMES } from '../../lib/home-assistant';
import { packageRoot } from '../shared/package-root';

const FILE = 'dist/nodes/sonota-home-assistant/locales/en-US/sonota-home-assistant.json';

describe('home assistant: what people read', () => {
  const catalogue = JSON.parse(readFileSync(join(packageRoot(), FILE), 'utf8')) as Record<
    string,
    Record<string, Record<string, string>>
  >;
  for (const [table, names] of Object.entries({ entity: ENTITY_NAMES, phrase: PHRASE_NAMES, state: STATE_NAMES })) {
    it(`has a text for each ${table}, and no other`, () => {
      const texts = catalogue['sonota-home-assistant']?.[table];
      assert.deepEqual(Object.keys(texts ?? {}).sort(), [...names].sort());
    });
  }
});
