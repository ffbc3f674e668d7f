import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { examine, makeFinalImage, readImage } from '../../lib/image';

const WORDS = 0x1010;

/** As elf2bin of core 3 writes it: the checksum over zeros, then the length and the CRC-32 in their place. */
function core3Image(): Buffer {
  const image = makeFinalImage({ size: 200_000, seed: 5 });
  const last = readImage(image).parts.at(-1);
  assert.ok(last);
  for (let at = WORDS; at < WORDS + 8; at++) {
    image[last.checksum.offset] = (image[last.checksum.offset] ?? 0) ^ (image[at] ?? 0);
    image[at] = 0;
  }
  image.writeUInt32LE(mirrored(image), WORDS + 4);
  image.writeUInt32LE(image.length, WORDS);
  return image;
}

/** The same CRC by zlib's, which reads bits the other way round and inverts the end. */
function mirrored(image: Buffer): number {
  const turned = Buffer.from(image.map((byte) => turn(byte, 8)));
  return turn(~crc32(turned) >>> 0, 32);
}

function turn(value: number, bits: number): number {
  let turned = 0;
  for (let bit = 0; bit < bits; bit++) turned = turned * 2 + ((value >>> bit) & 1);
  return turned;
}

describe('image: the words of the Arduino core 3', () => {
  it('are taken for what they are: the image is sound', () => {
    assert.equal(examine(core3Image(), 'finalstage').verdict, 'ok');
  });

  it('find a changed byte anywhere', () => {
    for (const at of [0x20, 0x1010, 0x1017, 0x5000, 150_000]) {
      const image = core3Image();
      image[at] = (image[at] ?? 0) ^ 1;
      assert.equal(examine(image, 'finalstage').verdict, 'refuse', `byte ${at}`);
    }
  });
});
