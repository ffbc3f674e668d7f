import assert from 'node:assert/strict';
import { checkForTarget, examine, makeFinalImage } from '../../lib/image';
import { assertRefused } from './helpers';

const TOPICS = '(Topic %s, Fallback %s, GroupTopic %s)';

describe('image/minimal builds of 2017', () => {
  const logs: [read: string, stored: string][] = [
    [
      'Config: Loaded configuration from flash at %X and count %d',
      'Config: Saved configuration (%d bytes) to flash at %X and count %d',
    ],
    ['Cnfg: Load from flash at %X and count %d', 'Cnfg: Save (%d bytes) to flash at %X and count %d'],
    ['CFG: Loaded from flash at %X, Count %d', 'CFG: Saved to flash at %X, Count %d, Bytes %d'],
  ];
  for (const [read, stored] of logs) {
    it(`read their settings and do not store them: ${read}`, () => {
      const minimal = makeFinalImage({ text: `${TOPICS}\0${read}` });
      assertRefused(() => checkForTarget(minimal, 'finalstage'), 'image-minimal');
      assert.deepEqual(examine(minimal, 'diy').identity, { project: 'tasmota', olderThan: '6.1', variant: 'minimal' });
      const full = makeFinalImage({ text: `${TOPICS}\0${read}\0${stored}` });
      assert.equal(examine(full, 'finalstage').verdict, 'ok');
    });
  }

  it('are not seen in a translation whose words are not known, nor in another firmware', () => {
    for (const text of [
      `${TOPICS}\0CFG: Aus Flash geladen`,
      'Loaded from flash at',
      'Loaded configuration from flash',
    ]) {
      assert.equal(examine(makeFinalImage({ text }), 'finalstage').verdict, 'ok', text);
    }
  });
});
