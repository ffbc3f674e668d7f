import assert from 'node:assert/strict';
import {
  buildImage,
  checkForTarget,
  examine,
  makeUserImage,
  readImage,
  takeApart,
  type ImageTarget,
} from '../../lib/image';
import { assertRefused } from './helpers';

/** Where rBoot has its first image: at 0x2000 in flash, with the header of the irom part before it. */
const RBOOT = 0x40202010;
const SLOT_1 = 0x40201010;
/** Not a part of a sector, so that only one place fits. */
const FUNCTION_EVERY = 300;

interface Linked {
  /** First address of the irom part. */
  address: number;
  /** Words that lead to a function, in the irom part and in the tables of the RAM. */
  irom?: number;
  ram?: number;
  /** First address from which words in the irom part lead to a function as well, and how many. */
  also?: number;
  alsoWords?: number;
  text?: string;
}

/** A sound user image with functions, and words that lead to them from the supposed start of the irom part. */
function linked({ address, irom = 0, ram = 0, also = 0, alsoWords = 0, text = '' }: Linked): Buffer {
  const content = takeApart(makeUserImage({ slot: 1, size: 65536 }));
  assert(content.kind === 'user');
  const code = content.irom.fill(0);
  for (let offset = 0; offset + 2 <= code.length; offset += FUNCTION_EVERY) code.set([0x12, 0xc1], offset);
  code.write(text, 128, 'latin1');
  const data = content.ram.segments[0]?.data.fill(0) ?? Buffer.alloc(0);
  // Addresses of the irom part alone tell its slot as before: most lead to no function.
  for (let word = 0; word < 40; word++) code.writeUInt32LE(address + FUNCTION_EVERY * word + 32, 304 + 4 * word);
  const tables: [Buffer, number, number, number][] = [
    [code, 604, irom, address],
    [data, 0, ram, address],
    [code, 1204, alsoWords, also],
  ];
  for (const [bytes, at, words, start] of tables) {
    for (let word = 0; word < words; word++) bytes.writeUInt32LE(start + FUNCTION_EVERY * (word + 20), at + 4 * word);
  }
  return buildImage(content);
}

describe('image/linked place', () => {
  const roads: readonly ImageTarget[] = ['cloud-user1', 'cloud-user2'];

  it('refuses an image for rBoot in either slot, and says where it belongs', () => {
    for (const options of [{ irom: 20 }, { ram: 20 }, { irom: 10, ram: 10 }]) {
      const image = linked({ address: RBOOT, ...options });
      for (const target of roads) {
        const error = assertRefused(() => checkForTarget(image, target), 'image-wrong-place', /0x00002000 in flash/);
        assert.match(error.message, /such as rBoot/);
      }
      const facts = readImage(image);
      assert.equal(facts.slot, undefined);
      assert.equal(facts.irom?.address, RBOOT);
    }
  });

  it('refuses one for anywhere else in the flash that the processor sees', () => {
    for (const place of [0x00000, 0x41000, 0x82000, 0xc0000]) {
      const image = linked({ address: 0x40200010 + place, ram: 20 });
      assertRefused(() => checkForTarget(image, 'cloud-user1'), 'image-wrong-place');
    }
  });

  it('lets an image go into its slot, whatever a table of it looks like', () => {
    const image = linked({ address: SLOT_1, irom: 20, ram: 20, also: RBOOT, alsoWords: 70 });
    assert.equal(readImage(image).slot, 1);
    assert.notEqual(examine(image, 'cloud-user1').verdict, 'refuse');
    assertRefused(() => checkForTarget(image, 'cloud-user2'), 'image-wrong-slot');
    const user2 = linked({ address: SLOT_1 + 0x80000, irom: 20, ram: 20, also: RBOOT, alsoWords: 70 });
    assert.notEqual(examine(user2, 'cloud-user2').verdict, 'refuse');
  });

  it('does not judge by a few words', () => {
    const image = linked({ address: RBOOT, ram: 15 });
    assert.equal(readImage(image).slot, 1, 'the other words tell');
    assert.notEqual(examine(image, 'cloud-user1').verdict, 'refuse');
  });

  it("refuses Espressif's AT firmware, which fits its slot and fetches nothing", () => {
    const text = 'AT version:%d.%d.%d.%d(%s %s)\0+CIPUPDATE:1\0';
    const image = linked({ address: SLOT_1, irom: 20, ram: 20, text });
    const [first] = examine(image, 'cloud-user1').findings;
    assert.equal(first?.code, 'image-invalid');
    assert.match(first.text, /AT firmware/);
    assert.equal(examine(image, 'cloud-user1').identity.project, 'espressif-at');
  });
});
