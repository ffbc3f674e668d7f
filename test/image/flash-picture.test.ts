import assert from 'node:assert/strict';
import {
  IMAGE_TARGETS,
  examine,
  flashPicture,
  layoutAfter,
  makeFinalImage,
  makeUserImage,
  targetFacts,
  type FlashLayout,
} from '../../lib/image';
import { FLASH_BYTES, STOCK_LAYOUT } from '../../lib/image/flash-map';

/** Every area, as its tooltip names it: label, first byte, behind the last byte. */
function drawn(svg: string): string[] {
  return [...svg.matchAll(/<g><title>(.*?)<\/title><rect [^>]*height="([\d.]+)"/g)].map(([, words = '', height]) => {
    assert(Number(height) >= 18, `${words} is ${height} pixels high`);
    return words.replaceAll('&#39;', "'");
  });
}

function assertWhole(layout: FlashLayout): void {
  let at = 0;
  for (const { from, to } of layout) {
    assert.equal(from, at);
    assert(to > from);
    at = to;
  }
  assert.equal(at, FLASH_BYTES);
}

describe('image/flash-picture', () => {
  it('every layout covers the flash without gaps, for any size on any road', () => {
    assertWhole(STOCK_LAYOUT);
    for (const target of IMAGE_TARGETS) {
      for (const size of [
        0,
        1,
        4096,
        4097,
        300_000,
        targetFacts(target).limit,
        targetFacts(target).limit + 1,
        0xf3000,
        2 ** 22,
      ]) {
        assertWhole(layoutAfter(target, size));
      }
    }
  });

  it('draws stock firmware before, and where the image goes after', () => {
    const svg = flashPicture({ image: examine(makeFinalImage({ size: 482432 }), 'finalstage') });
    assert.deepEqual(drawn(svg), [
      'boot loader, 0x00000 to 0x01000, 4096 bytes',
      'user1, 0x01000 to 0x78000, 487424 bytes',
      "ITEAD's records, 0x78000 to 0x80000, 32768 bytes",
      'free, 0x80000 to 0x81000, 4096 bytes',
      'user2, 0x81000 to 0xF4000, 471040 bytes',
      'free, 0xF4000 to 0xFB000, 28672 bytes',
      'system parameters, 0xFB000 to 0x100000, 20480 bytes',
      'eboot, 0x00000 to 0x01000, 4096 bytes',
      'new firmware, 0x01000 to 0x75C80, 478336 bytes',
      'free, 0x75C80 to 0xF3000, 512896 bytes',
      'its settings, 0xF3000 to 0xFC000, 36864 bytes',
      'system parameters, 0xFC000 to 0x100000, 16384 bytes',
    ]);
    assert.match(svg, />It fits: 482432 of 524288 bytes\.</);
  });

  it('draws each slot in its place', () => {
    const user2 = drawn(flashPicture({ image: examine(makeUserImage({ slot: 2, size: 239220 }), 'cloud-user2') }));
    assert(user2.includes('new user2, 0x81000 to 0xBB674, 239220 bytes'), user2.join('\n'));
    assert(user2.slice(7).includes('user1, 0x01000 to 0x78000, 487424 bytes'));
    const user1 = drawn(flashPicture({ image: examine(makeUserImage({ slot: 1, size: 239220 }), 'cloud-user1') }));
    assert(user1.includes('new user1, 0x01000 to 0x3B674, 239220 bytes'), user1.join('\n'));
    assert(user1.slice(7).includes('user2, 0x81000 to 0xF4000, 471040 bytes'));
  });

  it('draws what does not fit, from the limit that the check has', () => {
    for (const target of IMAGE_TARGETS) {
      const { limit, from } = targetFacts(target);
      const slot = target === 'cloud-user2' ? 2 : 1;
      const size = limit + 4096;
      const bytes = target.startsWith('cloud')
        ? makeUserImage({ slot, size, crcTrailer: false })
        : makeFinalImage({ size });
      const image = examine(bytes, target);
      assert.equal(image.findings[0]?.code, 'image-too-large');
      const svg = flashPicture({ image });
      const edge = `0x${(from + limit).toString(16).toUpperCase().padStart(5, '0')}`;
      const over = drawn(svg).filter((words) => words.startsWith('does not fit'));
      assert.equal(over.length, 1);
      assert(over[0]?.includes(`, ${edge} to `) && over[0].endsWith(' 4096 bytes'), `${target}: ${over[0]}`);
      assert.match(svg, /Refused \(image-too-large\): 4096 bytes more than the \d+ that fit\./);
      assert(!flashPicture({ image: examine(soundOf(target), target) }).includes('does not fit'));
    }
  });

  it('needs no image, and takes layouts of others without trusting their words', () => {
    assert.match(flashPicture(), />524288 bytes are there for the new firmware\.</);
    const label = '<script>alert("\u0000")</script>&';
    const svg = flashPicture({ before: [{ from: 0, to: FLASH_BYTES, kind: 'free', label }] });
    assert.match(svg, /&#60;script&#62;alert\(&#34;\ufffd&#34;\)&#60;\/script&#62;&#38;/);
    assert(!svg.includes('<script') && !svg.includes('\u0000'));
  });

  it('is one self-contained element that a reader of screens can read', () => {
    const svg = flashPicture({ image: examine(makeFinalImage(), 'diy') });
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*role="img"/);
    assert.match(
      svg,
      /<title>The flash before and after<\/title>\n<desc>Before: boot loader, .* After: eboot, .*<\/desc>/,
    );
    assert.doesNotMatch(svg, /<style|<script|href=|url\(| on\w+=|NaN|undefined/);
    assert.equal(svg, flashPicture({ image: examine(makeFinalImage(), 'diy') }));
    const open: string[] = [];
    for (const [, close, name = '', empty] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g)) {
      if (close) assert.equal(open.pop(), name);
      else if (!empty) open.push(name);
    }
    assert.deepEqual(open, []);
  });
});

function soundOf(target: (typeof IMAGE_TARGETS)[number]): Buffer {
  if (target === 'cloud-user1') return makeUserImage({ slot: 1 });
  return target === 'cloud-user2' ? makeUserImage({ slot: 2 }) : makeFinalImage();
}
