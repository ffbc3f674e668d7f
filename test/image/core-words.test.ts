import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  MENDS,
  buildImage,
  examine,
  makeFinalImage,
  mend,
  readImage,
  takeApart,
  type FinalImageOptions,
  type Finding,
  type ImageFacts,
  type ImageTarget,
} from '../../lib/image';
import { examineFinal } from '../../lib/image/examine-final';
import { CORE_WORDS, assertRefused, patched, repetitive, rewritten } from './helpers';

const CORES = ['2.7', '3'] as const;
const IMAGE_TARGETS: readonly ImageTarget[] = ['finalstage', 'diy', 'one-hop'];
const SECTOR = 0x1000;

function codesOf(image: Uint8Array, target: ImageTarget = 'finalstage'): string[] {
  return examine(image, target).findings.map(({ code }) => code);
}

function firstOf(image: Uint8Array): Finding {
  const [first] = examine(image, 'finalstage').findings;
  assert(first, 'nothing was found');
  return first;
}

/** A signature is not looked into. */
function signature(): Buffer {
  const bytes = Buffer.alloc(260, 0x5a);
  bytes.writeUInt32LE(256, 256);
  return bytes;
}

describe('image: the length and the CRC-32 of the Arduino core', () => {
  for (const core of CORES) {
    describe(`core ${core}`, () => {
      const make = (options: FinalImageOptions = {}): Buffer =>
        makeFinalImage({ core, text: 'Theo Arends', ...options });

      it('writes them as an independent calculation does', () => {
        const image = make({ size: 90_000 });
        assert.deepEqual(image, rewritten(image, core));
        assert.deepEqual(readImage(image).coreWords, { state: 'valid', core, length: image.length, behind: 'nothing' });
      });

      it('gives images that are sound for each place that they fit', () => {
        for (const target of IMAGE_TARGETS) {
          for (const size of [5120, 200_000, 482_432, 520_192]) {
            const image = repetitive(make({ size }));
            // ITEAD's own tool for DIY mode takes less than the device does.
            const expected = target === 'diy' && size > 508_000 ? ['image-near-limit'] : [];
            assert.deepEqual(codesOf(image, target), expected, `${size} bytes for ${target}`);
          }
        }
      });

      it('takes FF behind the length as a note, and a signature as another', () => {
        const image = make();
        assert.deepEqual(codesOf(Buffer.concat([image, Buffer.alloc(4096, 0xff)])), ['image-trailing-bytes']);
        const signed = Buffer.concat([image, signature()]);
        assert.deepEqual(codesOf(signed), ['image-signed']);
        assert.equal(examine(signed, 'finalstage').verdict, 'ok');
      });

      it('refuses anything else behind the length', () => {
        const image = make();
        for (const more of [
          Buffer.alloc(1),
          Buffer.concat([signature(), signature()]),
          signature().subarray(0, 259),
          patched(signature(), 256, 255),
          Buffer.concat([Buffer.alloc(64, 0xff), signature()]),
        ]) {
          const finding = firstOf(Buffer.concat([image, more]));
          assert.equal(finding.code, 'image-invalid');
          assert.match(finding.text, new RegExp(`the ${more.length} bytes behind its ${image.length} are neither`));
        }
      });

      it('refuses a file that is shorter than its length', () => {
        // A tool that lets the image end with more than the application has; cut off there, each part is still whole.
        const longer = rewritten(Buffer.concat([make(), Buffer.alloc(64, 0x11)]), core);
        assert.equal(examine(longer, 'finalstage').verdict, 'ok');
        for (const cut of [1, 16, 64]) {
          const { code, text } = firstOf(longer.subarray(0, -cut));
          assert.equal(code, 'image-truncated');
          assert.match(text, new RegExp(`has ${longer.length - cut} bytes of the ${longer.length} that`));
        }
      });

      it('finds damage that no checksum sees, and takes such an image neither apart nor mends it', () => {
        const image = make({ size: 200_000 });
        const swapped = Buffer.from(image);
        image.copy(swapped, 5 * SECTOR, 9 * SECTOR, 10 * SECTOR);
        image.copy(swapped, 9 * SECTOR, 5 * SECTOR, 6 * SECTOR);
        assert.match(firstOf(swapped).text, /CRC-32 does not fit its content/);
        assertRefused(() => takeApart(swapped), 'image-invalid', /do not fit its content/);
        assertRefused(() => mend(swapped, MENDS), 'image-invalid', /damaged, which no mend puts right/);
      });

      it('are built again by what took the image apart', () => {
        const image = make({ size: 60_000 });
        const content = takeApart(image);
        assert(content.kind === 'final');
        assert.equal(content.core, core);
        assert.deepEqual(buildImage(content), image);
      });
    });
  }

  it('leaves no room for them in a boot loader that fills its sector, or in code', () => {
    const content = takeApart(makeFinalImage());
    assert(content.kind === 'final');
    const full = { ...content.boot, segments: [{ address: 0x4010f000, data: Buffer.alloc(0xfe8) }] };
    assert.equal(buildImage({ ...content, boot: full, core: 'none' }).length, 65_536);
    assert.throws(() => buildImage({ ...content, boot: full }), RangeError);
    assert.throws(() => buildImage({ ...content, core: '3' }), RangeError);
  });

  it('takes an image of core 3 whose checksum was made over the words themselves', () => {
    const image = makeFinalImage({ core: '3', text: 'Theo Arends' });
    const { parts } = readImage(image);
    const at = parts[1]?.checksum.offset ?? 0;
    // The CRC-32 is part of what the checksum covers, and the other way round: some seed of the padding fits.
    for (let padding = 0; padding < 0x10000; padding++) {
      const tried = rewritten(patched(image, SECTOR - 2, padding & 0xff, padding >> 8), '3');
      const sum = tried.subarray(CORE_WORDS['3'], CORE_WORDS['3'] + 8).reduce((xor, byte) => xor ^ byte, 0);
      if (sum !== 0) continue;
      assert.equal(readImage(tried).parts[1]?.checksum.computed, tried[at]);
      assert.deepEqual(codesOf(tried), []);
      const swapped = Buffer.from(tried);
      tried.copy(swapped, 5 * SECTOR, 9 * SECTOR, 10 * SECTOR);
      tried.copy(swapped, 9 * SECTOR, 5 * SECTOR, 6 * SECTOR);
      const [low = 0, high = 0] = tried.subarray(CORE_WORDS['3']);
      const otherLength = patched(tried, CORE_WORDS['3'], low ^ 0x10, high ^ 0x10);
      for (const damaged of [swapped, otherLength]) {
        assert.equal(readImage(damaged).checksumValid, true);
        assert.match(firstOf(damaged).text, /CRC-32 does not fit its content/);
      }
      return;
    }
    assert.fail('no such image');
  });

  describe('where there are none', () => {
    const image = makeFinalImage({ core: 'none', text: 'Theo Arends' });
    const facts = readImage(image);
    const found = (changes: Partial<ImageFacts>): Finding[] =>
      examineFinal(image, { ...facts, ...changes }, { project: 'tasmota' }, 'finalstage');

    it('reports that as a fact', () => {
      assert.deepEqual(facts.coreWords, { state: 'absent', behind: 'nothing' });
      assert.equal(facts.ebootRelease, undefined);
      const erased = Buffer.concat([image, Buffer.alloc(16, 0xff)]);
      assert.deepEqual(readImage(erased).coreWords, { state: 'absent', behind: 'erased' });
    });

    it('is damage where every build with its boot loader has them', () => {
      for (const ebootRelease of CORES) {
        const [finding] = found({ ebootRelease });
        assert.equal(finding?.code, 'image-invalid');
        assert.match(finding.text, new RegExp(`the Arduino core ${ebootRelease.replace('.', '\\.')} writes`));
      }
    });

    it('is nothing where none has them, and a doubt where the boot loader is not known', () => {
      assert.deepEqual(
        found({ ebootRelease: 'before-2.7' }).map(({ code }) => code),
        ['image-eboot-raw'],
      );
      assert.deepEqual(
        found({}).map(({ code, severity }) => `${severity} ${code}`),
        ['warn image-unknown-loader', 'note image-eboot-raw'],
      );
    });

    it('says that bytes behind it belong to nothing, unless they are a signature', () => {
      const behind = (more: Buffer): string[] => codesOf(Buffer.concat([image, more]));
      assert.deepEqual(behind(Buffer.alloc(16)), ['image-unknown-loader', 'image-eboot-raw', 'image-trailing-bytes']);
      assert.deepEqual(behind(signature()), ['image-unknown-loader', 'image-eboot-raw', 'image-signed']);
    });
  });

  describe('any image with a valid CRC-32', () => {
    const valid = fc.record({
      core: fc.constantFrom(...CORES),
      size: fc.integer({ min: 5 * SECTOR, max: 24 * SECTOR }),
      seed: fc.nat(),
      segments: fc.integer({ min: 2, max: 12 }),
      redundancy: fc.constantFrom(0, 0.3),
    });
    const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    const refused = (image: Uint8Array): void => {
      assert.equal(examine(image, 'finalstage').verdict, 'refuse');
    };

    it('is refused with any bit changed', () => {
      const words = fc.constantFrom(...Object.values(CORE_WORDS)).chain((at) => fc.integer({ min: at, max: at + 7 }));
      fc.assert(
        fc.property(valid, fc.oneof(place, words), fc.nat(7), (options, where, bit) => {
          const image = makeFinalImage(options);
          const at = where < 1 ? Math.floor(where * image.length) : where;
          refused(patched(image, at, (image[at] ?? 0) ^ (1 << bit)));
        }),
        { numRuns: 600 },
      );
    });

    it('is refused with two sectors swapped, or one written over another', () => {
      fc.assert(
        fc.property(valid, place, place, fc.boolean(), (options, one, other, both) => {
          const image = makeFinalImage(options);
          const sectors = Math.floor(image.length / SECTOR);
          const [from, to] = [one, other].map((share) => Math.floor(share * sectors) * SECTOR) as [number, number];
          const changed = Buffer.from(image);
          image.copy(changed, to, from, from + SECTOR);
          if (both) image.copy(changed, from, to, to + SECTOR);
          fc.pre(!changed.equals(image));
          refused(changed);
        }),
        { numRuns: 400 },
      );
    });

    it('is refused cut off anywhere, and with a sector left out or one too much', () => {
      fc.assert(
        fc.property(valid, place, fc.constantFrom('cut', 'left out', 'twice'), (options, where, how) => {
          const image = makeFinalImage(options);
          const at = Math.floor(where * image.length);
          const sector = at - (at % SECTOR);
          if (how === 'cut') refused(image.subarray(0, at));
          else {
            const [end, next] = how === 'twice' ? [sector + SECTOR, sector] : [sector, sector + SECTOR];
            refused(Buffer.concat([image.subarray(0, end), image.subarray(next)]));
          }
        }),
        { numRuns: 400 },
      );
    });

    it('is refused with bytes behind it that are neither FF nor a signature', () => {
      const more = fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        fc.integer({ min: 1, max: 600 }).map((length) => new Uint8Array(length)),
        fc.nat(259).map((length) => signature().subarray(0, length + 1)),
      );
      fc.assert(
        fc.property(valid, more, (options, bytes) => {
          const isSigned = bytes.length === 260 && Buffer.from(bytes).readUInt32LE(256) === 256;
          fc.pre(!isSigned && bytes.some((byte) => byte !== 0xff));
          refused(Buffer.concat([makeFinalImage(options), bytes]));
        }),
        { numRuns: 300 },
      );
    });

    it('is sound again once a mend has changed it', () => {
      const looks = fc.record({
        core: fc.constantFrom(...CORES),
        size: fc.integer({ min: 5120, max: 20 * SECTOR }),
        seed: fc.nat(),
        flashMode: fc.constantFrom('QIO' as const, 'QOUT' as const, 'DIO' as const, 'DOUT' as const),
        flashSize: fc.constantFrom('1MB', '2MB', '4MB'),
        more: fc.constantFrom(0, 1, 3, 260),
      });
      fc.assert(
        fc.property(looks, ({ more, ...options }) => {
          const behind = more === 260 ? signature() : Buffer.alloc(more, 0xff);
          const image = Buffer.concat([makeFinalImage({ ...options, text: 'Theo Arends' }), behind]);
          const { bytes } = mend(image, MENDS);
          const { verdict, findings } = examine(bytes, 'finalstage');
          assert.equal(verdict, 'ok', findings[0]?.text);
          assert.equal(readImage(bytes).coreWords?.state, 'valid');
        }),
        { numRuns: 200 },
      );
    });
  });
});
