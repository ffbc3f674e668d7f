import assert from 'node:assert/strict';
import { deflateRawSync, gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../lib/errors';
import {
  APP_OFFSET,
  ONE_HOP_LIMIT,
  REHEARSAL_MARK,
  USER_LIMIT,
  buildImage,
  examine,
  makeFinalImage,
  packOneHop,
  readImage,
  takeApart,
  type Descriptor,
} from '../../lib/image';
import { IROM_OFFSET } from '../../lib/image/format';
import { REPORT_BYTES, layoutFor } from '../../lib/image/one-hop/layout';
import { MOST_OVERHEAD, slotFile } from '../../lib/image/one-hop/pack';
import { finalOf } from '../../lib/image/one-hop/read';
import { RELOCATOR } from '../../lib/image/one-hop/relocator';
import { seededRandom } from '../../lib/image/random';
import { assertRefused, checkImage, patched, repetitive, rewritten } from './helpers';

/** The largest that still fits as it is. */
const LARGEST_RAW = Math.floor((USER_LIMIT - REPORT_BYTES - layoutFor(0).imageLength) / 16) * 16;

/** A final image without a byte that could be left out: noise, and in the padding of its first sector too. */
function dense(size: number): Buffer {
  const random = seededRandom(9);
  const content = takeApart(makeFinalImage({ size }));
  assert(content.kind === 'final');
  for (const { data } of content.app.segments) data.forEach((_, at) => (data[at] = random()));
  const final = buildImage(content);
  for (let at = readImage(final).parts[0]?.end ?? 0; at < APP_OFFSET; at++) final[at] = random();
  return rewritten(final);
}

function descriptorOf(file: Buffer): Descriptor {
  const { oneHop } = readImage(file);
  assert(oneHop, 'no one-hop image');
  return oneHop;
}

describe('image/one-hop', () => {
  for (const size of [5120, 65536, 100_000, 482_432, ONE_HOP_LIMIT]) {
    it(`packs a final image of ${size} bytes, which comes out again`, () => {
      const final = repetitive(makeFinalImage({ size }));
      const file = packOneHop(final);
      const descriptor = descriptorOf(file);
      assert.equal(descriptor.coding, 'deflate');
      assert.equal(descriptor.imageLength, file.length);
      assert.equal(descriptor.finalLength, final.length);
      assert.equal(descriptor.build, RELOCATOR.build);
      assert.deepEqual(finalOf(file, descriptor), final);
      const payload = deflateRawSync(final, { level: 9, memLevel: 9 });
      assert.equal(descriptor.payloadLength, payload.length);
      assert(file.length - payload.length <= MOST_OVERHEAD, `${file.length - payload.length} bytes over the payload`);
      assert(file.length <= USER_LIMIT);
    });
  }

  it('adds no more than it states to the payload, and leaves room for the report, whatever the length of that', () => {
    const final = makeFinalImage({ size: 20_000 });
    for (let length = final.length; length > final.length - 32; length--) {
      const bytes = final.subarray(0, length);
      const file = slotFile(bytes, { coding: 'raw', bytes });
      assert(file.length - length <= MOST_OVERHEAD, `${file.length - length} bytes over ${length}`);
      assert.equal(readImage(file).crc, 'valid');
    }
    const sector = 4096;
    for (let length = 40_000; length < 40_000 + sector; length += 16) {
      const { imageLength } = layoutFor(length);
      assert(imageLength % sector > 0 && (imageLength % sector) + REPORT_BYTES <= sector, `${imageLength}`);
      assert(imageLength - length <= MOST_OVERHEAD);
    }
  });

  it('packs raw what deflate would make larger, up to the last line that stock firmware takes', () => {
    const final = dense(LARGEST_RAW);
    const file = packOneHop(final);
    assert.equal(descriptorOf(file).coding, 'raw');
    assert.deepEqual(finalOf(file, descriptorOf(file)), final);
    assert(file.length <= USER_LIMIT && file.length > USER_LIMIT - 16 - REPORT_BYTES, `${file.length}`);
  });

  it('takes a final image of any length, and ends with its last byte', () => {
    const final = Buffer.concat([makeFinalImage(), Buffer.alloc(3, 0xff)]);
    const file = packOneHop(final);
    assert.deepEqual(finalOf(file, descriptorOf(file)), final);
  });

  it('is one file for both slots: neither the loader nor the doctor takes it for linked', () => {
    for (const final of [repetitive(makeFinalImage({ size: 482_432 })), dense(LARGEST_RAW)]) {
      const file = packOneHop(final);
      for (const role of ['user1', 'user2'] as const) {
        assert.equal(checkImage(file, role).oneHop?.finalLength, final.length);
        const codes = examine(file, `cloud-${role}`).findings.map(({ code }) => code);
        assert.deepEqual(codes, ['image-one-hop']);
      }
      assertRefused(() => checkImage(file, 'final'), 'image-invalid', /an image for a slot/);
    }
  });

  it('leaves alone what the loader needs while it loads: its code and its data', () => {
    const { segments, entry } = readImage(packOneHop(makeFinalImage()));
    assert.deepEqual(
      segments.map(({ address }) => address & ~0xff),
      [0x40104000, 0x3ffea000, 0x3ffea000],
    );
    assert(entry >= 0x40104000 && entry < 0x40106000);
  });

  it('has DOUT and 1 MB in both of its headers: nothing else fits every Sonoff', () => {
    const file = packOneHop(makeFinalImage());
    const inner = IROM_OFFSET + layoutFor(descriptorOf(file).payloadLength).iromLength;
    for (const at of [0, inner]) assert.deepEqual([file[at + 2], file[at + 3]], [3, 0x20], `header at ${at}`);
    const { flashMode, flashSize } = readImage(file);
    assert.deepEqual([flashMode, flashSize], ['DOUT', '1MB']);
  });

  it('is known for what is in it', () => {
    const text = `${REHEARSAL_MARK}`;
    const file = packOneHop(repetitive(makeFinalImage({ text })));
    assert(!file.includes(REHEARSAL_MARK), 'the mark is packed');
    const { identity, findings } = examine(file, 'cloud-user1');
    assert.equal(identity.project, 'rehearsal');
    assert.deepEqual(findings.map(({ code }) => code).sort(), ['image-one-hop', 'image-rehearsal']);
  });

  it('is the same file each time', () => {
    const final = repetitive(makeFinalImage({ size: 100_000 }));
    assert.deepEqual(packOneHop(final), packOneHop(final));
  });

  describe('refuses', () => {
    const noApplication = makeFinalImage();
    noApplication.fill(0xff, 0x1000, 0x1010);
    const esp32 = Buffer.alloc(0x8000);
    Buffer.from('e90602201c0a0840ee0000000000000000000000000000012000403f20000000', 'hex').copy(esp32);
    const minimal = "<div style='text-align:center;color:#%06x;'><h3>MINIMAL firmware - please upgrade</h3></div>";
    const wrong: [name: string, code: ErrorCode, final: () => Buffer, words?: RegExp][] = [
      [
        'more than the relocator has room for',
        'image-too-large',
        () => repetitive(makeFinalImage({ size: ONE_HOP_LIMIT + 16 })),
        /528400 bytes; at most 528384/,
      ],
      [
        'more than stock firmware takes, packed',
        'image-too-large',
        () => dense(LARGEST_RAW + 16),
        /packed one-hop image has 471\d{3} bytes; at most 471040/,
      ],
      ['another flash mode than DOUT', 'image-wrong-flash-mode', () => makeFinalImage({ flashMode: 'DIO' })],
      ['a header for 4 MB', 'image-wrong-flash-size', () => makeFinalImage({ flashSize: '4MB' })],
      ['a header for 512 KB', 'image-wrong-flash-size', () => makeFinalImage({ flashSize: '512KB' })],
      ['no application at 0x1000', 'image-invalid', () => noApplication, /no application header \(E9\) at 0x1000/],
      ['an image for a slot', 'image-invalid', () => packOneHop(makeFinalImage()), /an image for a slot/],
      ['a minimal build', 'image-minimal', () => makeFinalImage({ text: minimal })],
      ['gzip', 'image-compressed', () => gzipSync(makeFinalImage())],
      ['an image for an ESP32', 'image-wrong-chip', () => esp32],
      ['half a download', 'image-truncated', () => makeFinalImage().subarray(0, 30_000)],
      ['a damaged one', 'image-invalid', () => patched(makeFinalImage(), 0x2000, 0, 0, 0, 0), /it is damaged/],
    ];
    for (const [name, code, final, words] of wrong) {
      it(`${name}: ${code}`, () => {
        assertRefused(() => packOneHop(final()), code, words);
      });
    }

    it('to write a payload that is not the final image', () => {
      const final = makeFinalImage();
      const other = deflateRawSync(makeFinalImage({ seed: 2 }));
      assert.throws(() => slotFile(final, { coding: 'deflate', bytes: other }), RangeError);
    });
  });

  it('a byte of it that is another one is seen, wherever it is', () => {
    const file = packOneHop(makeFinalImage({ size: 5120 }));
    // Bytes 2 to 7 of the header are never read, but the CRC-32 covers them too.
    for (let at = 0; at < file.length; at += at < 32 ? 1 : 11) {
      const { verdict } = examine(patched(file, at, (file[at] ?? 0) ^ 0x10), 'cloud-user1');
      assert.equal(verdict, 'refuse', `byte ${at}`);
    }
  });

  it('a payload that was swapped for another one is seen, even with a CRC-32 that fits', () => {
    const file = packOneHop(makeFinalImage({ size: 20_000 }));
    const content = takeApart(file);
    assert(content.kind === 'user');
    content.irom[0x1800] = (content.irom[0x1800] ?? 0) ^ 1;
    assertRefused(() => checkImage(buildImage(content), 'user1'), 'image-invalid', /cannot be unpacked/);
  });
});
