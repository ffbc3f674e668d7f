import assert from 'node:assert/strict';
import { RAND_LIMIT, randElement, randPosition } from '../../lib/protocol/newlib-rand';

describe('protocol/newlib-rand', () => {
  // First, because the elements that another test asked for would be there already. Worked out in Python.
  it('finds a position, however far it must look', () => {
    assert.equal(randPosition(1481765933), 1);
    assert.equal(randPosition(1270216262), 3);
    assert.equal(randPosition(1610122942), RAND_LIMIT);
  });

  it('is the sequence seen in the field (docs/dev/stock-firmware.md#4.1)', () => {
    assert.deepEqual(
      Array.from({ length: 11 }, (_, index) => randElement(index + 1)),
      [
        1481765933, 1085377743, 1270216262, 1191391529, 812669700, 553475508, 445349752, 1344887256, 730417256,
        1812158119, 147699711,
      ],
    );
  });

  it('gives the ts of a first dispatch: 933', () => {
    assert.equal(randElement(1) % 1000, 933);
  });

  // Worked out apart from this code, in Python.
  it('is right far into the sequence', () => {
    assert.equal(randElement(513), 196150922);
    assert.equal(randElement(571), 1060528228);
    assert.equal(randElement(RAND_LIMIT), 1610122942);
  });

  it('counts the 59 requests of SonOTA#24, elements 513 to 571', () => {
    assert.equal(randPosition(1060528228)! - randPosition(196150922)! + 1, Math.ceil(238672 / 4096));
  });

  it('knows no position of a value that is not among its first', () => {
    assert.equal(randPosition(933), undefined);
    assert.equal(randPosition(-1), undefined);
    assert.equal(randPosition(NaN), undefined);
  });

  it('is cheap to ask again, even for what is not there', () => {
    randPosition(933);
    const before = process.hrtime.bigint();
    for (let i = 0; i < 10_000; i++) randPosition(933);
    const ms = Number(process.hrtime.bigint() - before) / 1e6;
    assert.ok(ms < 1000, `10 000 look-ups took ${ms} ms; a search through the sequence takes 100 times that`);
  });

  it('has no element outside its limits', () => {
    for (const n of [0, -1, 1.5, NaN, RAND_LIMIT + 1]) assert.throws(() => randElement(n), RangeError);
  });
});
