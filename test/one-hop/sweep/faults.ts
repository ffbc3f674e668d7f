import assert from 'node:assert/strict';
import { makeFinalImage, packOneHop } from '../../../lib/image';
import { repetitive } from '../../image/helpers';
import type { Fault } from '../emulator';
import { playFaults } from '../faults';
import { FLASH_BYTES, SECTOR_BYTES, SETTINGS, SLOT_ADDRESS, SPARE } from '../flash';
import { sweep, tell } from './suite';

const KINDS: readonly Fault['kinds'][] = [
  ['erase', 'write'],
  ['erase'],
  ['write'],
  ['stuck-bit'],
  ['erase', 'write', 'reported'],
  ['forgets'],
];
/** How often it fails: within the tries of one sector, always, and always after one success. */
const TIMES: readonly Pick<Fault, 'after' | 'count'>[] = [{ count: 1 }, { count: 3 }, {}, { after: 1 }];

/** Every sector that is written or erased; no other is, or the flash would not be what it is after an uncut run. */
function touched(slot: 1 | 2, finalBytes: number, fileBytes: number): number[] {
  const ranges = [
    [0, finalBytes],
    [SPARE[0], SPARE[0] + 1],
    [SLOT_ADDRESS[2], SLOT_ADDRESS[2] + (slot === 1 ? fileBytes : 0)],
    [SETTINGS[0], FLASH_BYTES],
  ] as const;
  return ranges.flatMap(([from, to]) =>
    Array.from({ length: Math.ceil((to - from) / SECTOR_BYTES) }, (_, sector) => from + sector * SECTOR_BYTES),
  );
}

sweep('a sector that does not take what is written', () => {
  const final = repetitive(makeFinalImage({ size: 40_000 }));
  const file = packOneHop(final);

  for (const slot of [1, 2] as const) {
    for (const loader of [2, 6, 7]) {
      it(`whichever sector it is, in slot ${slot}, under boot_v1.${loader}`, async () => {
        const faults = touched(slot, final.length, file.length).flatMap((address) =>
          KINDS.flatMap((kinds) => TIMES.map((times): Fault => ({ address, kinds, ...times }))),
        );
        const ends = new Map<string, number>();
        await playFaults({ slot, loader, final, file }, faults, (ending) => {
          ends.set(ending, (ends.get(ending) ?? 0) + 1);
        });
        tell(`${faults.length} faults: ${[...ends].map(([ending, count]) => `${count} ${ending}`).join(', ')}`);
        assert(ends.has('new-firmware') && ends.has('other-firmware') && ends.has('stopped'));
      });
    }
  }
});
