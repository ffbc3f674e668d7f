import assert from 'node:assert/strict';
import { plainName, PRODUCT_ROWS, productNamed, type ProductKind } from '../../lib/protocol/products';

// docs/dev/diy-mode.md#1.1, #2.11.
const CASES: [kind: ProductKind | undefined, ...names: string[]][] = [
  ['diy', 'MINI', 'Sonoff Mini', 'MINIR2', 'Sonoff MINI R2', 'BASICR3', 'Basic R3', 'RFR3', 'D1', 'sonoff-d1'],
  ['no-diy', 'Sonoff Basic', 'BASICR2', 'S26', 'Sonoff S26 R2', 'TH16', 'Pow R2', '4CH Pro R2', 'iFan03', 'RF Bridge'],
  ['other-chip', 'MINIR3', 'MINI R4', 'Mini-D', 'DUALR3', 'DUALR3 Lite', 'NSPanel', 'BASICR4', 'THR316D', 'POWR320D'],
  ['locked', 'MINIR4M', 'MINI R4M', 'M5-3C-86W'],
  ['account-only', 'S60TPG', 'S60TPF'],
  ['zigbee', 'ZBMINI', 'ZBMINIL2', 'SNZB-02'],
  [undefined, '', 'Sonoff', 'Lamp', 'MINIR9', 'BASICR3X'],
];

describe('protocol/products', () => {
  for (const [kind, ...names] of CASES) {
    it(`takes ${names.join(', ')} for ${kind ?? 'nothing that is known'}`, () => {
      for (const name of names) assert.equal(productNamed(name)?.kind, kind, name);
    });
  }

  it('reaches every name of the table, and gives each row a source', () => {
    for (const { names, kind, source } of PRODUCT_ROWS) {
      assert.notEqual(source, '');
      for (const name of names) {
        const plain = name.replace('*', '');
        assert.equal(plainName(plain), plain);
        assert.equal(productNamed(plain)?.kind, kind, `${name} is hidden by an earlier row`);
      }
    }
  });
});
