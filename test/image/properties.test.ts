import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  IMAGE_TARGETS,
  buildImage,
  checkForTarget,
  examine,
  flashPicture,
  identify,
  makeFinalImage,
  makeUserImage,
  mend,
  readImage,
  takeApart,
  MENDS,
  type ImageContent,
  type PartContent,
} from '../../lib/image';
import { fastest, refusalOf } from './helpers';

const MEGABYTE = 1024 * 1024;

const flash = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }));
const codeAddress = fc.oneof(
  fc.integer({ min: 0x40100000, max: 0x4010ffff }),
  fc.integer({ min: 0x40200000, max: 0x402fffff }),
);
const loadAddress = fc.oneof(codeAddress, fc.integer({ min: 0x3ffe0000, max: 0x3fffffff }));

function data(unit: number, most: number): fc.Arbitrary<Buffer> {
  return fc
    .uint8Array({ maxLength: most, size: 'max' })
    .map((bytes) => Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % unit))));
}

function part(mostSegments: number, mostBytes: number): fc.Arbitrary<PartContent> {
  const segment = fc.record({ address: loadAddress, data: data(4, mostBytes) }, { noNullPrototype: true });
  const segments = fc.array(segment, { minLength: 1, maxLength: mostSegments, size: 'max' });
  return fc.record({ flash, entry: codeAddress, segments }, { noNullPrototype: true });
}

const content: fc.Arbitrary<ImageContent> = fc.oneof(
  part(12, 200).map((plain) => ({ kind: 'plain' as const, ...plain })),
  fc.record(
    {
      kind: fc.constant('user' as const),
      flash,
      entry: fc.integer({ min: 0, max: 0xffffffff }),
      irom: data(16, 3000),
      ram: part(12, 200),
      crc: fc.boolean(),
    },
    { noNullPrototype: true },
  ),
  fc
    .record({
      boot: part(4, 500),
      app: part(12, 300),
      core: fc.constantFrom('none' as const, '2.7' as const, '3' as const),
    })
    .map(({ boot, app, core }) => ({ kind: 'final' as const, boot, app: core === '3' ? withRoom(app) : app, core })),
);

/** With the zeros in front that the words of core 3 take the place of. */
function withRoom(app: PartContent): PartContent {
  const [first, ...rest] = app.segments;
  assert(first);
  return { ...app, segments: [{ ...first, data: Buffer.concat([Buffer.alloc(8), first.data]) }, ...rest] };
}

/** A sound image of any kind, by seed and size. */
const sound = fc
  .record({
    slot: fc.constantFrom(0 as const, 1 as const, 2 as const),
    size: fc.integer({ min: 5120, max: 20000 }),
    seed: fc.nat(),
    segments: fc.integer({ min: 2, max: 12 }),
    crcTrailer: fc.boolean(),
    core: fc.constantFrom('none' as const, '2.7' as const, '3' as const),
  })
  .map(({ slot, ...options }) => (slot === 0 ? makeFinalImage(options) : makeUserImage({ slot, ...options })));

/** Something changed in it: bytes anywhere, most of all in its headers; cut off, or longer than it was. */
const mutated = fc
  .record({
    image: sound,
    changes: fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), fc.integer({ min: 0, max: 255 })),
    ),
    keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    more: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ image, changes, keep, more }) => {
    const bytes = Buffer.from(image);
    for (const [place, inHeader, value] of changes) {
      const offset = inHeader ? (place < 0.5 ? 0 : 0x1000) + Math.floor(place * 64) : Math.floor(place * bytes.length);
      if (offset < bytes.length) bytes[offset] = value;
    }
    return Buffer.concat([bytes.subarray(0, Math.ceil(bytes.length * keep)), more]);
  });

const starts = ['', 'e9', 'ea04', 'ea040002', 'e901', 'e90c0320', '3c68746d6c', '1f8b0808', '504b0304', '7f454c46'];
const random = fc
  .tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 6000, size: 'max' }))
  .map(([start, rest]) => Buffer.concat([Buffer.from(start, 'hex'), rest]));

/** The patterns of the searches, repeated: the beginnings of every mark, and of every pattern. */
const hostile = [
  '<h3>(x.',
  '<h3>MINI',
  "</h3></div><div style='text-align:center;",
  '((((((((release-minima',
  '(a.b.c.d.e.f.g.h-',
  'ESPHome version 1.2.3.4 ',
  'ESPHome v9999999999999999999999999999999',
  'ESPURNA 1.2.3.',
  'ESPURNA_CORE',
  'FinalStag',
  'Theo Arend',
  'itead-devic',
  'made for rehearsals with a virtual ',
  '\xa5\x5a\xa5\x5a\x00\x00\x00\x01',
  '\x00\xb0\x00\xb0',
  '\x00\xb0\x2f\x40\x00\xb0\x5f\x40',
  '\0lite',
  '\xe9\x0c\x03\x20\xf0\xff\x10\x40',
];

/** The functions that take a file from a user, each of them. */
function takeEverywhere(bytes: Uint8Array): void {
  refusalOf(() => readImage(bytes));
  refusalOf(() => takeApart(bytes));
  refusalOf(() => mend(bytes, MENDS));
  identify(bytes);
  for (const target of IMAGE_TARGETS) {
    const image = examine(bytes, target);
    const error = refusalOf(() => checkForTarget(bytes, target));
    assert.equal(error?.code, image.findings.find(({ severity }) => severity === 'refuse')?.code);
    assert.equal(image.verdict === 'refuse', error !== undefined);
    assert.equal(image.size, bytes.length);
    assert.match(image.sha256, /^[0-9a-f]{64}$/);
    for (const { text, remedy } of image.findings) assert.doesNotMatch(`${text} ${remedy}`, /\?|undefined|NaN/);
    assert.match(flashPicture({ image }), /^<svg [^]*<\/svg>\n$/);
  }
}

describe('image: what holds for all', () => {
  it('taking apart is the inverse of building, for 1 to 12 segments', () => {
    let most = 0;
    fc.assert(
      fc.property(content, (parts) => {
        const image = buildImage(parts);
        assert.deepEqual(takeApart(image), parts);
        const started = parts.kind === 'user' ? parts.ram : parts.kind === 'final' ? parts.app : parts;
        const facts = readImage(image);
        assert.equal(facts.kind, parts.kind);
        assert.equal(facts.segments.length, started.segments.length);
        assert.equal(facts.trailing, 0);
        most = Math.max(most, started.segments.length);
      }),
      { numRuns: 400 },
    );
    assert.equal(most, 12);
  });

  it('building is the inverse of taking apart, for what the writer makes', () => {
    fc.assert(fc.property(sound, (image) => assert.deepEqual(buildImage(takeApart(image)), image)));
  });

  it('random bytes of any length are refused with a FlashError, and nothing else is thrown', () => {
    fc.assert(fc.property(random, takeEverywhere), { numRuns: 200 });
  });

  it('a mutated image is taken or refused, and nothing else is thrown', () => {
    fc.assert(fc.property(mutated, takeEverywhere), { numRuns: 300 });
  });

  it('every flip of a single bit in a covered byte is found', () => {
    const where = fc.record({ image: sound, at: fc.nat(), bit: fc.integer({ min: 0, max: 7 }) });
    fc.assert(
      fc.property(where, ({ image, at, bit }) => {
        const covered = coveredBytes(image);
        const target = IMAGE_TARGETS.find((one) => examine(image, one).verdict !== 'refuse');
        assert(target, 'the image was refused before anything was flipped');
        const flipped = Buffer.from(image);
        const offset = covered[at % covered.length] ?? 0;
        flipped[offset] = (flipped[offset] ?? 0) ^ (1 << bit);
        assert.equal(examine(flipped, target).verdict, 'refuse', `byte ${offset}, bit ${bit}`);
      }),
      { numRuns: 400 },
    );
  });

  it('no input takes more than 50 ms a megabyte', () => {
    const filled = fc
      .tuple(fc.constantFrom(...hostile), fc.nat(32), fc.constantFrom(0, 1, 2))
      .map(([text, shift, start]) => {
        const heads = [
          Buffer.alloc(shift),
          makeFinalImage({ size: 8192 }).subarray(0, 0x1100),
          Buffer.from('ea04', 'hex'),
        ];
        const head = heads[start] ?? Buffer.alloc(0);
        return Buffer.concat([head, Buffer.alloc(MEGABYTE - head.length, text, 'latin1')]);
      });
    const large = fc.record({ text: fc.constantFrom('', ...hostile), seed: fc.nat() }).map(({ text, seed }) => {
      // Sound in every field, so that no check ends early.
      const content = takeApart(makeFinalImage({ size: MEGABYTE, seed }));
      assert(content.kind === 'final');
      if (text) content.app.segments[0]?.data.fill(text, 'latin1');
      return buildImage(content);
    });
    fc.assert(
      fc.property(fc.oneof(filled, large), (bytes) => {
        const took = fastest(() => examine(bytes, 'finalstage'));
        assert(took <= 50, `${took} ms`);
      }),
      { numRuns: 40 },
    );
  });
});

/** Offsets of the bytes under a checksum or a CRC-32, the sums themselves among them. */
function coveredBytes(image: Buffer): number[] {
  const facts = readImage(image);
  if (facts.crc === 'valid') return Array.from(image.keys());
  return facts.parts.flatMap(({ segments, checksum }) => [
    ...segments.flatMap(({ offset, length }) => Array.from({ length }, (_, index) => offset + index)),
    checksum.offset,
  ]);
}
