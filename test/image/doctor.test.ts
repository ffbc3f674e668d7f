import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { ERROR_CODES, FlashError, type ErrorCode } from '../../lib/errors';
import {
  DIY_LIMIT,
  FINAL_LIMIT,
  IMAGE_TARGETS,
  USER_LIMIT,
  buildImage,
  checkForTarget,
  examine,
  makeFinalImage,
  makeUserImage,
  mend,
  targetFacts,
  takeApart,
  type Examination,
  type Finding,
  type FinalImageOptions,
  type ImageOptions,
  type ImageTarget,
} from '../../lib/image';
import { CORE_WORDS, assertRefused, checkImage, patched, repetitive, rewritten } from './helpers';

const FINAL_TARGETS: readonly ImageTarget[] = ['finalstage', 'one-hop', 'diy'];
const CLOUD_TARGETS: readonly ImageTarget[] = ['cloud-user1', 'cloud-user2'];

/** An image that is right for a road. */
function soundFor(target: ImageTarget, options: ImageOptions = {}): Buffer {
  if (target === 'cloud-user1') return makeUserImage({ slot: 1, ...options });
  if (target === 'cloud-user2') return makeUserImage({ slot: 2, ...options });
  return target === 'one-hop' ? repetitive(makeFinalImage(options)) : makeFinalImage(options);
}

/** A dump of a stock device, as a programmer reads it. */
function stockDump(): Buffer {
  const flash = Buffer.alloc(1024 * 1024, 0xff);
  makeFinalImage({ size: 5120 }).copy(flash, 0, 0, 0x1000);
  makeUserImage({ slot: 1 }).copy(flash, 0x1000);
  makeUserImage({ slot: 2 }).copy(flash, 0x81000);
  return flash;
}

/** Header of an ESP32 application, then its first segment: 0x20 bytes to 0x3F400020. */
function esp32(): Buffer {
  const image = Buffer.alloc(0x8000);
  Buffer.from('e90602201c0a0840ee000000000000000000000000000001' + '2000403f20000000', 'hex').copy(image);
  return image;
}

/** A final image whose code holds the address at which flash of this size keeps its settings. */
function linkedFor(settingsAddress: number, options: FinalImageOptions = {}): Buffer {
  const content = takeApart(makeFinalImage(options));
  assert(content.kind === 'final');
  content.app.segments[0]?.data.writeUInt32LE(settingsAddress, 0x40);
  return buildImage(content);
}

function codes({ findings }: Examination, severity?: Finding['severity']): string[] {
  return findings.filter((finding) => !severity || finding.severity === severity).map(({ code }) => code);
}

function only(image: Examination, code: string): Finding {
  const found = image.findings.filter((finding) => finding.code === code);
  assert.equal(found.length, 1, `${code} among ${codes(image).join(', ')}`);
  return found[0] as Finding;
}

const minimal = "<div style='text-align:center;color:#%06x;'><h3>MINIMAL firmware - please upgrade</h3></div>";

describe('image/doctor', () => {
  describe('what is wrong is refused with its own code, whatever the road', () => {
    const wrong: [
      name: string,
      code: ErrorCode,
      make: (target: ImageTarget) => Buffer,
      roads: readonly ImageTarget[],
      words: RegExp,
    ][] = [
      [
        'gzip',
        'image-compressed',
        (target) => gzipSync(soundFor(target)),
        IMAGE_TARGETS,
        /gzip; unpacked it has \d+ bytes/,
      ],
      ['an ESP32 image', 'image-wrong-chip', esp32, IMAGE_TARGETS, /those of an ESP32/],
      ['a stock dump', 'image-stock-firmware', stockDump, IMAGE_TARGETS, /dump of a device's whole flash/],
      [
        "a slot of ITEAD's firmware",
        'image-stock-firmware',
        (target) => soundFor(target, { text: 'itead-device\0dl.itead.cn' }),
        CLOUD_TARGETS,
        /ITEAD's own code/,
      ],
      [
        'an error page',
        'image-web-page',
        () => Buffer.from('<!doctype html><title>404</title>'),
        IMAGE_TARGETS,
        /web page/,
      ],
      [
        'half a download',
        'image-truncated',
        (target) => soundFor(target).subarray(0, 20000),
        IMAGE_TARGETS,
        /reaches to byte/,
      ],
      ['no download', 'image-invalid', () => Buffer.alloc(0), IMAGE_TARGETS, /the file is empty/],
      ['damage', 'image-invalid', damaged, IMAGE_TARGETS, /damaged/],
      [
        'a minimal build',
        'image-minimal',
        (target) => soundFor(target, { text: minimal }),
        FINAL_TARGETS,
        /minimal build/,
      ],
      [
        'a header for 4 MB',
        'image-wrong-flash-size',
        (target) => soundFor(target, { flashSize: '4MB' }),
        FINAL_TARGETS,
        /says 4MB of flash/,
      ],
      ['QIO', 'image-wrong-flash-mode', (target) => soundFor(target, { flashMode: 'QIO' }), FINAL_TARGETS, /mode QIO/],
      ['DIO', 'image-wrong-flash-mode', (target) => soundFor(target, { flashMode: 'DIO' }), FINAL_TARGETS, /mode DIO/],
      ['a user image', 'image-invalid', () => makeUserImage({ slot: 1 }), FINAL_TARGETS, /an image for a slot/],
      ['a final image', 'image-invalid', () => makeFinalImage(), CLOUD_TARGETS, /it is a final image/],
      ['user1', 'image-wrong-slot', () => makeUserImage({ slot: 1 }), ['cloud-user2'], /user2 is linked for user1/],
      ['user2', 'image-wrong-slot', () => makeUserImage({ slot: 2 }), ['cloud-user1'], /user1 is linked for user2/],
      [
        'one line too much',
        'image-too-large',
        (target) => soundFor(target, { size: limitOf(target) + 16 }),
        IMAGE_TARGETS,
        /at most/,
      ],
    ];
    for (const [name, code, make, roads, words] of wrong) {
      for (const target of roads) {
        it(`${name} for ${target}: ${code}`, () => {
          const bytes = make(target);
          const image = examine(bytes, target);
          assert.equal(image.verdict, 'refuse');
          const [first] = image.findings;
          assert.equal(first?.code, code, first?.text);
          assert.match(first.text, words);
          assert.match(first.text, /^[A-Z][^?]*\.$/);
          assert.match(first.remedy, /^[A-Z][^?]*\.$/);
          const error = assertRefused(() => checkForTarget(bytes, target), code, words);
          assert.equal(error.message, `${first.text} ${first.remedy}`);
        });
      }
    }

    it('has a code of its own for each kind of wrong file', () => {
      const own = wrong.map(([, code]) => code).filter((code) => code !== 'image-invalid');
      for (const code of own) assert(ERROR_CODES.includes(code));
      assert.equal(new Set(own).size, 10);
    });

    it('a download cut off anywhere, on every road', () => {
      for (const target of IMAGE_TARGETS) {
        const whole = soundFor(target, { size: 40000, seed: 4 });
        for (let length = 1; length < whole.length - 4; length += 997) {
          const [first] = examine(whole.subarray(0, length), target).findings;
          assert.equal(first?.code, 'image-truncated', `${length} bytes for ${target}: ${first?.text}`);
        }
      }
    });

    it('checkImage throws the first refusal of its road', () => {
      const image = makeFinalImage({ flashMode: 'QIO', flashSize: '4MB', size: FINAL_LIMIT + 16, text: minimal });
      const expected = ['image-too-large', 'image-wrong-flash-mode', 'image-wrong-flash-size', 'image-minimal'];
      assert.deepEqual(codes(examine(image, 'finalstage'), 'refuse'), expected);
      assertRefused(() => checkImage(image, 'final'), 'image-too-large');
    });
  });

  describe('what is right is let through', () => {
    for (const target of IMAGE_TARGETS) {
      it(`to the last byte that ${target} takes`, () => {
        const bytes = soundFor(target, { size: limitOf(target), segments: 3 });
        const image = examine(bytes, target);
        assert.deepEqual(codes(image, 'refuse'), []);
        assert.equal(image.target, target);
        assert.equal(image.sha256, image.facts?.sha256);
        assert.equal(checkForTarget(bytes, target).size, image.size);
        // A file of this format ends with a line; a CRC-32 is four bytes more.
        assert(image.size > limitOf(target) - 16 && image.size <= limitOf(target), `${image.size}`);
      });
    }

    it('with the limits that the devices have', () => {
      assert.deepEqual(IMAGE_TARGETS.map(limitOf), [471040, 471040, 524288, 528384, 520192]);
      assert.deepEqual([USER_LIMIT, FINAL_LIMIT, DIY_LIMIT], [471040, 524288, 520192]);
    });

    it('and is not touched', () => {
      const bytes = makeFinalImage({ flashMode: 'QIO' });
      const before = Buffer.from(bytes);
      examine(bytes, 'finalstage');
      assert.deepEqual(bytes, before);
    });

    it('without a warning, where it is a build of Tasmota', () => {
      const image = examine(makeFinalImage({ text: 'Theo Arends' }), 'finalstage');
      assert.deepEqual(image.findings, []);
      assert.equal(image.verdict, 'ok');
      assert.equal(image.facts?.eboot, 'gzip');
    });

    it('and with what else there is to report of it', () => {
      assert.equal(examine(makeFinalImage(), 'diy').chip, 'ESP8266');
      assert.equal(examine(esp32(), 'diy').chip, 'ESP32');
      assert.equal(examine(gzipSync(makeFinalImage()), 'diy').unpackedSize, 65536);
      assert.deepEqual(Object.keys(examine(Buffer.from('x'), 'diy')).sort(), [
        'findings',
        'identity',
        'sha256',
        'size',
        'target',
        'verdict',
      ]);
    });

    it('is plain data, which a message can carry', () => {
      const image = examine(makeUserImage({ slot: 1 }), 'cloud-user1');
      assert.deepEqual(JSON.parse(JSON.stringify(image)), image);
    });
  });

  describe('what is doubtful is said', () => {
    it('of an older eboot, an unknown firmware, a rehearsal', () => {
      const plain = examine(makeFinalImage({ eboot: 'raw' }), 'diy');
      assert.deepEqual(codes(plain), ['image-unknown-firmware', 'image-eboot-raw']);
      assert.equal(plain.verdict, 'ok');
      const text = 'made for rehearsals with a virtual Sonoff; does nothing on a real one';
      for (const target of IMAGE_TARGETS) only(examine(soundFor(target, { text }), target), 'image-rehearsal');
    });

    it('of a length that is no multiple of four, on the road where it matters', () => {
      const odd = Buffer.concat([makeFinalImage(), Buffer.alloc(1, 0xff)]);
      const finding = only(examine(odd, 'finalstage'), 'image-odd-length');
      assert.equal(finding.severity, 'warn');
      assert.equal(finding.mend, 'pad-to-four');
      assert.match(finding.text, /65537 bytes/);
      assert.match(finding.remedy, /65540/);
      assert(!codes(examine(odd, 'diy')).includes('image-odd-length'));
      assert.deepEqual(only(examine(odd, 'diy'), 'image-trailing-bytes').values, { trailing: 1 });
    });

    it("of a size that ITEAD's own tool does not take", () => {
      const at = (size: number): string[] => codes(examine(makeFinalImage({ size }), 'diy'), 'warn');
      assert.deepEqual(at(507_984), []);
      assert.deepEqual(at(508_016), ['image-near-limit']);
      assert.deepEqual(codes(examine(makeFinalImage({ size: 508_016 }), 'finalstage'), 'warn'), []);
    });

    it('of a flash frequency over 40 MHz, or none at all', () => {
      const at = (image: Buffer): string[] => codes(examine(image, 'finalstage'), 'warn');
      assert.deepEqual(at(makeFinalImage({ flashFrequency: 20 })), []);
      assert.deepEqual(at(makeFinalImage({ flashFrequency: 80 })), ['image-flash-frequency']);
      assert.match(
        only(examine(rewritten(patched(makeFinalImage(), 3, 0x25)), 'diy'), 'image-flash-frequency').text,
        /unknown/,
      );
    });

    it('of a user image: its slot untold, no FinalStage, no CRC-32, the FinalStage of 2017', () => {
      const plain = examine(makeUserImage({ slot: 1, crcTrailer: false }), 'cloud-user1');
      assert.deepEqual(codes(plain), ['image-not-finalstage', 'image-without-crc']);
      const text = 'FinalStage\0http://192.168.4.2:8080/ota/image_arduino.bin';
      assert.deepEqual(codes(examine(makeUserImage({ slot: 1, text }), 'cloud-user1')), []);
      const old = examine(makeUserImage({ slot: 1, text, crcTrailer: false }), 'cloud-user1');
      assert.deepEqual(codes(old), ['image-old-finalstage', 'image-without-crc']);
      const untold = makeUserImage({ slot: 1, crcTrailer: false });
      untold.fill(0x5a, 16, 16 + untold.readUInt32LE(12));
      const finding = only(examine(untold, 'cloud-user2'), 'image-slot-untold');
      assert.equal(finding.severity, 'warn');
      assert.match(finding.remedy, /meant for user2/);
    });

    it("of ESPurna's core build", () => {
      const text = 'ESPURNA_CORE\0http://tinkerman.cat\0[MAIN] ESPURNA 1.13.5\n';
      assert.equal(only(examine(makeFinalImage({ text }), 'diy'), 'image-core-build').severity, 'warn');
    });
  });

  describe('the size of the flash in the header', () => {
    const severityAt = (options: FinalImageOptions): string =>
      only(examine(makeFinalImage(options), 'finalstage'), 'image-wrong-flash-size').severity;

    it('is refused where it is more than 1 MB or unknown, with a mend', () => {
      for (const flashSize of ['2MB', '4MB', '2MB-c1', '4MB-c1', '8MB', '16MB']) {
        const finding = only(examine(makeFinalImage({ flashSize }), 'finalstage'), 'image-wrong-flash-size');
        assert.equal(finding.severity, 'refuse');
        assert.equal(finding.mend, 'set-flash-size-1mb');
      }
      const unknown = examine(rewritten(patched(makeFinalImage(), 3, 0x70)), 'diy');
      assert.match(only(unknown, 'image-wrong-flash-size').text, /says an unknown size \(7\) of flash/);
      assert.equal(unknown.verdict, 'refuse');
    });

    it('is only a doubt where it is less, unless the SDK would write its parameters into the image', () => {
      assert.equal(severityAt({ flashSize: '512KB', size: 0x7b000 }), 'warn');
      assert.equal(severityAt({ flashSize: '512KB', size: 0x7b010 }), 'refuse');
      assert.equal(severityAt({ flashSize: '256KB', size: 0x3b000 }), 'warn');
      assert.equal(severityAt({ flashSize: '256KB', size: 0x3b010 }), 'refuse');
    });

    it('is not worth mending where the code was linked for a larger flash', () => {
      const finding = only(examine(linkedFor(0x405fb000, { flashSize: '4MB' }), 'diy'), 'image-wrong-flash-size');
      assert.equal(finding.severity, 'refuse');
      assert.equal(finding.mend, undefined);
      const patchedHeader = examine(linkedFor(0x403fb000), 'diy');
      assert.match(only(patchedHeader, 'image-linked-for-larger-flash').text, /linked for 2 MB/);
      assert.equal(patchedHeader.verdict, 'warn');
      const right = examine(linkedFor(0x402fb000, { flashSize: '4MB' }), 'diy');
      assert.equal(right.facts?.linkedFlashBytes, 0x100000);
      const both = linkedFor(0x405fb000);
      const content = takeApart(both);
      assert(content.kind === 'final');
      content.app.segments[1]?.data.writeUInt32LE(0x402fb000, 0x10);
      assert.equal(examine(buildImage(content), 'diy').facts?.linkedFlashBytes, undefined);
      assert.equal(only(right, 'image-wrong-flash-size').mend, 'set-flash-size-1mb');
    });
  });

  describe('a mend', () => {
    it('puts right what it was offered for, in a copy with a digest of its own', () => {
      const bytes = Buffer.concat([makeFinalImage({ flashMode: 'QIO', flashSize: '4MB' }), Buffer.alloc(3, 0xff)]);
      const before = Buffer.from(bytes);
      const sick = examine(bytes, 'finalstage');
      const offered = sick.findings.flatMap((finding) => finding.mend ?? []);
      assert.deepEqual(offered, ['set-flash-mode-dout', 'set-flash-size-1mb', 'pad-to-four']);
      const mended = mend(bytes, offered);
      assert.deepEqual(bytes, before);
      assert.deepEqual(mended.applied, offered);
      assert.equal(mended.bytes.length, bytes.length + 1);
      const well = examine(mended.bytes, 'finalstage');
      assert.equal(well.verdict, 'ok', well.findings[0]?.text);
      assert.equal(mended.sha256, well.sha256);
      assert.notEqual(mended.sha256, sick.sha256);
      // Nothing but those two bytes, the CRC-32 over them and the padding is another.
      const crc = CORE_WORDS['2.7'] + 4;
      const changed = [...mended.bytes.keys()].filter((offset) => mended.bytes[offset] !== before[offset]);
      assert.deepEqual(
        changed.filter((offset) => offset < crc || offset >= crc + 4),
        [2, 3, bytes.length],
      );
    });

    it('keeps the flash frequency', () => {
      const { bytes } = mend(makeFinalImage({ flashSize: '4MB', flashFrequency: 80 }), ['set-flash-size-1mb']);
      assert.equal(bytes[3], 0x2f);
    });

    it('changes nothing where nothing is wrong, and never the bytes that were given', () => {
      const bytes = makeFinalImage();
      const mended = mend(bytes, ['pad-to-four', 'set-flash-mode-dout']);
      assert.deepEqual(mended.applied, []);
      assert.deepEqual(mended.bytes, bytes);
      assert.notEqual(mended.bytes.buffer === bytes.buffer && mended.bytes.byteOffset === bytes.byteOffset, true);
    });

    it('is refused where it is not safe', () => {
      const dout = ['set-flash-mode-dout'] as const;
      assertRefused(() => mend(makeUserImage({ slot: 1 }), dout), 'image-invalid', /only a final image can be mended/);
      assertRefused(() => mend(stockDump(), dout), 'image-invalid', /only a final image can be mended/);
      assertRefused(() => mend(damaged('diy'), dout), 'image-invalid', /damaged, which no mend puts right/);
      assertRefused(() => mend(gzipSync(makeFinalImage()), dout), 'image-compressed');
      const large = linkedFor(0x405fb000, { flashSize: '4MB', flashMode: 'QIO' });
      assertRefused(() => mend(large, ['set-flash-size-1mb']), 'image-invalid', /linked for a larger flash/);
      assert.deepEqual(mend(large, dout).applied, [...dout]);
      const made = ['make-it-run'] as unknown as 'pad-to-four'[];
      assertRefused(() => mend(makeFinalImage(), made), 'image-invalid', /no mend make-it-run/);
    });
  });
});

function limitOf(target: ImageTarget): number {
  return targetFacts(target).limit;
}

function damaged(target: ImageTarget): Buffer {
  const bytes = soundFor(target);
  const facts = checkForTarget(bytes, target);
  const offset = (facts.segments.at(-1)?.offset ?? 0) + 8;
  const flipped = patched(bytes, offset, (bytes[offset] ?? 0) ^ 0x40);
  assert.throws(() => checkForTarget(flipped, target), FlashError);
  return flipped;
}
