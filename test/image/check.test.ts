import assert from 'node:assert/strict';
import type { ErrorCode } from '../../lib/errors';
import { imageNamed, makeFinalImage, makeUserImage, readImage, type ImageRole } from '../../lib/image';
import { seededRandom } from '../../lib/image/random';
import { countSlotWords, slotOf } from '../../lib/image/slot';
import { assertRefused, checkImage, patched, refusalOf, rewritten } from './helpers';

const FINAL_IROM = 0x1010;

describe('image/check', () => {
  it('lets sound images through, to the last byte of each limit', () => {
    assert.equal(checkImage(makeUserImage({ slot: 1 }), 'user1').slot, 1);
    assert.equal(checkImage(makeUserImage({ slot: 2, size: 471040, crcTrailer: false }), 'user2').size, 471040);
    assert.equal(checkImage(makeUserImage({ slot: 2, size: 4096, crcTrailer: false }), 'user2').size, 4096);
    assert.equal(checkImage(makeFinalImage({ size: 524288 }), 'final').size, 524288);
    assert.equal(checkImage(makeFinalImage({ size: 5120 }), 'final').size, 5120);
  });

  it('does not care for the flash mode of a user image, which nothing reads', () => {
    for (const flashMode of ['QIO', 'QOUT', 'DIO', 'DOUT'] as const) {
      assert.equal(checkImage(makeUserImage({ slot: 1, flashMode }), 'user1').flashMode, flashMode);
    }
  });

  it('gives trailing bytes and an odd length as facts, without refusing them', () => {
    const odd = Buffer.concat([makeFinalImage(), Buffer.alloc(3, 0xff)]);
    const facts = checkImage(odd, 'final');
    assert.equal(facts.trailing, 3);
    assert.equal(facts.lengthMultipleOf4, false);
  });

  it('refuses what is too large, with its limit', () => {
    const user = makeUserImage({ slot: 1, size: 471044 });
    assertRefused(() => checkImage(user, 'user1'), 'image-too-large', /user1 image has 471044 bytes; at most 471040/);
    const final = Buffer.concat([makeFinalImage({ size: 524288 }), Buffer.alloc(1)]);
    assertRefused(() => checkImage(final, 'final'), 'image-too-large', /524289 bytes; at most 524288/);
  });

  it('rejects images that are too small for FinalStage', () => {
    const small = Buffer.concat([
      Buffer.from('ea0403200400104000000000000000', 'hex'),
      Buffer.from('00', 'hex'),
      Buffer.from('e9010320040010400000104004000000112233440000000000000000000000ab', 'hex'),
    ]);
    assert.equal(readImage(small).checksumValid, true);
    assertRefused(() => checkImage(small, 'user1'), 'image-invalid', /48 bytes; FinalStage takes none under 4096/);
  });

  describe('the slot', () => {
    it('must be that of the place', () => {
      const [user1, user2] = [makeUserImage({ slot: 1 }), makeUserImage({ slot: 2 })];
      const error = assertRefused(() => checkImage(user2, 'user1'), 'image-wrong-slot', /as user1 is linked for user2/);
      assert.deepEqual(error.values, { what: imageNamed('user1'), actual: 'user2' });
      assertRefused(() => checkImage(user1, 'user2'), 'image-wrong-slot', /as user2 is linked for user1/);
    });

    it('is recognised for every size by the words that point into irom', () => {
      const random = seededRandom(3);
      for (let round = 0; round < 40; round++) {
        const size = 4100 + (random() % 460000);
        for (const slot of [1, 2] as const) {
          const image = makeUserImage({ slot, size, seed: random() });
          assert.equal(checkImage(image, `user${slot}`).slot, slot);
          assert.equal(refusalOf(() => checkImage(image, slot === 1 ? 'user2' : 'user1'))?.code, 'image-wrong-slot');
        }
      }
    });

    it("is recognised for SonOTA's published pair", () => {
      const irom = 0x32770;
      assert.equal(slotOf({ slot1: 519, slot2: 3 }, irom), 1);
      assert.equal(slotOf({ slot1: 30, slot2: 492 }, irom), 2);
    });

    it('is not made up from chance: noise of any size names none', () => {
      const random = seededRandom(11);
      for (const size of [4096, 50_000, 206_704, 466_944]) {
        for (let round = 0; round < 5; round++) {
          const noise = Buffer.alloc(size - (size % 4));
          for (let offset = 0; offset < noise.length; offset += 4) noise.writeUInt32LE(random(), offset);
          assert.equal(slotOf(countSlotWords(noise), noise.length), undefined);
        }
      }
    });

    it('is named by a clear majority alone, whichever slot has it', () => {
      const either = (more: number, fewer: number, iromBytes = 4096): (number | undefined)[] => [
        slotOf({ slot1: more, slot2: fewer }, iromBytes),
        slotOf({ slot1: fewer, slot2: more }, iromBytes),
      ];
      assert.deepEqual(either(120, 30), [1, 2]);
      assert.deepEqual(either(119, 30), [undefined, undefined]);
      assert.deepEqual(either(100, 100), [undefined, undefined]);
      assert.deepEqual(either(17, 0), [1, 2]);
      assert.deepEqual(either(15, 0), [undefined, undefined]);
      // An irom of 460 KB has a dozen such words by chance.
      assert.deepEqual(either(50, 0, 460_000), [undefined, undefined]);
    });

    it('lets an image that does not tell it into either place', () => {
      const image = makeUserImage({ slot: 1, size: 8192, crcTrailer: false });
      const length = image.readUInt32LE(12);
      image.fill(0x5a, 16, 16 + length);
      assert.equal(checkImage(image, 'user1').slot, undefined);
      assert.equal(checkImage(image, 'user2').slot, undefined);
    });
  });

  describe('a final image', () => {
    it('must be DOUT', () => {
      for (const flashMode of ['QIO', 'QOUT', 'DIO'] as const) {
        const image = makeFinalImage({ flashMode });
        const error = assertRefused(() => checkImage(image, 'final'), 'image-wrong-flash-mode', /DOUT/);
        assert.deepEqual(error.values, { what: imageNamed('final'), mode: flashMode });
      }
      const unknown = rewritten(patched(makeFinalImage(), 2, 9));
      assertRefused(() => checkImage(unknown, 'final'), 'image-wrong-flash-mode', /number 9, which does not exist/);
    });

    it('must not be a minimal build', () => {
      const texts = [
        "<div style='text-align:center;color:#%06x;'><h3>MINIMAL firmware - please upgrade</h3></div>",
        '<span><h3>MINIMUM-Firmware - bitte upgraden</h3>',
        Buffer.from('<h3>firmware MÍNIMO - actualice por favor</h3>').toString('latin1'),
        '8.5.0(release-minimal)',
        '12.1.1(minimal)',
      ];
      for (const text of texts) {
        assertRefused(() => checkImage(makeFinalImage({ text }), 'final'), 'image-minimal', /minimal build/);
      }
    });

    it('is not taken for minimal by words that every Tasmota holds', () => {
      const texts = [
        'tasmota|minimal|sensors|knx|lite|display|ir',
        'minimal',
        '-minimal.',
        'http://ota.tasmota.com/tasmota/release/tasmota-minimal.bin.gz',
        '(release-%s)',
        '<h3>Module %s</h3> MINIMAL',
      ];
      for (const text of texts) assert.equal(checkImage(makeFinalImage({ text }), 'final').minimal, false, text);
    });
  });

  describe('an image in the wrong kind of place', () => {
    const stock = Buffer.alloc(1024 * 1024, 0xff);
    makeFinalImage({ size: 5120 }).copy(stock, 0, 0, 0x1000);
    makeUserImage({ slot: 1 }).copy(stock, 0x1000);
    const cases: [name: string, image: Buffer, role: ImageRole, words: RegExp, code?: ErrorCode][] = [
      ['user1 as final', makeUserImage({ slot: 1 }), 'final', /final image cannot be used: it is an image for a slot/],
      ['final as user1', makeFinalImage(), 'user1', /user1 image cannot be used: it is a final image/],
      ['final as user2', makeFinalImage(), 'user2', /user2 image cannot be used: it is a final image/],
      ['stock dump as final', stock, 'final', /dump of a device's whole flash/, 'image-stock-firmware'],
      ['stock dump as user1', stock, 'user1', /dump of a device's whole flash/, 'image-stock-firmware'],
      ['no application', patched(makeFinalImage(), 0x1000, 0xaa), 'final', /no application header \(E9\) at 0x1000/],
      ['cut before it', makeFinalImage().subarray(0, 3000), 'final', /only 3000 bytes/, 'image-truncated'],
    ];
    for (const [name, image, role, words, code = 'image-invalid'] of cases) {
      it(`is named: ${name}`, () => {
        assertRefused(() => checkImage(image, role), code, words);
      });
    }
  });

  describe('damage', () => {
    // One bit of each byte, each of the eight in turn: all of them would take eight times as long.
    it('of a single bit is found in every byte of a user image with CRC-32', () => {
      const image = makeUserImage({ slot: 1, size: 4100 });
      for (const [byte, value] of image.entries()) {
        const flipped = patched(image, byte, value ^ (1 << (byte & 7)));
        assert(
          refusalOf(() => checkImage(flipped, 'user1')),
          `byte ${byte}`,
        );
      }
    });

    it('of a single bit is found in every byte that a checksum covers', () => {
      const images: [image: Buffer, role: ImageRole][] = [
        [makeUserImage({ slot: 2, size: 4096, crcTrailer: false }), 'user2'],
        [makeFinalImage({ size: 5120 }), 'final'],
      ];
      for (const [image, role] of images) {
        for (const { segments, checksum } of readImage(image).parts) {
          const covered = segments.flatMap(({ offset, length }) => Array.from({ length }, (_, i) => offset + i));
          for (const byte of [...covered, checksum.offset]) {
            const flipped = patched(image, byte, (image[byte] ?? 0) ^ (1 << (byte & 7)));
            assertRefused(() => checkImage(flipped, role), 'image-invalid', /checksum of its part at byte \d+/);
          }
        }
      }
    });

    it('is reported as such', () => {
      const user = makeUserImage({ slot: 1 });
      assertRefused(() => checkImage(patched(user, 600, 1, 2, 3), 'user1'), 'image-invalid', /CRC-32 does not fit/);
      const final = makeFinalImage();
      const damaged = patched(final, FINAL_IROM + 9, (final[FINAL_IROM + 9] ?? 0) ^ 1);
      assertRefused(() => checkImage(damaged, 'final'), 'image-invalid', /part at byte 4096 is .. but should be ../);
    });

    it('of any kind gives a FlashError in every role', () => {
      const random = seededRandom(99);
      const images = [makeUserImage({ slot: 1, size: 4100 }), makeFinalImage({ size: 5120 })];
      for (let round = 0; round < 1500; round++) {
        const bytes = Buffer.from(images[round % 2] ?? []);
        for (let changes = random() % 6; changes >= 0; changes--) bytes[random() % bytes.length] = random() & 0xff;
        const part = random() % 3 ? bytes : bytes.subarray(0, random() % bytes.length);
        for (const role of ['user1', 'user2', 'final'] as const) refusalOf(() => checkImage(part, role));
      }
    });
  });
});
