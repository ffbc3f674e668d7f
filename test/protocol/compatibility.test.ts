import assert from 'node:assert/strict';
import { compatibilityOf, type CompatibilityVerdict } from '../../lib/protocol/compatibility';

// Protocol notes 6, as far as the model strings of 3.6 reach.
const CASES: Record<CompatibilityVerdict['level'], [model: string, ...versions: string[]][]> = {
  supported: [
    ['ITA-GZ1-GL', '1.2.0', '1.5.5', '1.5.0', '1.5'],
    ['PSA-B01-GL', '1.5.5'],
    ['PSB-B04-GL', '1.1.0', '1.3.0'],
    ['PSC-B01-GL', '2.0.2', '2.0.3', '2.0.4'],
    ['PSA-BHA-GL', '2.0.1', '2.0.4'],
    ['PSF-B04-GL', '2.0.1'],
    ['SOMETHING-NEW', '1.5.5', '2.0.4'],
  ],
  uncertain: [
    ['ITA-GZ1-GL', '1.5.2', '1.6.0'],
    ['PSA-B01-GL', '1.5.2', '1.6.0', '1.6.1'],
    ['PSF-B04-GL', '2.0.0', '2.0'],
    ['SOMETHING-NEW', '1.0.0', '1.1.0', '1.5.2', '2.0.3', '1.6.999'],
    ['ITA-GZ1-GL', '', '1', '1.5.5b', 'v1.5.5', '1.5.5.1', '1,5', '-1.5', '1.5.5 ', '1e5.0', '0.9.9', '9999.0.0'],
  ],
  unsupported: [
    [
      'ITA-GZ1-GL',
      '1.7.0',
      '1.8.1',
      '1.10.0',
      '1.99',
      '2.1.0',
      '2.5.9',
      '2.6.0',
      '2.10.0',
      '3.0.0',
      '3.5.0',
      '4.0',
      '12.1.0',
    ],
    ['PSA-B01-GL', '1.8.1'],
    ['PSF-B04-GL', '2.6.0', '2.7.1', '3.4.0'],
    ['PSA-BHA-GL', '2.6.0'],
    ['SOMETHING-NEW', '1.7.0', '2.6.1', '2.8.0'],
  ],
};

describe('protocol/compatibility', () => {
  for (const [level, rows] of Object.entries(CASES)) {
    for (const [model, ...versions] of rows) {
      for (const version of versions) {
        it(`${model} ${JSON.stringify(version)} is ${level}`, () => {
          assert.equal(compatibilityOf(model, version).level, level);
        });
      }
    }
  }

  it('gives a reason that goes on a sentence', () => {
    for (const [model, ...versions] of Object.values(CASES).flat()) {
      for (const version of versions) assert.match(compatibilityOf(model, version).reason, /^[a-zA-Z].{10,}[^.]$/);
    }
  });

  it('points a device with 3.x to DIY mode', () => {
    assert.match(compatibilityOf('ANY', '3.5.0').reason, /DIY mode/);
  });
});
