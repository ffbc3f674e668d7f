import assert from 'node:assert/strict';
import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib';
import { ONE_HOP_LIMIT, makeFinalImage, packOneHop } from '../../../lib/image';
import { REPORT_BYTES, layoutFor, type Payload } from '../../../lib/image/one-hop/layout';
import { slotFile } from '../../../lib/image/one-hop/pack';
import { USER_LIMIT } from '../../../lib/image/flash-map';
import { repetitive } from '../../image/helpers';
import { bootInEmulator, type EmulatorOptions } from '../emulator';
import { afterInstall, stockFlash } from '../flash';
import { sweep, tell } from './suite';

const LOADERS = [2, 4, 5, 6, 7];

/** The largest raw payload that still makes an update. */
const LARGEST_RAW = Math.floor((USER_LIMIT - REPORT_BYTES - layoutFor(0).imageLength) / 16) * 16;
/** What the prototype took to unpack an image of this size once; now everything together must cost less. */
const PROTOTYPE_INSTRUCTIONS = 150e6;

async function install(slot: 1 | 2, final: Buffer, payload: Payload, options: EmulatorOptions = {}) {
  const flash = stockFlash(slot, slotFile(final, payload), options);
  const boot = await bootInEmulator(flash, {}, options);
  assert.equal(boot.ending, 'new-firmware');
  assert(boot.flash.equals(afterInstall(flash, final, slot)), 'the flash is not what it should be');
  return boot;
}

function deflated(final: Buffer, options: ZlibOptions = { level: 9, memLevel: 9 }): Payload {
  return { coding: 'deflate', bytes: deflateRawSync(final, options) };
}

sweep('every size, both codings, every loader, both slots', () => {
  const images: [name: string, final: Buffer, payload: (final: Buffer) => Payload][] = [
    ...[100_000, 333_332, LARGEST_RAW].map((size): (typeof images)[number] => [
      'raw',
      makeFinalImage({ size }),
      (bytes) => ({ coding: 'raw', bytes }),
    ]),
    ...[100_000, 256_004, 482_432, ONE_HOP_LIMIT].map((size): (typeof images)[number] => [
      'deflate',
      repetitive(makeFinalImage({ size })),
      deflated,
    ]),
    ['deflate, of odd length', Buffer.concat([makeFinalImage({ size: 70_000 }), Buffer.from([1, 2, 3])]), deflated],
  ];
  for (const [name, final, payloadOf] of images) {
    it(`${name}, ${final.length} bytes`, async () => {
      const payload = payloadOf(final);
      for (const loader of LOADERS) {
        for (const slot of [1, 2] as const) await install(slot, final, payload, { loader });
      }
    });
  }

  it('an unpacking costs a fraction of what it did in the prototype', async () => {
    const final = repetitive(makeFinalImage({ size: 482_432 }));
    const flash = stockFlash(2, packOneHop(final));
    const packed = await bootInEmulator(flash, {}, { count: true });
    const millions = ({ instructions }: { instructions: number }): string =>
      `${Math.round(instructions / 1e6)} million`;
    tell(`${millions(packed)} instructions to check and to write ${final.length} bytes`);
    assert(packed.instructions > 10e6, 'nothing was counted');
    assert(packed.instructions < PROTOTYPE_INSTRUCTIONS);
    assert(packed.stackBytes < 1024, `${packed.stackBytes} bytes of the ROM's stack`);
  });
});

sweep('whatever zlib makes', () => {
  const final = repetitive(makeFinalImage({ size: 60_000 }));
  const text = makeFinalImage({ size: 60_000 });
  // Long runs and far matches: what real images have between their code and their tables.
  text.copyWithin(0x2000, 0x1800, 0x2000);
  const streams: [name: string, options: ZlibOptions][] = [
    ...Array.from({ length: 10 }, (_, level): (typeof streams)[number] => [`level ${level}`, { level }]),
    ...Object.entries({ Z_FILTERED: 0, Z_HUFFMAN_ONLY: 0, Z_RLE: 0, Z_FIXED: 0 }).map(
      ([name]): (typeof streams)[number] => [name, { strategy: constants[name as keyof typeof constants] }],
    ),
    ...[9, 12, 15].map((windowBits): (typeof streams)[number] => [`a window of 2^${windowBits}`, { windowBits }]),
    ['blocks of little memory', { memLevel: 1 }],
  ];
  for (const [name, options] of streams) {
    it(name, async () => {
      await install(2, final, deflated(final, options));
    });
  }

  it('runs of one byte, and matches as far back as the window goes', async () => {
    const final = repetitive(makeFinalImage({ size: 150_000 }));
    // Behind the headers of the application only its checksum looks at what is here; the relocator does not.
    final.fill(0, 0x1100, 0x5000);
    final.copyWithin(0x5000 + 32_768 - 300, 0x5000, 0x5000 + 300);
    final.copyWithin(0x5000 + 32_768, 0x5000, 0x9000);
    await install(1, final, deflated(final));
  });
});
