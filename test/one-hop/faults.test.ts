import assert from 'node:assert/strict';
import { makeFinalImage, packOneHop } from '../../lib/image';
import { repetitive } from '../image/helpers';
import { bootInEmulator, emulatorMissing, type Ending, type Fault } from './emulator';
import { playFaults } from './faults';
import { reportedEnd, stockFlash, type StockOptions } from './flash';

const PROTECTED: Fault['kinds'] = ['erase', 'write'];
const HALF = 0x80000;
/** Of firmware/one-hop/report.h. */
const PROOF_REFUSED = 1;

/** One of each kind; `sweep/faults.ts` has every sector. */
const CASES: { what: string; fault: Fault; from1: Ending; from2: Ending; stock?: StockOptions }[] = [
  {
    what: 'the lower half is write-protected',
    fault: { address: 0, length: HALF, kinds: PROTECTED },
    from1: 'other-firmware',
    from2: 'other-firmware',
  },
  {
    what: 'the lower half is write-protected, and no sector of it is blank to see that',
    fault: { address: 0, length: HALF, kinds: PROTECTED },
    // Only in theory: the stock firmware has just written slot 1.
    from1: 'stopped',
    from2: 'other-firmware',
    stock: { full: true },
  },
  {
    what: 'the upper half is write-protected, with the flags in it',
    fault: { address: HALF, length: HALF, kinds: PROTECTED },
    from1: 'stopped',
    from2: 'new-firmware',
  },
  {
    what: 'a whole flash that takes nothing any more',
    fault: { address: 0, length: 2 * HALF, kinds: PROTECTED },
    from1: 'stopped',
    from2: 'stopped',
  },
  {
    what: 'sector 0',
    fault: { address: 0, kinds: ['erase'] },
    from1: 'stopped',
    from2: 'stopped',
  },
  {
    what: 'sector 0, which is erased and then not written',
    fault: { address: 0, kinds: ['write'] },
    from1: 'dead',
    from2: 'dead',
  },
  {
    what: 'the first sector of slot 1',
    fault: { address: 0x1000, kinds: PROTECTED },
    from1: 'stopped',
    from2: 'other-firmware',
  },
  {
    what: 'a bit that stays 0 in the place of the application',
    fault: { address: 0x4000, kinds: ['stuck-bit'] },
    from1: 'stopped',
    from2: 'stopped',
  },
  {
    what: 'the first sector of slot 2',
    fault: { address: 0x81000, kinds: PROTECTED },
    from1: 'other-firmware',
    from2: 'new-firmware',
  },
  {
    what: 'another sector of slot 2',
    fault: { address: 0x82000, kinds: PROTECTED },
    from1: 'stopped',
    from2: 'new-firmware',
  },
  {
    what: 'slot 2 forgets at a restart what was moved there',
    fault: { address: 0x82000, kinds: ['forgets'], count: 1 },
    from1: 'new-firmware',
    from2: 'new-firmware',
  },
  ...[0xf4000, 0xfb000, 0xfc000, 0xfd000, 0xfe000, 0xff000].map((address): (typeof CASES)[number] => ({
    what: `what the new firmware can do without, at 0x${address.toString(16)}`,
    fault: { address, kinds: PROTECTED },
    from1: 'new-firmware',
    from2: 'new-firmware',
  })),
];

describe('one-hop: a flash that does not take what is written', () => {
  const missing = emulatorMissing();
  before(function () {
    if (!missing) return;
    this.test!.parent!.title += ` (skipped: ${missing})`;
    this.skip();
  });

  const final = repetitive(makeFinalImage({ size: 40_000 }));
  const file = packOneHop(final);
  for (const { what, fault, from1, from2, stock } of CASES) {
    for (const [slot, expected] of [
      [1, from1],
      [2, from2],
    ] as const) {
      it(`${what}, from slot ${slot}: ${expected}`, async () => {
        for (const loader of [2, 6, 7]) {
          await playFaults({ slot, loader, final, file, ...(stock ? { stock } : {}) }, [fault], (ending, _, words) => {
            assert.equal(ending, expected, words);
          });
        }
      });
    }
  }

  it('is reported behind the image', async () => {
    const fault: Fault = { address: 0, length: HALF, kinds: PROTECTED };
    const { flash } = await bootInEmulator(stockFlash(2, file), { fault });
    assert.equal(reportedEnd(flash, 2), PROOF_REFUSED);
  });

  it('is tried again with pauses that grow', async () => {
    const { pausedMs } = await bootInEmulator(stockFlash(2, file), { fault: { address: 0, kinds: ['erase'] } });
    // Four pauses between five rounds, and those between the tries of each.
    assert.equal(pausedMs, 1000 + 4000 + 16_000 + 64_000 + 5 * (10 + 40 + 160));
  });
});
