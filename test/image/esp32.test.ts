import assert from 'node:assert/strict';
import { examine, makeFinalImage, makeUserImage } from '../../lib/image';
import { esp32Image } from '../../lib/image/esp32';

interface Made {
  chip: number;
  /** Where its segments are loaded to. */
  addresses: number[];
  /** Where it starts, behind erased flash. */
  start?: number;
  partitions?: boolean;
}

const SEGMENT_BYTES = 2048;

/** An image with the header of 24 bytes, entered in the RAM of its first segment. */
function made({ chip, addresses, start = 0, partitions = false }: Made): Buffer {
  const flash = Buffer.alloc(partitions ? 0xa000 : start + 24 + addresses.length * (8 + SEGMENT_BYTES), 0xff);
  const header = Buffer.alloc(24);
  header.set([0xe9, addresses.length, 2, 0x20]);
  header.writeUInt32LE((addresses[0] ?? 0) + 16, 4);
  header.writeUInt16LE(chip, 12);
  header.copy(flash, start);
  addresses.forEach((address, index) => {
    const at = start + 24 + index * (8 + SEGMENT_BYTES);
    flash.writeUInt32LE(address, at);
    flash.writeUInt32LE(SEGMENT_BYTES, at + 4);
    flash.fill(0x11, at + 8, at + 8 + SEGMENT_BYTES);
  });
  if (partitions) flash.set([0xaa, 0x50], 0x8000);
  return flash;
}

/** As the boot loaders of these chips are linked: all of them in addresses that no other mark covers. */
const LOADERS: [name: string, chip: number, addresses: number[]][] = [
  ['ESP32', 0, [0x3fff0018, 0x40078000, 0x40080400]],
  ['ESP32-S2', 2, [0x3ffe6108, 0x4004c000, 0x40050000]],
  ['ESP32-C6', 13, [0x4086e610, 0x4086d000, 0x40875720]],
  ['ESP32-H2', 16, [0x4083cd70, 0x4083bc70]],
  ['ESP32-P4', 18, [0x4ff33ce0, 0x4ff29ed0]],
  ['ESP32-C5', 23, [0x4084a000, 0x40848000]],
];

describe('image/ESP32 family', () => {
  for (const [name, chip, addresses] of LOADERS) {
    it(`knows an ${name} by its number and its segments`, () => {
      const image = made({ chip, addresses });
      assert.deepEqual(esp32Image(image), { chip: name, factory: false });
      const [first] = examine(image, 'finalstage').findings;
      assert.equal(first?.code, 'image-wrong-chip');
      assert.match(first.text, new RegExp(`those of an ${name}\\b`));
    });
  }

  it('knows a whole flash, wherever its boot loader is', () => {
    for (const start of [0, 0x1000, 0x2000]) {
      const flash = made({ chip: 18, addresses: [0x4ff33ce0, 0x4ff29ed0], start, partitions: true });
      assert.deepEqual(esp32Image(flash), { chip: 'ESP32-P4', factory: true });
      assert.match(examine(flash, 'diy').findings[0]?.text ?? '', /content of a whole ESP32-P4 flash/);
    }
  });

  it('takes nothing else for one', () => {
    const [, , addresses] = LOADERS[0] ?? ['', 0, []];
    const sound = made({ chip: 0, addresses });
    assert.equal(esp32Image(made({ chip: 0x1111, addresses })), undefined, 'a chip that there is not');
    assert.equal(esp32Image(sound.subarray(0, sound.length - 1)), undefined, 'segments that go on behind the file');
    const esp8266 = Buffer.from(sound);
    esp8266.writeUInt32LE(0x40100000, 8);
    assert.equal(esp32Image(esp8266), undefined, 'a first segment that goes to where an ESP8266 has RAM');
    assert.equal(esp32Image(Buffer.concat([Buffer.alloc(0x1000, 0xfe), sound])), undefined, 'behind something');
    for (let seed = 0; seed < 50; seed++) {
      assert.equal(esp32Image(makeFinalImage({ seed, size: 8192 })), undefined);
      assert.equal(esp32Image(makeUserImage({ slot: 1, seed, size: 8192 })), undefined);
    }
  });
});
