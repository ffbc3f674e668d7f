import assert from 'node:assert/strict';
import { makeFinalImage, packOneHop } from '../../../lib/image';
import { REPORT_BYTES } from '../../../lib/image/one-hop/layout';
import { slotFile } from '../../../lib/image/one-hop/pack';
import { seededRandom } from '../../../lib/image/random';
import { repetitive } from '../../image/helpers';
import { bootAll, bootInEmulator, type Boot, type Case, type PowerCut } from '../emulator';
import { INIT_DATA, SECTOR_BYTES, SLOT_ADDRESS, SPARE, afterInstall, sdkFinds, stockFlash } from '../flash';
import { sweep, tell } from './suite';

const MOMENTS: readonly PowerCut['moment'][] = ['before', 'middle', 'after'];
/** How often an operation is cut off in its middle: what is left there differs each time. */
const MIDDLES = 3;
/** Sector 0 is erased, then written: what a cut leaves there in between no one can start. */
const FATAL_MOMENTS = 4;
/** After sector 0: the calibration, the two parameter sectors, and which of them is current: blank, named, blank. */
const OPERATIONS_AFTER_SECTOR_0 = 6;

interface Scene {
  readonly slot: 1 | 2;
  readonly loader: number;
  readonly final: Buffer;
  readonly file: Buffer;
  readonly bank?: 0 | 1;
}

/** Where the power was cut, as far as it matters. */
type Place = 'before sector 0' | 'in sector 0' | 'after sector 0';

/** What the flash must hold in the end, and the numbers of the two operations on sector 0. */
async function uncut({ slot, loader, final, file, bank = 0 }: Scene) {
  const flash = stockFlash(slot, file, { loader, bank });
  const expected = afterInstall(flash, final, slot);
  const boot = await bootInEmulator(flash, {}, { loader });
  assert.equal(boot.ending, 'new-firmware');
  assert(boot.flash.equals(expected), 'without a cut the flash is not what it should be');
  const erase = boot.operations - OPERATIONS_AFTER_SECTOR_0 - 1;
  return { flash, expected, operations: boot.operations, erase, write: erase + 1 };
}

function placeOf({ operation, moment }: PowerCut, erase: number, write: number): Place {
  if (operation < erase || (operation === erase && moment === 'before')) return 'before sector 0';
  if (operation > write || (operation === write && moment === 'after')) return 'after sector 0';
  return 'in sector 0';
}

/** The last sector erased is weak where the proof of the lower half was cut off; nothing else ever reads it. */
function isWeak({ weakSector }: Boot, final: Buffer): boolean {
  if (weakSector === undefined) return false;
  const address = weakSector * SECTOR_BYTES;
  return address < final.length || !(address >= SPARE[0] && address < SPARE[1]);
}

/**
 * Whether a device survived: with the very flash of an uncut run, and no sector of it weak. Where the new boot loader was
 * there already, the calibration and the parameters may be left, but of the latter all or nothing (esp8266/Arduino#1010).
 */
function hasRecovered(boot: Boot, before: Buffer, expected: Buffer, { final, file }: Scene, place: Place): boolean {
  const { ending, flash } = boot;
  const isAfter = place === 'after sector 0';
  const end = isAfter ? INIT_DATA[0] : expected.length;
  if (ending !== 'new-firmware' || !flash.subarray(0, final.length).equals(final)) return false;
  if (!withoutTraces(flash, file.length, end).equals(withoutTraces(expected, file.length, end))) return false;
  return isAfter ? sdkFinds(flash, before) !== 'a mixture' : !isWeak(boot, final);
}

/** All but what a cut may leave otherwise to no harm: the report, and spare sectors in which a proof was cut off. */
function withoutTraces(flash: Buffer, fileBytes: number, end: number): Buffer {
  const copy = Buffer.from(flash.subarray(0, end));
  copy.fill(0xff, ...SPARE);
  for (const slot of [1, 2] as const) {
    const report = SLOT_ADDRESS[slot] + fileBytes;
    copy.fill(0xff, report, report + REPORT_BYTES);
  }
  return copy;
}

async function cutEverywhere(scene: Scene, casesOf: (operation: number) => Case[]): Promise<void> {
  const { flash, expected, operations, erase, write } = await uncut(scene);
  const cases = Array.from({ length: operations }, (_, index) => casesOf(index + 1)).flat();
  let recovered = 0;
  let fatal = 0;
  let tried = 0;
  await bootAll(
    flash,
    cases,
    (boot, { cut }) => {
      assert(cut);
      tried++;
      const place = placeOf(cut, erase, write);
      if (place === 'in sector 0') {
        assert.equal(boot.cutAddress, 0);
        fatal++;
        return;
      }
      const words = `${cut.moment} operation ${cut.operation} of ${operations}, at 0x${boot.cutAddress?.toString(16)}`;
      assert(
        hasRecovered(boot, flash, expected, scene, place),
        `cut ${words}: ${boot.ending}, weak ${boot.weakSector}`,
      );
      recovered++;
    },
    scene,
  );
  tell(`${operations} operations, ${tried} power cuts: ${recovered} recovered, ${fatal} inside of sector 0`);
  assert.equal(tried, cases.length);
  assert.equal(recovered + fatal, tried);
}

sweep('a power cut at every erase and every write', () => {
  const final = repetitive(makeFinalImage({ size: 40_000 }));
  const raw = slotFile(final, { coding: 'raw', bytes: final });

  const everyMoment = (operation: number): Case[] =>
    MOMENTS.flatMap((moment) =>
      Array.from({ length: moment === 'middle' ? MIDDLES : 1 }, (_, index) => ({
        cut: { operation, moment },
        seed: 1 + operation * MIDDLES + index,
      })),
    );

  for (const slot of [1, 2] as const) {
    // 1.4, 1.5 and 1.6 are one to the relocator.
    for (const loader of [2, 6, 7]) {
      it(`from slot ${slot}, under boot_v1.${loader}`, () =>
        cutEverywhere({ slot, loader, final, file: packOneHop(final) }, everyMoment));
    }
    it(`from slot ${slot}, of a raw payload, with the parameters in the other sector`, () =>
      cutEverywhere({ slot, loader: 4, final, file: raw, bank: 1 }, everyMoment));
  }

  it('is fatal nowhere but between the erase of sector 0 and the end of its write', async () => {
    const { flash, erase, write } = await uncut({ slot: 2, loader: 6, final, file: packOneHop(final) });
    const cases = [erase, write].flatMap(everyMoment);
    const dead = new Set<string>();
    await bootAll(flash, cases, (boot, { cut }) => {
      const isInside = cut !== undefined && placeOf(cut, erase, write) === 'in sector 0';
      if (boot.ending === 'dead') dead.add(`${cut?.moment} ${cut?.operation === erase ? 'erase' : 'write'}`);
      else if (!isInside) assert.equal(boot.ending, 'new-firmware');
    });
    assert(dead.has('after erase') && dead.has('before write'), [...dead].join(', '));
    assert(dead.size <= FATAL_MOMENTS);
  });

  for (const slot of [1, 2] as const) {
    it(`in an image of real size, from slot ${slot}, one moment each`, () =>
      cutEverywhere(realSize(slot), (operation) => [
        { cut: { operation, moment: MOMENTS[operation % MOMENTS.length] ?? 'middle' }, seed: operation },
      ]));

    it(`twice, anywhere, from slot ${slot}`, async () => {
      const scene: Scene = { slot, loader: 7, final, file: packOneHop(final) };
      const { flash, expected, operations, erase } = await uncut(scene);
      const random = seededRandom(slot);
      const any = (most: number): PowerCut => ({
        operation: 1 + (random() % most),
        moment: MOMENTS[random() % MOMENTS.length] ?? 'middle',
      });
      // The second is counted from the first, and may come too late to come at all.
      const cases = Array.from({ length: 200 }, () => ({
        cut: any(erase - 1),
        secondCut: any(operations),
        seed: random(),
      }));
      let recovered = 0;
      let fatal = 0;
      await bootAll(
        flash,
        cases,
        (boot, { cut, secondCut }) => {
          const inSector0 = boot.cutAddress === 0;
          const isAfter = inSector0 || (boot.cutAddress ?? 0) >= INIT_DATA[0];
          if (hasRecovered(boot, flash, expected, scene, isAfter ? 'after sector 0' : 'before sector 0')) recovered++;
          else if (inSector0) fatal++;
          else assert.fail(`${JSON.stringify({ cut, secondCut })}: ${boot.ending}`);
        },
        scene,
      );
      tell(`${cases.length} double cuts: ${recovered} recovered, ${fatal} lost inside of sector 0`);
      assert(recovered >= cases.length * 0.95);
      assert.equal(recovered + fatal, cases.length);
    });
  }
});

function realSize(slot: 1 | 2): Scene {
  const final = repetitive(makeFinalImage({ size: 480_000 }));
  return { slot, loader: 7, final, file: packOneHop(final) };
}
