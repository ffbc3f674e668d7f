import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { buildImage, makeFinalImage, makeUserImage, readImage, takeApart } from '../../lib/image';
import { crc32, espressifCrc } from '../../lib/image/crc32';
import { seededRandom } from '../../lib/image/random';
import { assertRefused, fastest, patched, refusalOf } from './helpers';

/** Header, one segment of four bytes, eleven zeros, checksum EF ^ 11 ^ 22 ^ 33 ^ 44. */
const INNER = 'e9010220 04001040 00001040 04000000 11223344 0000000000000000000000 ab';
const hexBytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('image/read', () => {
  describe('literal bytes', () => {
    it('reads a v1 image', () => {
      const facts = readImage(hexBytes(INNER));
      assert.equal(facts.kind, 'plain');
      assert.equal(facts.version, 1);
      assert.equal(facts.flashMode, 'DIO');
      assert.equal(facts.flashSize, '1MB');
      assert.equal(facts.flashFrequency, 40);
      assert.equal(facts.entry, 0x40100004);
      assert.deepEqual(facts.segments, [{ address: 0x40100000, offset: 16, length: 4 }]);
      assert.deepEqual(facts.parts[0]?.checksum, { stored: 0xab, computed: 0xab, valid: true, offset: 31 });
      assert.equal(facts.trailing, 0);
    });

    it('reads a v2 image: irom first, the v1 image behind it', () => {
      const irom = '0010204010102040 ffffffffffffffff';
      const image = hexBytes(`ea040001 04001040 00000000 10000000 ${irom} ${INNER}`);
      const facts = readImage(image);
      assert.equal(facts.kind, 'user');
      assert.equal(facts.version, 2);
      assert.equal(facts.entry, 0x40100004);
      assert.deepEqual(facts.segments, [{ address: 0x40100000, offset: 48, length: 4 }]);
      assert.deepEqual(facts.slotWords, { slot1: 1, slot2: 0 });
      assert.equal(facts.slot, undefined);
      assert.equal(facts.irom?.length, 16);
      assert.equal(facts.checksumValid, true);
      assert.equal(facts.crc, 'absent');
    });

    it('finds the checksum a line further on where the data fills its line', () => {
      const full = hexBytes('e9010320 04001040 00001040 10000000 01000000000000000000000000000000');
      const facts = readImage(Buffer.concat([full, hexBytes('000000000000000000000000000000ee')]));
      assert.equal(facts.parts[0]?.checksum.offset, 47);
      assert.equal(facts.checksumValid, true);
      assertRefused(() => readImage(full), 'image-truncated', /ends \(32 bytes\) before the checksum/);
    });

    it("takes the complement of a CRC-32 whose top bit is set, else one more, as Espressif's tools do", () => {
      assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
      assert.equal(espressifCrc(Buffer.from('123456789')), 0x340bc6d9);
      assert.equal(crc32(Buffer.from('abc')), 0x352441c2);
      assert.equal(espressifCrc(Buffer.from('abc')), 0x352441c3);
    });
  });

  describe('what the writer made', () => {
    it('is read back, for user images of many sizes', () => {
      const random = seededRandom(7);
      const sizes = [
        4096,
        4097,
        4111,
        4112,
        239220,
        471040,
        ...Array.from({ length: 60 }, () => 4100 + (random() % 90000)),
      ];
      for (const size of sizes) {
        const slot = random() % 2 ? 1 : 2;
        const crcTrailer = size >= 4100 && random() % 2 === 0;
        const image = makeUserImage({ slot, size, seed: size, crcTrailer, flashMode: 'QIO' });
        const facts = readImage(image);
        assert.equal(facts.kind, 'user');
        assert.equal(facts.slot, slot, `slot of ${size} bytes`);
        assert.equal(facts.size, image.length);
        assert(facts.size <= size && facts.size > size - 16, `${facts.size} for ${size}`);
        assert.equal(facts.crc, crcTrailer ? 'valid' : 'absent');
        assert.equal(facts.checksumValid, true);
        assert.equal(facts.trailing, 0);
        assert.equal(facts.flashMode, 'QIO');
      }
    });

    it('is read back, for final images of many sizes', () => {
      const random = seededRandom(8);
      for (const size of [5120, 5136, 482432, 524288, ...Array.from({ length: 60 }, () => 5120 + (random() % 90000))]) {
        const facts = readImage(makeFinalImage({ size, seed: size, flashSize: '4MB' }));
        assert.equal(facts.kind, 'final');
        assert.equal(facts.size, size - (size % 16));
        assert.deepEqual(
          facts.parts.map(({ offset }) => offset),
          [0, 0x1000],
        );
        assert.equal(facts.checksumValid, true);
        assert.equal(facts.trailing, 0);
        assert.equal(facts.irom?.address, 0x40201010);
        assert.equal(facts.irom.offset, 0x1010);
        assert.equal(facts.flashSize, '4MB');
        assert.equal(facts.minimal, false);
      }
    });

    it('is taken apart only where it is sound, and one image', () => {
      const user = makeUserImage({ slot: 1, size: 8192 });
      const damagedIrom = patched(user, 100, (user[100] ?? 0) ^ 1);
      assertRefused(() => takeApart(damagedIrom), 'image-invalid', /checksums do not fit/);
      const final = makeFinalImage({ size: 8192 });
      assertRefused(() => takeApart(patched(final, 20, (final[20] ?? 0) ^ 1)), 'image-invalid', /checksums do not fit/);
      const dump = Buffer.concat([final.subarray(0, 0x1000), user]);
      assertRefused(() => takeApart(dump), 'image-stock-firmware', /dump of a whole flash/);
    });

    it('is not built of parts that the format cannot hold', () => {
      const content = takeApart(makeFinalImage());
      assert(content.kind === 'final');
      const segment = { address: 0x40100000, data: Buffer.alloc(4) };
      const many = Array.from({ length: 17 }, () => segment);
      assert.throws(() => buildImage({ kind: 'plain', ...content.boot, segments: many }), RangeError);
      assert.throws(() => buildImage({ kind: 'plain', ...content.boot, segments: [] }), RangeError);
      const boot = { ...content.boot, segments: [{ ...segment, data: Buffer.alloc(0x1000) }] };
      assert.throws(() => buildImage({ ...content, boot }), RangeError);
      const user = takeApart(makeUserImage({ slot: 1 }));
      assert(user.kind === 'user');
      assert.throws(() => buildImage({ ...user, irom: Buffer.alloc(20) }), RangeError);
    });

    it('is the same for the same seed, and another for another', () => {
      assert.deepEqual(makeFinalImage({ seed: 5 }), makeFinalImage({ seed: 5 }));
      assert.notDeepEqual(makeFinalImage({ seed: 5 }), makeFinalImage({ seed: 6 }));
      assert.deepEqual(makeUserImage({ slot: 1, seed: 5 }), makeUserImage({ slot: 1, seed: 5 }));
    });

    it('is not made for a size or a flash that cannot be', () => {
      assert.throws(() => makeUserImage({ slot: 1, size: 4095 }), RangeError);
      assert.throws(() => makeFinalImage({ size: 5119 }), RangeError);
      assert.throws(() => makeFinalImage({ size: 6000.5 }), RangeError);
      assert.throws(() => makeFinalImage({ flashSize: '3MB' }), RangeError);
      assert.throws(() => makeFinalImage({ flashFrequency: 60 }), RangeError);
      for (const segments of [0, 13, 1.5]) assert.throws(() => makeUserImage({ slot: 1, segments }), RangeError);
    });
  });

  describe('damage', () => {
    it('gives a wrong checksum as a fact', () => {
      const facts = readImage(patched(hexBytes(INNER), 16, 0x10));
      assert.equal(facts.checksumValid, false);
      assert.deepEqual(facts.parts[0]?.checksum, { stored: 0xab, computed: 0xaa, valid: false, offset: 31 });
    });

    it('distinguishes a wrong CRC-32 from none', () => {
      const image = makeUserImage({ slot: 1, size: 4100 });
      const bare = image.subarray(0, -4);
      const erased = Buffer.alloc(100, 0xff);
      assert.equal(readImage(image).crc, 'valid');
      assert.equal(readImage(patched(image, image.length - 1, (image.at(-1) ?? 0) ^ 1)).crc, 'wrong');
      assert.equal(readImage(patched(image, 100, (image[100] ?? 0) ^ 1)).crc, 'wrong');
      assert.equal(readImage(bare).crc, 'absent');
      // A slot cut out of a dump continues with erased flash.
      assert.equal(readImage(Buffer.concat([image, erased])).crc, 'valid');
      assert.equal(readImage(Buffer.concat([image, erased])).trailing, 100);
      assert.equal(readImage(Buffer.concat([bare, erased])).crc, 'absent');
      assert.equal(readImage(Buffer.concat([patched(image, 100, 1, 2, 3), erased])).crc, 'wrong');
    });

    it('is refused wherever a file is cut off', () => {
      const images = [makeUserImage({ slot: 2, size: 4096, crcTrailer: false }), makeFinalImage({ size: 5120 })];
      const ebootEnd = readImage(makeFinalImage({ size: 5120 })).parts[0]?.end ?? 0;
      for (const [number, image] of images.entries()) {
        for (let length = 0; length < image.length; length++) {
          // eboot alone, without the application, is an image of its own: checkImage refuses that.
          if (number === 1 && length >= ebootEnd && length <= 0x1000) continue;
          const code = length === 0 ? 'image-invalid' : 'image-truncated';
          assertRefused(() => readImage(image.subarray(0, length)), code, /file (ends|has|is empty)|reaches/);
        }
      }
      const withCrc = makeUserImage({ slot: 2, size: 4100 });
      for (const cut of [1, 2, 3]) {
        assertRefused(() => readImage(withCrc.subarray(0, -cut)), 'image-truncated', /inside its CRC-32/);
      }
    });

    it('is described in plain words, field by field', () => {
      const user = makeUserImage({ slot: 1, size: 8192 });
      const final = makeFinalImage({ size: 8192 });
      const inner = readImage(user).parts[0]?.offset ?? 0;
      const cases: [image: Buffer, words: RegExp][] = [
        [patched(user, 1, 3), /not with EA 04/],
        [patched(user, 8, 0, 0, 0x20, 0x40), /should have the address 0 .* not 0x40200000/],
        [patched(user, 12, 4), /irom part \(\d+\) is no multiple of 16/],
        [patched(user, 14, 0xff, 0xff), /8180 bytes, but its irom part reaches to byte 42949\d{5}/],
        [patched(user, inner, 0xe8), /the RAM part begins with E8, not with E9/],
        [patched(user, inner + 1, 0), /the RAM part has no segments/],
        [patched(user, inner + 1, 17), /claims 17 segments/],
        [patched(user, inner + 4, 0, 0, 0, 0x10), /the RAM part starts at 0x10000000/],
        [patched(final, 8, 0, 0, 0, 0x60), /segment 1 of the image at 0 loads to 0x60000000/],
        [
          patched(final, 12, 0xff, 0xff, 0xff, 0xff),
          /8192 bytes, but segment 1 of the image at 0 reaches to byte 4294967311/,
        ],
        [patched(final, 0x1001, 0), /the application at 0x1000 has no segments/],
        [Buffer.from('89504e470d0a1a0a00000000', 'hex'), /begins with 89504E47, not with E9 or EA/],
      ];
      for (const [image, words] of cases) assertRefused(() => readImage(image, 'final'), 'image-invalid', words);
    });
  });

  describe('files of other kinds', () => {
    it('names them', () => {
      const invalid: [file: Buffer, words: RegExp][] = [
        [Buffer.alloc(0), /empty/],
        [Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'), /text file/],
        [Buffer.from('{"message":"Not Found"}'), /text file/],
        [Buffer.from('504b030414000000', 'hex'), /ZIP/],
        [Buffer.from('7f454c4601010100', 'hex'), /ELF/],
        [Buffer.alloc(5000, 0xff), /nothing but bytes FF/],
        [Buffer.alloc(5000), /nothing but bytes 00/],
      ];
      for (const [file, words] of invalid) assertRefused(() => readImage(file), 'image-invalid', words);
      const pages = [
        '<!DOCTYPE html>\n<html><body>404 Not Found</body></html>',
        '\uFEFF\r\n  <html lang="de"><p>Seite nicht gefunden: übrigens</p>',
        '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>',
      ];
      for (const page of pages) assertRefused(() => readImage(Buffer.from(page)), 'image-web-page', /web page/);
    });

    it('knows a gzip file, and what it holds where its end can tell', () => {
      const packed = gzipSync(makeFinalImage({ size: 65536 }));
      assertRefused(() => readImage(packed, 'final'), 'image-compressed', /final image .*gzip; unpacked it has 65536/);
      assertRefused(() => readImage(packed.subarray(0, 6), 'final'), 'image-compressed', /\(gzip\)/);
      // The size at its end is cut off; what stands there now is far too large.
      const cut = Buffer.concat([packed.subarray(0, 5000), Buffer.alloc(4, 0xff)]);
      assertRefused(() => readImage(cut, 'final'), 'image-compressed', /\(gzip\)/);
    });

    it('knows ESP32 images by header and segments', () => {
      // Header (16 bytes more than an ESP8266's), then the first segment: 0x20 bytes to 0x3F400020.
      const esp32 = Buffer.alloc(0x2000);
      esp32.set(hexBytes('e9060220 1c0a0840 ee000000 00000000 00000000 00000001 2000403f'));
      assertRefused(() => readImage(esp32), 'image-wrong-chip', /ESP32/);
      const c3 = Buffer.alloc(0x2000);
      c3.set(hexBytes('e9040220 76033840 ee000000 05000000 00000000 00000001 2000003c'));
      assertRefused(() => readImage(c3), 'image-wrong-chip', /those of an ESP32-C3/);
      c3.set([0xaa, 0x50], 0x1000);
      const whole = Buffer.concat([c3, Buffer.alloc(0x8000)]);
      whole.set([0xaa, 0x50], 0x8000);
      assertRefused(() => readImage(whole), 'image-wrong-chip', /whole ESP32-C3 flash/);
      const factory = Buffer.concat([Buffer.alloc(0x1000, 0xff), esp32]);
      assertRefused(() => readImage(factory), 'image-wrong-chip', /whole ESP32 flash/);
      const foreignSegment = patched(hexBytes(INNER), 8, 0x20, 0x00, 0x0d, 0x40);
      assertRefused(() => readImage(foreignSegment), 'image-wrong-chip', /ESP32/);
    });
  });

  describe('any input', () => {
    it('is read or refused with a FlashError, never anything else', () => {
      const random = seededRandom(42);
      const seeds = [makeUserImage({ slot: 1, size: 4100 }), makeFinalImage({ size: 5120 })];
      const starts = ['', 'e9', 'ea04', 'e901', 'e910', '3c', '1f8b'];
      for (let round = 0; round < 3000; round++) {
        let bytes: Buffer;
        if (round % 2) {
          const length = random() % 3000;
          const head = Buffer.from(starts[random() % starts.length] ?? '', 'hex');
          bytes = Buffer.concat([head, Buffer.from(Array.from({ length }, () => random() & 0xff))]);
        } else {
          bytes = Buffer.from(seeds[random() % 2] ?? []);
          for (let changes = random() % 8; changes >= 0; changes--) {
            const place = random() % 3 ? random() % 64 : random() % bytes.length;
            bytes[random() % 2 ? place : Math.min(place + 0x1000, bytes.length - 1)] = random() & 0xff;
          }
          if (random() % 4 === 0) bytes = bytes.subarray(0, random() % bytes.length);
        }
        refusalOf(() => readImage(bytes));
      }
    });

    it('may lie anywhere in a larger buffer', () => {
      const image = makeUserImage({ slot: 2, size: 5000 });
      const shifted = Buffer.concat([Buffer.alloc(3), image, Buffer.alloc(5)]).subarray(3, 3 + image.length);
      assert.deepEqual(readImage(shifted), readImage(image));
      assert.deepEqual(readImage(new Uint8Array(image)), readImage(image));
    });

    it('takes less than 50 ms of the processor per megabyte', () => {
      const MEGABYTE = 1024 * 1024;
      const headings = makeFinalImage({ size: MEGABYTE });
      headings.fill('<h3>(x.', 0x1100, MEGABYTE - 0x3000, 'latin1');
      const inputs = {
        user: makeUserImage({ slot: 1, size: MEGABYTE }),
        final: makeFinalImage({ size: MEGABYTE }),
        headings,
        erased: Buffer.alloc(MEGABYTE, 0xff),
        text: Buffer.alloc(MEGABYTE, 'a line of text\n'),
      };
      for (const [name, bytes] of Object.entries(inputs)) {
        const took = fastest(() => refusalOf(() => readImage(bytes)));
        assert(took < 50, `${name}: ${took} ms`);
      }
    });
  });
});
